package widget

import (
	"slices"
	"strings"

	"flatnet/tui/text"
)

// gap is the number of cells between two columns.
const gap = 2

// Table shows rows of which any number may be there: it draws only those that
// are on the screen. Cursor and marks go by the rows' keys.
type Table struct {
	columns []Column
	rows    Rows
	shown   []int // indices into rows, filtered and sorted
	cursor  int   // index into shown
	top     int   // first line drawn
	height  int
	width   int
	filter  string
	sort    int // column, -1: as they came
	down    bool
	marks   map[string]bool
}

// NewTable makes an empty table, in the order in which rows come.
func NewTable(columns []Column) *Table {
	return &Table{columns: columns, sort: -1, marks: map[string]bool{}}
}

// SetSize gives the table its room, heading included.
func (t *Table) SetSize(width, height int) {
	t.width, t.height = width, height
	t.scroll()
}

// Resume goes on where another table was: its rows, until there are new ones,
// its cursor, filter, order and marks.
func (t *Table) Resume(old *Table) {
	t.rows, t.shown, t.cursor, t.top = old.rows, old.shown, old.cursor, old.top
	t.filter, t.sort, t.down, t.marks = old.filter, old.sort, old.down, old.marks
	t.scroll()
}

// SetRows shows other rows. The cursor stays on its row; if that is gone, on
// its line. Marks of rows that are gone go too.
func (t *Table) SetRows(r Rows) {
	key, near := t.Key(), t.near()
	t.rows = r
	if len(t.marks) > 0 {
		there := make(map[string]bool, len(t.marks))
		for i := range r.rows {
			if t.marks[r.rows[i].Key] {
				there[r.rows[i].Key] = true
			}
		}
		t.marks = there
	}
	t.choose(key)
	if near != "" && t.Key() != key {
		t.goNear(near)
	}
}

// near is what the row under the cursor is about, "" if it does not say.
func (t *Table) near() string {
	if t.Key() == "" {
		return ""
	}
	return t.rows.rows[t.shown[t.cursor]].Near
}

// goNear puts the cursor on the first row about near, where there is one.
func (t *Table) goNear(near string) {
	for i, n := range t.shown {
		if t.rows.rows[n].Near == near {
			t.cursor = i
			t.scroll()
			return
		}
	}
}

// choose picks and sorts again and puts the cursor on key, where it is shown.
func (t *Table) choose(key string) {
	t.shown = t.rows.pick(t.filter, t.sort, t.down)
	if key != "" {
		for i, n := range t.shown {
			if t.rows.rows[n].Key == key {
				t.cursor = i
				break
			}
		}
	}
	t.scroll()
}

// Filter shows only rows that contain s, in any column, whatever the case.
func (t *Table) Filter(s string) {
	key := t.Key()
	t.filter = s
	t.choose(key)
}

// Filtered gives the filter's text.
func (t *Table) Filtered() string { return t.filter }

// NextSort sorts by the next column that is drawn; after the last, as the rows
// came.
func (t *Table) NextSort() {
	if !t.headed() {
		return
	}
	key := t.Key()
	widths := t.layout()
	for t.sort++; t.sort < len(widths) && widths[t.sort] == 0; t.sort++ {
	}
	if t.sort == len(t.columns) {
		t.sort = -1
	}
	t.down = false
	t.choose(key)
}

// Reverse turns the sort order round; unsorted rows sort by the first column.
func (t *Table) Reverse() {
	if !t.headed() {
		return
	}
	key := t.Key()
	if t.sort < 0 {
		t.sort = 0
	}
	t.down = !t.down
	t.choose(key)
}

// Move moves the cursor by so many rows.
func (t *Table) Move(by int) {
	t.cursor += by
	t.scroll()
}

// Page moves by so many screenfuls.
func (t *Table) Page(by int) { t.Move(by * max(1, t.lines()-1)) }

// Home and End go to the first and the last row.
func (t *Table) Home() { t.Move(-len(t.shown)) }

// End goes to the last row.
func (t *Table) End() { t.Move(len(t.shown)) }

// Click puts the cursor on the row drawn in that line of the table and tells
// whether there is one.
func (t *Table) Click(line int) bool {
	if t.headed() {
		line--
	}
	i := t.top + line
	if line < 0 || line >= t.lines() || i >= len(t.shown) {
		return false
	}
	t.cursor = i
	return true
}

// Len and Shown are the numbers of all rows and of those that pass the filter.
func (t *Table) Len() int { return len(t.rows.rows) }

// Shown is the number of rows that pass the filter.
func (t *Table) Shown() int { return len(t.shown) }

// Key is the key of the row under the cursor, "" if there is none.
func (t *Table) Key() string {
	if t.cursor < 0 || t.cursor >= len(t.shown) {
		return ""
	}
	return t.rows.rows[t.shown[t.cursor]].Key
}

// headed tells whether there is a line of column titles.
func (t *Table) headed() bool {
	for _, c := range t.columns {
		if c.Title != "" {
			return true
		}
	}
	return false
}

// lines is how many rows there is room for.
func (t *Table) lines() int {
	if t.headed() {
		return max(0, t.height-1)
	}
	return max(0, t.height)
}

