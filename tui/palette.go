package tui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"flatnet/tui/action"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// palette is the list of all actions, found by name.
type palette struct {
	all    []action.Action
	t      *text.Texts
	input  textinput.Model
	cursor int
}

func newPalette(all []action.Action, t *text.Texts) *palette {
	p := &palette{all: all, t: t, input: widget.NewInput(":")}
	p.input.Focus()
	return p
}

// Update implements dialog.
func (p *palette) Update(m *Model, msg tea.Msg) (bool, tea.Cmd) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "esc", "ctrl+c":
			return true, nil
		case "up", "ctrl+p":
			p.cursor = max(0, p.cursor-1)
			return false, nil
		case "down", "ctrl+n":
			p.cursor = min(p.cursor+1, max(0, len(p.matches())-1))
			return false, nil
		case "enter":
			return p.run(m)
		}
	}
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	p.cursor = 0
	return false, cmd
}

// run closes the palette and does what is chosen; the action may open a
// dialog of its own.
func (p *palette) run(m *Model) (bool, tea.Cmd) {
	found := p.matches()
	if len(found) == 0 {
		return false, nil
	}
	m.dialog = nil
	return true, m.do(found[p.cursor])
}

// matches gives the actions whose name or id has every typed word, those that
// fit best first.
func (p *palette) matches() []action.Action {
	words := strings.Fields(strings.ToLower(p.input.Value()))
	var found []action.Action
	for _, a := range p.all {
		name := strings.ToLower(a.Name + " " + a.ID)
		ok := true
		for _, w := range words {
			ok = ok && strings.Contains(name, w)
		}
		if ok {
			found = append(found, a)
		}
	}
	typed := strings.Join(words, " ")
	slices.SortStableFunc(found, func(a, b action.Action) int { return fits(a, typed) - fits(b, typed) })
	return found
}

// fits is how well an action fits what was typed, 0 best: q is quit, whatever
// else has a q in it.
func fits(a action.Action, typed string) int {
	name := strings.ToLower(a.Name)
	switch {
	case typed == "":
	case strings.HasPrefix(a.ID, typed):
		return min(1, len(a.ID)-len(typed))
	case strings.HasPrefix(name, typed), strings.HasSuffix(name, ": "+typed):
		return 2
	default:
		return 3
	}
	return 0
}

// View implements dialog.
func (p *palette) View(l *widget.Look, width, height int) string {
	w, h := min(width, 72), max(5, min(height-4, 18))
	inner, room := widget.FrameInner(w, h)
	p.input.SetWidth(max(1, inner-3))
	lines := []string{p.input.View(), ""}
	found := p.matches()
	top := max(0, p.cursor-(room-3))
	for i := top; i < len(found) && len(lines) < room; i++ {
		lines = append(lines, p.line(l, found[i], i == p.cursor, inner))
	}
	if len(found) == 0 {
		lines = append(lines, l.Paint(widget.Muted, p.t.State.NoMatch))
	}
	return l.Framed(widget.FrameOptions{
		Width: w, Height: h, Focused: true, Title: p.t.Screen.Palette, Footer: l.Paint(widget.Muted, p.t.Screen.Choose),
	}, lines)
}

func (p *palette) line(l *widget.Look, a action.Action, current bool, width int) string {
	name, tone := a.Name, widget.Plain
	if why := a.Reason(); why != "" {
		name, tone = name+" ("+why+")", widget.Muted
	}
	key := strings.Join(a.Keys[:min(1, len(a.Keys))], "")
	name = text.Fit(name, width-text.Width(key)-3)
	if current {
		return l.Paint(widget.Selected, l.Glyphs.Cursor+" "+name+" "+key)
	}
	return "  " + l.Paint(tone, name) + " " + l.Paint(widget.Accent, key)
}
