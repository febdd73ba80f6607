package pane

import (
	tea "charm.land/bubbletea/v2"

	"flatnet/tui/action"
)

// Actions implements Pane: moving about, filtering, sorting, marking.
func (p *list[T]) Actions() []action.Action {
	t := &p.deps.Text.Actions
	do := func(f func()) func() tea.Cmd {
		return func() tea.Cmd { f(); return nil }
	}
	list := func(id, name string, f func(), keys ...string) action.Action {
		return action.Action{ID: id, Keys: keys, Name: name, Group: action.List, Run: do(f)}
	}
	filter := list("filter", t.Filter, p.startFilter, "/")
	filter.Short = t.ShortFilter
	return []action.Action{
		list("up", t.Up, func() { p.table.Move(-1) }, "up", "k"),
		list("down", t.Down, func() { p.table.Move(1) }, "down", "j"),
		list("page-up", t.PageUp, func() { p.table.Page(-1) }, "pgup", "ctrl+b"),
		list("page-down", t.PageDown, func() { p.table.Page(1) }, "pgdown", "ctrl+f"),
		list("first", t.First, p.table.Home, "home", "g"),
		list("last", t.Last, p.table.End, "end"),
		filter,
		list("sort", t.Sort, p.table.NextSort, "s"),
		list("reverse", t.Reverse, p.table.Reverse, "S"),
		list("mark", t.Mark, p.table.Mark, "space"),
		list("mark-all", t.MarkAll, p.table.MarkAll, "*"),
	}
}

func (p *list[T]) startFilter() {
	p.editing = true
	p.filter.Focus()
	p.resize()
}

// Clear implements Pane.
func (p *list[T]) Clear() bool {
	if p.table.Filtered() == "" && p.table.Marked() == 0 {
		return false
	}
	p.filter.Reset()
	p.table.Filter("")
	p.table.Unmark()
	p.resize()
	return true
}