// scroll keeps the cursor among the rows and on the screen.
func (t *Table) scroll() {
	t.cursor = min(max(t.cursor, 0), max(0, len(t.shown)-1))
	lines := t.lines()
	if t.cursor < t.top {
		t.top = t.cursor
	}
	if t.cursor >= t.top+lines {
		t.top = t.cursor - lines + 1
	}
	t.top = min(max(t.top, 0), max(0, len(t.shown)-lines))
}

// Position tells where the cursor is among the shown rows, as "3/240"; ""
// where all of them are on the screen.
func (t *Table) Position() (at, of int, scrolls bool) {
	return t.cursor + 1, len(t.shown), len(t.shown) > t.lines()
}

// View draws heading and rows; the cursor only where the table is focused.
// Old rows are drawn muted, whatever they say.
func (t *Table) View(l *Look, focused, old bool) []string {
	widths := t.layout()
	out := make([]string, 0, t.height)
	if t.headed() {
		out = append(out, t.heading(l, widths))
	}
	for i := t.top; i < len(t.shown) && len(out) < t.height; i++ {
		row := t.rows.rows[t.shown[i]]
		out = append(out, t.row(l, widths, row, rowState{current: focused && i == t.cursor, old: old}))
	}
	return out
}

func (t *Table) heading(l *Look, widths []int) string {
	parts := make([]string, 0, len(widths))
	for j, w := range widths {
		if w == 0 {
			continue
		}
		title := t.columns[j].Title
		if j == t.sort {
			sign := l.Glyphs.Up
			if t.down {
				sign = l.Glyphs.Down
			}
			title = text.Cut(title, w-2) + " " + sign
		}
		parts = append(parts, l.Paint(Heading, fit(title, w, t.columns[j].Right)))
	}
	return "  " + strings.Join(parts, strings.Repeat(" ", gap))
}

// rowState is what a row's drawing depends on besides its cells.
type rowState struct{ current, old bool }

func (t *Table) row(l *Look, widths []int, r Row, state rowState) string {
	var b strings.Builder
	sign, tone := " ", Marked
	switch {
	case t.marks[r.Key]:
		sign = l.Glyphs.Mark
	case state.current:
		sign, tone = l.Glyphs.Cursor, Accent
	}
	if state.current {
		b.WriteString(sign + " ")
	} else {
		b.WriteString(l.Paint(tone, sign) + " ")
	}
	first := true
	for j, w := range widths {
		if w == 0 {
			continue
		}
		if !first {
			b.WriteString(strings.Repeat(" ", gap))
		}
		first = false
		s := fit(r.Cells[j].draw(l, w), w, t.columns[j].Right)
		switch {
		case state.current:
		case state.old:
			s = l.Paint(Muted, s)
		default:
			s = l.Paint(r.Cells[j].Tone, s)
		}
		b.WriteString(s)
	}
	if state.current {
		return l.Paint(Selected, text.Fit(b.String(), t.width))
	}
	return b.String()
}

func fit(s string, w int, right bool) string {
	if right {
		return text.FitRight(s, w)
	}
	return text.Fit(s, w)
}

// layout gives each column its width: as wide as its widest cell; where that
// is too much, the columns that are needed least shrink and then go, one after
// the other, and the widest of those that must stay shrink last. 0: the column
// is not drawn.
func (t *Table) layout() []int {
	widths := make([]int, len(t.columns))
	for j, c := range t.columns {
		if c.Title != "" {
			widths[j] = text.Width(c.Title) + 2
		}
		if j < len(t.rows.widths) {
			widths[j] = max(widths[j], t.rows.widths[j])
		}
	}
	room := t.width - 2
	full := t.moderate(widths, room)
	for _, j := range t.byNeed() {
		if over := total(widths) - room; over > 0 {
			widths[j] = max(t.columns[j].Min, widths[j]-over)
		}
		if total(widths) > room {
			widths[j] = 0
		}
	}
	for total(widths) > room && t.shrink(widths) {
	}
	for j, w := range full {
		if spare := room - total(widths); spare > 0 && widths[j] > 0 {
			widths[j] = min(w, widths[j]+spare)
		}
	}
	return widths
}

// moderate takes columns back to what is enough for them where there is too
// little room for all, and gives how wide they would be.
func (t *Table) moderate(widths []int, room int) []int {
	full := slices.Clone(widths)
	if total(widths) <= room {
		return full
	}
	for j, c := range t.columns {
		if c.Enough > 0 {
			widths[j] = min(widths[j], c.Enough)
		}
	}
	return full
}

// byNeed gives the columns that may go, the least needed first.
func (t *Table) byNeed() []int {
	var out []int
	for j, c := range t.columns {
		if c.Drop > 0 {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b int) int { return t.columns[b].Drop - t.columns[a].Drop })
	return out
}

// total is the width of all drawn columns and the gaps between them.
func total(widths []int) int {
	sum := 0
	for _, w := range widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return max(0, sum-gap)
}

// shrink takes one cell from the widest column that may give one.
func (t *Table) shrink(widths []int) bool {
	widest := -1
	for j, w := range widths {
		if w > 1 && (widest < 0 || w > widths[widest]) {
			widest = j
		}
	}
	if widest < 0 {
		return false
	}
	widths[widest]--
	return true
}
