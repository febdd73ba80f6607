// Package widget has the pieces that the console is drawn with: frames,
// tables, dialogs, the activity strip. They know neither the network nor
// where data comes from; foreign text is cleaned (tui/text) before it gets
// here.
package widget

import (
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"flatnet/themes"
	"flatnet/tui/text"
)

// Tone is what a piece of text means, which the theme turns into a colour.
type Tone int

// The tones. Plain is ordinary text.
const (
	Plain Tone = iota
	Muted
	Title
	Heading
	Accent
	OK
	Warn
	Fail
	Unknown
	Added
	Removed
	Marked
	Match
	Selected
	Button
	Frame
	tones // how many there are
)

// Look is how everything is drawn just now: it is handed down while drawing,
// so that a change of theme needs no one to be told.
type Look struct {
	Glyphs Glyphs
	Text   *text.Texts
	before [tones]string // what switches a tone on
}

// NewLook makes a Look of a theme.
func NewLook(t themes.Theme, g Glyphs, texts *text.Texts) *Look {
	l := &Look{Glyphs: g, Text: texts}
	for tone, spec := range map[Tone]themes.Spec{
		Plain: t.Text, Muted: t.Muted, Title: t.Title, Heading: t.Heading, Accent: t.Accent,
		OK: t.OK, Warn: t.Warn, Fail: t.Fail, Unknown: t.Unknown, Added: t.Added, Removed: t.Removed,
		Marked: t.Marked, Match: t.Match, Selected: t.Selected, Button: t.Button, Frame: t.Frame,
	} {
		if st := style(spec); len(st) > 0 {
			l.before[tone] = st.String()
		}
	}
	return l
}

func style(s themes.Spec) ansi.Style {
	var st ansi.Style
	for _, a := range []struct {
		on  bool
		add func() ansi.Style
	}{
		{s.Bold, func() ansi.Style { return st.Bold() }},
		{s.Faint, func() ansi.Style { return st.Faint() }},
		{s.Italic, func() ansi.Style { return st.Italic(true) }},
		{s.Underline, func() ansi.Style { return st.Underline(true) }},
		{s.Reverse, func() ansi.Style { return st.Reverse(true) }},
		{s.Foreground != "", func() ansi.Style { return st.ForegroundColor(colour(s.Foreground)) }},
		{s.Background != "", func() ansi.Style { return st.BackgroundColor(colour(s.Background)) }},
	} {
		if a.on {
			st = a.add()
		}
	}
	return st
}

// colour is a theme's colour: "#rrggbb", or a number of the terminal's
// palette, of which the first sixteen are its own.
func colour(s string) ansi.Color {
	n, err := strconv.ParseUint(s, 10, 8)
	switch {
	case err != nil:
		return ansi.HexColor(s)
	case n < 16:
		return ansi.BasicColor(n)
	}
	return ansi.IndexedColor(n)
}

// Paint draws one line of text in a tone.
func (l *Look) Paint(t Tone, s string) string {
	if s == "" || l.before[t] == "" {
		return s
	}
	return l.before[t] + s + ansi.ResetStyle
}

// Glyphs are the signs that are drawn; each one cell wide.
type Glyphs struct {
	OK, Warn, Fail, Unknown string
	Mark, Cursor            string // a marked row, the row under the cursor
	Up, Down                string // sort order
	More                    string // something is hidden
	Busy                    string // a refresh is under way
	Dot                     string // between two facts
	Arrow                   string // leads to
	Thin, Thick             Box    // frames: ordinary and focused
	Spark                   []string
	Gap                     string // a lost probe in a sparkline
}

// Box is the signs of a frame.
type Box struct{ H, V, TL, TR, BL, BR string }

// Unicode are the signs for a terminal with UTF-8.
func Unicode() Glyphs {
	return Glyphs{
		OK: "✓", Warn: "▲", Fail: "✗", Unknown: "?", Mark: "●", Cursor: "▸",
		Up: "↑", Down: "↓", More: "…", Busy: "○", Dot: "·", Arrow: "→",
		Thin:  Box{"─", "│", "╭", "╮", "╰", "╯"},
		Thick: Box{"━", "┃", "┏", "┓", "┗", "┛"},
		Spark: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, Gap: "×",
	}
}

// ASCII are the signs for every other terminal.
func ASCII() Glyphs {
	return Glyphs{
		OK: "+", Warn: "!", Fail: "X", Unknown: "?", Mark: "*", Cursor: ">",
		Up: "^", Down: "v", More: "~", Busy: "o", Dot: "-", Arrow: ">",
		Thin:  Box{"-", "|", "+", "+", "+", "+"},
		Thick: Box{"=", "#", "#", "#", "#", "#"},
		Spark: []string{"_", ".", ":", "-", "=", "+", "*", "#"}, Gap: "x",
	}
}
