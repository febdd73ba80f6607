// Package pane has the parts of the screen, one file a pane: each turns what
// one source has seen into rows, a state and a detail. A pane looks at
// nothing by itself: its source is handed to it and called in a command, with
// a time limit. It changes nothing either.
package pane

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/health"
	"flatnet/tui/action"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// ID names a pane; it stays the same in every language.
type ID string

// Pane is one part of the screen, as the root sees it.
type Pane interface {
	ID() ID
	Title() string
	// Init starts the first look.
	Init() tea.Cmd
	// Refresh looks again, unless a look is under way: then once more after it
	// if that is insisted on.
	Refresh(insist bool) tea.Cmd
	// Busy tells whether a look is under way.
	Busy() bool
	// Ages tells whether what is drawn says how old it is.
	Ages() bool
	// Update takes a reply of this pane's source, and keys while Editing.
	Update(tea.Msg) tea.Cmd
	SetSize(width, height int)
	// Resume goes on where the pane of an earlier configuration was.
	Resume(old Pane)
	View(l *widget.Look, focused bool) string
	// State is how good what the pane shows is, and a few words about it.
	State() (health.Severity, string)
	// Actions are the keys that work while the pane is focused.
	Actions() []action.Action
	// Editing tells whether keys are text just now (a filter is being typed).
	Editing() bool
	// Selected gives the key of the row under the cursor, Marked those of the
	// marked rows.
	Selected() string
	Marked() []string
	// Detail is everything known about the row under the cursor.
	Detail() Detail
	// Clear takes filter and marks away; false if there are none.
	Clear() bool
	// Linear is the pane as lines of plain text, each with a key that stays:
	// for screen readers and dumb terminals.
	Linear() []Line
	// Click puts the cursor on what is drawn there, counted from the pane's
	// upper left corner.
	Click(x, y int)
}

// Line is one line of a linear text.
type Line struct{ Key, Text string }

// Detail is the whole of one row.
type Detail struct {
	Title  string
	Fields []Field
}

// Field is one named value; Text may have several lines.
type Field struct {
	Name, Text string
	Tone       widget.Tone
}

// Message is a message for one pane: the root hands it on by this alone. News
// tells whether it may change what is drawn.
type Message interface {
	For() ID
	News() bool
}

// Deps are what every pane needs.
type Deps struct {
	Text  *text.Texts
	Now   func() time.Time
	Limit time.Duration // of one look
}

// Source looks at something once. It ends with ctx.
type Source[T any] func(ctx context.Context) (T, error)
