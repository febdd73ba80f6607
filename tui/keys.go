package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"flatnet/tui/action"
	"flatnet/tui/widget"
)

// input takes a key or a paste: the dialog comes first, then a filter that is
// being typed, then the actions. Nothing is said to what cannot be seen: where
// the window is too small only the keys that lead out are heard.
func (m *Model) input(msg tea.Msg) tea.Cmd {
	key, isKey := msg.(tea.KeyPressMsg)
	if m.layout() == tooSmall && (!isKey || !m.leads(key.String())) {
		return nil
	}
	if m.dialog != nil {
		d := m.dialog
		closed, cmd := d.Update(m, msg)
		if closed && m.dialog == d {
			m.dialog = nil
		}
		return cmd
	}
	if m.focused().Editing() {
		return m.focused().Update(msg)
	}
	a, ok := action.Find(m.actions(), key.String())
	if !isKey || !ok {
		return nil
	}
	return m.do(a)
}

// leads tells whether a key leads out of where the person is, whatever that is.
func (m *Model) leads(key string) bool {
	return key == "ctrl+c" || key == "q" && m.dialog == nil && !m.focused().Editing()
}

// do runs an action, or says why it cannot be used now.
func (m *Model) do(a action.Action) tea.Cmd {
	if why := a.Reason(); why != "" {
		m.say(widget.Muted, a.Name+": "+why)
		return nil
	}
	return a.Run()
}

// wheel scrolls the pane under the mouse, which gets the focus, or the dialog.
func (m *Model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	if p, ok := m.placeAt(msg.X, msg.Y); ok && m.dialog == nil {
		m.show(p.index)
	}
	key := tea.KeyPressMsg{Code: tea.KeyDown}
	if msg.Button == tea.MouseWheelUp {
		key.Code = tea.KeyUp
	}
	return m.input(key)
}

// actions are all that can be done just now: the root's, then those of the
// focused pane.
func (m *Model) actions() []action.Action {
	all := slices.Concat(m.repairs(), m.lookActions(), m.screenActions(), m.focused().Actions())
	if m.linear {
		withoutScreen(all, m.t.Why.NeedsScreen)
	}
	return all
}

// Actions are all actions of the console, for the documentation.
func (m *Model) Actions() []action.Action { return m.actions() }

func (m *Model) lookActions() []action.Action {
	t := &m.t.Actions
	look := func(id, key, name, short string, run func() tea.Cmd, why func() string) action.Action {
		return action.Action{ID: id, Keys: []string{key}, Name: name, Short: short, Group: action.Look, Run: run, Why: why}
	}
	refreshAll := func() tea.Cmd { m.say(widget.Muted, m.t.Screen.Refreshed); return m.refreshAll(true) }
	return []action.Action{
		look("detail", "enter", t.Detail, t.ShortDetail, m.showDetail, m.needRow),
		look("refresh", "r", t.Refresh, t.ShortRefresh, func() tea.Cmd { return m.focused().Refresh(true) }, nil),
		look("refresh-all", "ctrl+r", t.RefreshAll, "", refreshAll, nil),
		look("probe", "p", t.Probe, "", m.probeNow, m.needProbes),
		look("path", "o", t.Path, "", m.followPath, m.needPath),
		look("copy", "c", t.Copy, "", m.copyRow, m.needRow),
		look("copy-error", "C", t.CopyAll, "", m.copyFailure, need(m.failure != "", m.t.Why.NoError)),
		look("bundle", "b", t.Bundle, "", m.writeBundle, m.needBundle),
		look("activity", "a", t.Activity, "", m.showActivity, nil),
		look("config", "e", t.Config, "", m.editConfig, m.idle),
		look("editor", "E", t.Editor, "", m.ownEditor, m.idle),
	}
}

func (m *Model) screenActions() []action.Action {
	t := &m.t.Actions
	screen := func(id, name, short string, run func() tea.Cmd, keys ...string) action.Action {
		return action.Action{ID: id, Keys: keys, Name: name, Short: short, Group: action.Screen, Run: run}
	}
	do := func(f func()) func() tea.Cmd {
		return func() tea.Cmd { f(); return nil }
	}
	n := len(m.panes)
	all := []action.Action{
		screen("help", t.Help, t.ShortHelp, m.showHelp, "?", "f1"),
		screen("palette", t.Palette, t.ShortPalette, m.showPalette, ":", "ctrl+p"),
		screen("next", t.Next, t.ShortPane, do(func() { m.show((m.focus + 1) % n) }), "tab"),
		screen("previous", t.Previous, "", do(func() { m.show((m.focus + n - 1) % n) }), "shift+tab"),
		screen("right", t.Right, "", do(func() { m.sideways(1) }), "right", "l"),
		screen("left", t.Left, "", do(func() { m.sideways(-1) }), "left", "h"),
		screen("back", t.Back, "", m.back, "esc"),
		screen("zoom", t.Zoom, t.ShortZoom, do(func() { m.zoomed = !m.zoomed; m.resize() }), "z"),
		screen("theme", t.Theme, "", do(m.nextTheme), "t"),
		screen("mouse", t.Mouse, "", do(m.switchMouse), "ctrl+o"),
		screen("suspend", t.Suspend, "", func() tea.Cmd { return tea.Suspend }, "ctrl+z"),
		screen("quit", t.Quit, t.ShortQuit, m.quit, "q", "ctrl+c"),
	}
	for i := range m.panes {
		all = append(all, screen(fmt.Sprintf("pane-%d", i+1), fmt.Sprintf(t.Pane, i+1, m.panes[i].Title()), "", do(func() { m.show(i) }), fmt.Sprint(i+1)))
	}
	return all
}

// need makes a reason that holds unless there is true.
func need(there bool, why string) func() string {
	return func() string {
		if there {
			return ""
		}
		return why
	}
}

func (m *Model) idle() string { return need(!m.busy(), m.t.Why.Busy)() }

func (m *Model) needProbes() string {
	if m.o.Tools.AskAgain == nil {
		return m.t.Why.NotHere
	}
	return m.idle()
}

func (m *Model) needRow() string { return need(m.focused().Selected() != "", m.t.Why.NoRow)() }

// back takes filter and marks away; without any, it leads back to all panes.
func (m *Model) back() tea.Cmd {
	if m.focused().Clear() {
		return nil
	}
	m.zoomed = false
	m.show(min(m.focus, gridPanes-1))
	return nil
}

func (m *Model) switchMouse() {
	m.mouse = !m.mouse
	said := m.t.Screen.MouseOff
	if m.mouse {
		said = m.t.Screen.MouseOn
	}
	m.say(widget.Muted, said)
}

func (m *Model) nextTheme() {
	if m.style.colour <= colorprofile.ASCII {
		m.say(widget.Muted, m.t.Why.NoColour)
		return
	}
	m.say(widget.Muted, fmt.Sprintf(m.t.Screen.Theme, m.style.next()))
}

// quit leaves at once, or when the step under way has ended.
func (m *Model) quit() tea.Cmd {
	if m.job == nil {
		return tea.Quit
	}
	m.leaving = true
	m.job.cancel(nil)
	m.activity.Run(m.o.Now(), m.t.Screen.Quitting)
	return nil
}
