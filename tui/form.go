package tui

import (
	"fmt"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/say"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// form lists the keys of the configuration with their values, and lets one be
// typed.
type form struct {
	t        *text.Texts
	settings []config.Setting
	table    *widget.Table
	input    textinput.Model
	editing  *config.Setting // nil: none is being typed
	problem  error           // with what is typed
	filter   textinput.Model
	seeking  bool // the filter is being typed
}

func newForm(t *text.Texts) *form {
	columns := []widget.Column{{Title: t.Editor.Key, Min: 12}, {Title: t.Editor.Value, Min: 12}, {Title: t.Editor.Meaning, Drop: 1, Min: 12}}
	return &form{t: t, table: widget.NewTable(columns), input: widget.NewInput(""), filter: widget.NewInput("/")}
}

// typing tells whether a value is being typed.
func (f *form) typing() bool { return f.editing != nil }

// seek takes a key of the filter, which shows only keys that contain it.
func (f *form) seek(msg tea.Msg) tea.Cmd {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			f.seeking = false
			return nil
		case "esc", "ctrl+c":
			f.unfilter()
			return nil
		}
	}
	var cmd tea.Cmd
	f.filter, cmd = f.filter.Update(msg)
	f.table.Filter(text.Line(f.filter.Value()))
	return cmd
}

// unfilter shows every key again; false: it did already.
func (f *form) unfilter() bool {
	was := f.seeking || f.table.Filtered() != ""
	f.seeking = false
	f.filter.Reset()
	f.table.Filter("")
	return was
}

// show lists the keys of c.
func (f *form) show(c config.Config) {
	f.settings = config.Settings(c)
	rows := make([]widget.Row, len(f.settings))
	for i, s := range f.settings {
		tone := widget.Muted
		if s.Changed {
			tone = widget.Plain
		}
		rows[i] = widget.Row{Key: s.Name, Cells: []widget.Cell{
			{Text: text.Line(s.Name)}, {Text: text.Line(s.Value), Tone: tone}, {Text: f.t.Say(s.Doc), Tone: widget.Muted},
		}}
	}
	f.table.SetRows(widget.Prepare(3, rows))
}

// current is the setting under the cursor.
func (f *form) current() *config.Setting {
	for i := range f.settings {
		if f.settings[i].Name == f.table.Key() {
			return &f.settings[i]
		}
	}
	return nil
}

// Update takes a key; set says that the file was changed.
func (f *form) Update(msg tea.Msg, file *edit.File) (cmd tea.Cmd, set bool) {
	if f.typing() {
		return f.typed(msg, file)
	}
	if f.seeking {
		return f.seek(msg), false
	}
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "up", "k":
		f.table.Move(-1)
	case "down", "j":
		f.table.Move(1)
	case "pgup":
		f.table.Page(-1)
	case "pgdown":
		f.table.Page(1)
	case "home":
		f.table.Home()
	case "end":
		f.table.End()
	case "d":
		if s := f.current(); s != nil {
			f.problem = file.Unset(s.Name)
			return nil, f.problem == nil
		}
	case "/":
		f.seeking = true
		f.filter.Focus()
	case "enter":
		f.begin()
	}
	return nil, false
}

// begin lets the value under the cursor be typed.
func (f *form) begin() {
	f.editing, f.problem = f.current(), nil
	if f.editing == nil {
		return
	}
	f.input.Prompt = text.Line(f.editing.Name) + " = "
	f.input.SetValue(text.Line(f.editing.Value))
	f.input.CursorEnd()
	f.input.Focus()
}

// typed takes a key of the value; it is checked at every one of them.
func (f *form) typed(msg tea.Msg, file *edit.File) (tea.Cmd, bool) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "esc", "ctrl+c":
			f.editing, f.problem = nil, nil
			return nil, false
		case "enter":
			if f.problem = file.Set(f.editing.Name, f.literal()); f.problem != nil {
				return nil, false
			}
			f.editing = nil
			return nil, true
		}
	}
	var cmd tea.Cmd
	f.input, cmd = f.input.Update(msg)
	f.problem = config.CheckValue(f.editing.Name, f.literal())
	return cmd, false
}

// literal is what was typed as it stands in the file.
func (f *form) literal() string { return config.Literal(f.editing.Name, f.input.Value()) }

// View draws the form in so many cells and lines.
func (f *form) View(l *widget.Look, width, height int) []string {
	explained := max(1, min(explainLines, height/4))
	below := f.below(l, width, explained)
	f.table.SetSize(width, max(2, height-len(below)))
	lines := f.table.View(l, true, false)
	if f.table.Shown() == 0 {
		lines = []string{l.Paint(widget.Muted, l.Text.State.NoMatch)}
	}
	for len(lines) < height-len(below) {
		lines = append(lines, "")
	}
	return append(lines, below...)
}

// explainLines is how many lines explain, where there is room.
const explainLines = 3

// below explains the key under the cursor, or takes what is typed. Whatever it
// says it has as many lines, so that the rows keep their place: a gap, those
// that explain, and one more.
func (f *form) below(l *widget.Look, width, explained int) []string {
	lines := []string{""}
	s := f.current()
	switch {
	case f.seeking:
		f.filter.SetWidth(max(1, width-2))
		lines = append(lines, f.filter.View())
	case f.typing():
		f.input.SetWidth(max(1, width-text.Width(f.input.Prompt)-1))
		lines = append(lines, f.input.View())
		if f.problem != nil {
			said := l.Glyphs.Fail + " " + f.t.Say(say.Of(f.problem))
			lines = append(lines, l.Within(widget.Fail, said, width, explained)...)
			break
		}
		lines = append(lines, l.Within(widget.Muted, f.t.Say(f.editing.Want), width, explained)...)
	case s != nil:
		lines = append(lines, l.Within(widget.Plain, f.t.Say(s.Doc), width, explained)...)
		lines = append(lines, f.lastLine(l, s, width))
	}
	return append(lines, make([]string, explained+2)...)[:explained+2]
}

// lastLine is what is looked for, else the key's default.
func (f *form) lastLine(l *widget.Look, s *config.Setting, width int) string {
	switch {
	case f.table.Filtered() != "":
		return l.Paint(widget.Match, "/"+f.table.Filtered())
	case s.Default == "":
		return ""
	}
	return l.Paint(widget.Muted, text.Cut(fmt.Sprintf(f.t.Editor.Default, s.Default), width))
}
