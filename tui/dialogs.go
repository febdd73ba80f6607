package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"flatnet/core"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/tui/action"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// pagerDialog shows text; its plain form can be copied.
type pagerDialog struct {
	widget.Pager
	plain string
	back  dialog // what it was opened over; nil: the panes
}

// Update implements dialog.
func (d *pagerDialog) Update(m *Model, msg tea.Msg) (bool, tea.Cmd) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return false, nil
	}
	if key.String() == "c" && d.plain != "" {
		return false, m.copy(d.Title, d.plain)
	}
	if !d.Key(key.String(), max(1, m.height-6)) {
		return false, nil
	}
	m.dialog = d.back
	return true, nil
}

// pager makes a dialog of text; plain is what is copied, "" if there is nothing
// to copy.
func (m *Model) pager(title string, lines func(*widget.Look, int) []string, plain string) dialog {
	footer := m.t.Screen.Scroll
	if plain != "" {
		footer = m.t.Screen.ScrollCopy
	}
	return &pagerDialog{Pager: widget.Pager{Title: title, Lines: lines, Footer: footer}, plain: plain, back: m.dialog}
}

// confirmDialog asks about a plan.
type confirmDialog struct {
	confirm *widget.Confirm
	key     string // by which it was asked for
	back    dialog // where Cancel leads back to; nil: the panes
}

// Update implements dialog.
func (d *confirmDialog) Update(m *Model, msg tea.Msg) (bool, tea.Cmd) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return false, nil
	}
	switch d.confirm.Key(key.String(), max(1, m.height-8)) {
	case widget.Yes:
		return true, m.apply(d.confirm.Plan, d.key, d.back)
	case widget.No:
		m.say(widget.Muted, fmt.Sprintf(m.t.Screen.Cancelled, m.t.Say(d.confirm.Plan.Title)))
		m.dialog = d.back
		return true, nil
	case widget.Open:
	}
	return false, nil
}

// View implements dialog.
func (d *confirmDialog) View(l *widget.Look, width, height int) string {
	return d.confirm.View(l, width, height)
}

// errorPager shows an error in full, with what to do about it.
func (m *Model) errorPager(title, name string, err error) dialog {
	hint := core.Hint(err)
	lines := func(l *widget.Look, width int) []string {
		out := l.Paragraph(widget.Title, name, width)
		out = append(out, "")
		out = append(out, l.Paragraph(widget.Fail, m.t.SayAll(say.Of(err)), width)...)
		if hint != "" {
			out = append(out, "")
			out = append(out, l.Indented(l.Paint(widget.Muted, m.t.Screen.Hint+": "), widget.Plain, m.t.SayAll(hint), width)...)
		}
		return out
	}
	return m.pager(title, lines, m.failure)
}

// planPager shows a plan that has nothing to do here: for its notes, or for
// the command that is left to the person, to be copied.
func (m *Model) planPager(p repair.Plan) dialog {
	lines := func(l *widget.Look, width int) []string { return widget.PlanLines(l, p, width) }
	plain := text.Line(p.ByHand)
	if plain == "" {
		plain = m.t.SayAll(say.Join("\n", p.Notes...))
	}
	return m.pager(m.t.Say(p.Title), lines, plain)
}

// byHand shows what of a plan is left to the person.
func (m *Model) byHand(p repair.Plan) {
	p.Steps = nil
	m.say(widget.Warn, fmt.Sprintf(m.t.Screen.ByHand, m.t.Say(p.Title)))
	m.dialog = m.planPager(p)
}

// showDetail shows everything about the row under the cursor.
func (m *Model) showDetail() tea.Cmd {
	d := m.focused().Detail()
	lines := func(l *widget.Look, width int) []string { return detailLines(l, d, width) }
	m.dialog = m.pager(d.Title, lines, plainDetail(d))
	return nil
}

func detailLines(l *widget.Look, d pane.Detail, width int) []string {
	names := 0
	for _, f := range d.Fields {
		names = max(names, text.Width(f.Name))
	}
	var out []string
	for _, f := range d.Fields {
		lead := l.Paint(widget.Muted, text.Fit(f.Name, names)) + "  "
		out = append(out, l.Indented(lead, f.Tone, f.Text, width)...)
	}
	return out
}

func plainDetail(d pane.Detail) string {
	lines := []string{d.Title}
	for _, f := range d.Fields {
		lines = append(lines, strings.TrimPrefix(f.Name+": "+f.Text, ": "))
	}
	return strings.Join(lines, "\n")
}

// showActivity shows what was done.
func (m *Model) showActivity() tea.Cmd {
	m.dialog = m.pager(m.t.Actions.Activity, m.activity.Lines, m.failure)
	return nil
}

// showHelp lists every action with its keys, and why it cannot be used now.
func (m *Model) showHelp() tea.Cmd {
	all := m.actions()
	lines := func(l *widget.Look, width int) []string {
		var out []string
		for _, g := range action.Groups() {
			if out != nil {
				out = append(out, "")
			}
			out = append(out, l.Paint(widget.Title, m.groupName(g)))
			for _, a := range all {
				if a.Group == g {
					out = append(out, helpLine(l, a, width)...)
				}
			}
		}
		return out
	}
	m.dialog = m.pager(m.t.Screen.Help, lines, "")
	return nil
}

// helpKeys is the width of the column of keys.
const helpKeys = 14

func helpLine(l *widget.Look, a action.Action, width int) []string {
	lead := l.Paint(widget.Accent, "  "+text.Fit(strings.Join(a.Keys[:min(2, len(a.Keys))], " "), helpKeys))
	if why := a.Reason(); why != "" {
		return l.Indented(lead, widget.Muted, a.Name+" ("+why+")", width)
	}
	return l.Indented(lead, widget.Plain, a.Name, width)
}

func (m *Model) groupName(g action.Group) string {
	switch g {
	case action.Repair:
		return m.t.Groups.Repair
	case action.Look:
		return m.t.Groups.Look
	case action.List:
		return m.t.Groups.List
	case action.Screen:
	}
	return m.t.Groups.Screen
}

// showPalette opens the list of all commands.
func (m *Model) showPalette() tea.Cmd {
	usable := slices.DeleteFunc(m.actions(), func(a action.Action) bool { return a.ID == "palette" })
	m.dialog = newPalette(append(usable, m.themeActions()...), m.t)
	return nil
}

// themeActions choose each theme by its name; they have no keys.
func (m *Model) themeActions() []action.Action {
	why := need(m.style.colour > colorprofile.ASCII, m.t.Why.NoColour)
	all := make([]action.Action, 0, len(m.style.themes))
	for _, theme := range m.style.themes {
		name := fmt.Sprintf(m.t.Screen.Theme, theme.Name)
		all = append(all, action.Action{ID: "theme-" + theme.ID, Name: name, Group: action.Screen, Why: why, Run: func() tea.Cmd {
			m.style.choose(theme.ID)
			m.say(widget.Muted, name)
			return nil
		}})
	}
	return all
}
