package tui

import (
	"flatnet/tui/pane"
)

// Sizes that decide the layout, in cells.
const (
	minWidth, minHeight   = 60, 15
	gridWidth, gridHeight = 100, 22
	stackHeight           = 44
	gridPanes             = 4 // the first ones; findings are shown alone
)

// layout is how the panes are arranged.
type layout int

const (
	tooSmall layout = iota
	tabs            // one pane, and a line that names all of them
	stack           // all in one column
	grid            // two by two
)

func (m *Model) layout() layout {
	switch {
	case m.width < minWidth || m.height < minHeight:
		return tooSmall
	case m.zoomed || m.focus >= gridPanes:
		return tabs
	case m.width >= gridWidth && m.height >= gridHeight:
		return grid
	case m.height >= stackHeight:
		return stack
	}
	return tabs
}

// place is where a pane is drawn.
type place struct {
	pane          pane.Pane
	index         int
	x, y          int
	width, height int
}

// places gives the panes that are drawn just now. The header, the activity
// strip and the line of keys take three lines, the tabs one more.
func (m *Model) places() []place {
	body := m.height - 3
	switch m.layout() {
	case grid:
		return m.gridPlaces(body)
	case stack:
		return m.stackPlaces(body)
	case tabs:
		return []place{{pane: m.focused(), index: m.focus, y: 2, width: m.width, height: body - 1}}
	case tooSmall:
	}
	return nil
}

func (m *Model) gridPlaces(body int) []place {
	left := m.width / 2
	right := m.width - left
	top := max(body*2/5, min(10, body/2))
	return []place{
		{m.panes[0], 0, 0, 1, left, top},
		{m.panes[1], 1, 0, 1 + top, left, body - top},
		{m.panes[2], 2, left, 1, right, top},
		{m.panes[3], 3, left, 1 + top, right, body - top},
	}
}

func (m *Model) stackPlaces(body int) []place {
	places := make([]place, 0, gridPanes)
	y := 1
	for i := range gridPanes {
		h := body / gridPanes
		if i == gridPanes-1 {
			h = body - (y - 1)
		}
		places = append(places, place{m.panes[i], i, 0, y, m.width, h})
		y += h
	}
	return places
}

// resize tells the panes that are drawn how large they are.
func (m *Model) resize() {
	for _, p := range m.places() {
		p.pane.SetSize(p.width, p.height)
	}
}

// click focuses what is under the mouse and puts its cursor there.
func (m *Model) click(x, y int) {
	if m.dialog != nil {
		return
	}
	if p, ok := m.placeAt(x, y); ok {
		m.show(p.index)
		p.pane.Click(x-p.x, y-p.y)
		return
	}
	if m.layout() == tabs && y == 1 {
		m.show(m.tabAt(x))
	}
}

// placeAt gives the pane that is drawn there.
func (m *Model) placeAt(x, y int) (place, bool) {
	for _, p := range m.places() {
		if x >= p.x && x < p.x+p.width && y >= p.y && y < p.y+p.height {
			return p, true
		}
	}
	return place{}, false
}

// sideways focuses the pane beside the focused one; where panes do not stand
// beside each other, the next or the previous one.
func (m *Model) sideways(by int) {
	n := len(m.panes)
	if m.layout() != grid {
		m.show((m.focus + n + by) % n)
		return
	}
	if to := m.focus + 2*by; to >= 0 && to < gridPanes { // two to a column
		m.show(to)
	}
}
