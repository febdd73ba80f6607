package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/health"
	"flatnet/tui/action"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// View implements tea.Model.
func (m *Model) View() tea.View {
	if m.drawn == "" {
		m.drawn = m.screen()
		if m.style.ascii {
			m.drawn = text.ASCII(m.drawn)
		}
	}
	v := tea.NewView(m.drawn)
	v.AltScreen = true
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// screen draws everything.
func (m *Model) screen() string {
	if m.width == 0 {
		return ""
	}
	l := m.style.look
	if m.layout() == tooSmall {
		return m.tooSmall(l)
	}
	lines := []string{m.header(l)}
	if m.layout() == tabs {
		lines = append(lines, m.tabs(l))
	}
	lines = append(lines, m.body(l), m.activity.Line(l, m.width), m.hints(l))
	s := strings.Join(lines, "\n")
	if m.dialog != nil {
		s = widget.Overlay(s, m.dialog.View(l, m.width, m.height), m.width, m.height)
	}
	return s
}

func (m *Model) tooSmall(l *widget.Look) string {
	said := fmt.Sprintf(m.t.Screen.TooSmall, m.width, m.height, minWidth, minHeight)
	lines := l.Paragraph(widget.Warn, said, m.width)
	return strings.Join(lines[:min(len(lines), m.height)], "\n")
}

// header names the network and the worst finding, in a sentence; where there
// is little room the finding matters more than where the network is.
func (m *Model) header(l *widget.Look) string {
	n := m.o.Config.Network
	left := l.Paint(widget.Title, " "+text.Cut(text.Line(n.Name), m.width/4))
	if m.o.ReadOnly {
		left += l.Paint(widget.Muted, " "+l.Glyphs.Dot+" "+m.t.Screen.ReadOnly)
	}
	if m.configProblem != "" {
		left += "  " + l.Paint(widget.Fail, l.Glyphs.Fail+" "+m.t.Editor.Wrong)
	}
	right := m.verdict(l, m.width-text.Width(left)-3)
	place := l.Paint(widget.Muted, fmt.Sprintf("  %s %s %s", n.Bridge, l.Glyphs.Dot, n.Subnet))
	if text.Width(left+place+right)+3 <= m.width {
		left += place
	}
	fill := m.width - text.Width(left) - text.Width(right) - 1
	return text.Fit(left+strings.Repeat(" ", max(2, fill))+right+" ", m.width)
}

// verdict is the worst finding in at most width cells.
func (m *Model) verdict(l *widget.Look, width int) string {
	worst, more, bad := m.worst()
	switch {
	case bad:
		rest := ""
		if more > 0 {
			rest = " " + l.Glyphs.Dot + " " + fmt.Sprintf(m.t.Screen.Findings, more)
		}
		said := text.Cut(m.t.Say(worst.Title), width-2-text.Width(rest))
		return l.Status(worst.Severity, said) + l.Paint(widget.Muted, rest)
	case m.findings.Known():
		return l.Status(health.OK, m.t.Screen.AllGood)
	}
	return l.Paint(widget.Muted, l.Glyphs.Busy+" "+m.t.State.Looking)
}

// tabs names all panes in one line, each with its state; where there is no
// room, those without focus only by number and sign.
func (m *Model) tabs(l *widget.Look) string {
	return text.Fit(strings.Join(m.tabParts(l), " "), m.width)
}

// tabAt gives the pane whose tab is drawn there; -1: none is.
func (m *Model) tabAt(x int) int {
	for i, part := range m.tabParts(m.style.look) {
		w := text.Width(part)
		if x >= 0 && x < w {
			return i
		}
		x -= w + 1
	}
	return -1
}

func (m *Model) tabParts(l *widget.Look) []string {
	parts := m.tabsOf(l, func(p pane.Pane) string { return p.Title() })
	if text.Width(strings.Join(parts, " ")) <= m.width {
		return parts
	}
	return m.tabsOf(l, func(p pane.Pane) string {
		if p.ID() == m.focused().ID() {
			return p.Title()
		}
		return ""
	})
}

func (m *Model) tabsOf(l *widget.Look, title func(pane.Pane) string) []string {
	parts := make([]string, 0, len(m.panes))
	for i, p := range m.panes {
		name := strings.TrimSpace(fmt.Sprintf("%d %s", i+1, title(p)))
		severity, _ := p.State()
		sign := l.Paint(widget.ToneOf(severity), l.Sign(widget.ToneOf(severity)))
		tone, left, right := widget.Muted, " ", " "
		if i == m.focus {
			tone, left, right = widget.Accent, "[", "]"
		}
		parts = append(parts, l.Paint(tone, left+name)+" "+sign+l.Paint(tone, right))
	}
	return parts
}

// body draws the panes beside and below each other.
func (m *Model) body(l *widget.Look) string {
	places := m.places()
	views := make([]string, len(places))
	for i, p := range places {
		views[i] = p.pane.View(l, p.index == m.focus && m.dialog == nil)
	}
	if m.layout() != grid {
		return strings.Join(views, "\n")
	}
	left := strings.Split(views[0]+"\n"+views[1], "\n")
	right := strings.Split(views[2]+"\n"+views[3], "\n")
	for i := range left {
		left[i] += right[i]
	}
	return strings.Join(left, "\n")
}

// hints are the keys that matter most and work now; the first ones win where
// there is little room, and help always has its place. A dialog has all keys,
// and names them itself.
func (m *Model) hints(l *widget.Look) string {
	if m.dialog != nil {
		return strings.Repeat(" ", m.width)
	}
	all := m.actions()
	used := 1
	var parts []string
	for _, a := range hinted(all) {
		part := l.Paint(widget.Accent, a.Keys[0]) + " " + l.Paint(widget.Muted, a.Short)
		if w := text.Width(part) + 2; used+w <= m.width {
			parts = append(parts, part)
			used += w
		}
	}
	return text.Fit(" "+strings.Join(parts, "  "), m.width)
}

// hinted gives the actions with a short name that can be used now: help and
// quit first, so that they are always there.
func hinted(all []action.Action) []action.Action {
	var first, rest []action.Action
	for _, a := range all {
		switch {
		case a.Short == "":
		case a.ID == "help" || a.ID == "quit":
			first = append(first, a)
		case a.ID == "stop" && a.Reason() == "":
			first = append([]action.Action{a}, first...)
		case a.Reason() == "":
			rest = append(rest, a)
		}
	}
	return append(first, rest...)
}
