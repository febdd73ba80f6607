package widget

import (
	"cmp"
	"slices"
	"strings"

	"flatnet/tui/text"
)

// Column is one column of a table.
type Column struct {
	Title  string
	Right  bool // numbers stand at the right
	Drop   int  // 0: always shown; else the highest goes first where it is narrow
	Min    int  // cells below which the column is not shrunk
	Enough int  // cells beyond which it pushes no other column out; 0: no bound
	// Restless values change all the time (ages, latencies): a linear text
	// leaves them out.
	Restless bool
}

// Cell is one value of a row.
type Cell struct {
	Text  string // cleaned
	Sort  string // what it is sorted by; "" : Text
	Tone  Tone
	Sign  bool      // the sign of its tone stands before the text
	Spark []float64 // a sparkline instead of text: milliseconds, NaN for none
}

// width is the number of cells that it takes.
func (c Cell) width() int {
	w := text.Width(c.Text)
	if c.Sign {
		w += 2
	}
	return max(w, len(c.Spark))
}

// draw is its text with what belongs to it, not painted. Of a sparkline the
// newest values are drawn that there is room for.
func (c Cell) draw(l *Look, width int) string {
	switch {
	case c.Spark != nil:
		return l.Sparkline(c.Spark[max(0, len(c.Spark)-width):])
	case c.Sign:
		return l.Sign(c.Tone) + " " + c.Text
	}
	return c.Text
}

func (c Cell) order() string {
	if c.Sort != "" {
		return c.Sort
	}
	return c.Text
}

// Row is one line of a table. Key stays the same over refreshes, so that
// cursor and marks stay where they are.
type Row struct {
	Key    string
	Near   string // what it is about, for the cursor where Key is gone; may be ""
	Cells  []Cell
	search string
}

// Rows are prepared for a table: measured, and with their text to search in.
// That is the dear part, and it is done where the data is loaded, not while
// drawing.
type Rows struct {
	rows   []Row
	widths []int // widest cell of each column
}

// Prepare measures rows of so many columns.
func Prepare(columns int, rows []Row) Rows {
	widths := make([]int, columns)
	var b strings.Builder
	for i := range rows {
		b.Reset()
		for j, c := range rows[i].Cells {
			widths[j] = max(widths[j], c.width())
			b.WriteString(c.Text)
			b.WriteByte('\n')
		}
		rows[i].search = strings.ToLower(b.String())
	}
	return Rows{rows: rows, widths: widths}
}

// Len is the number of rows.
func (r Rows) Len() int { return len(r.rows) }

// Linear gives each row as one line of plain text, by key: the cells' text
// with commas between, and the word of a state that is not ok.
func (r Rows) Linear(columns []Column, t *text.Texts) (keys []string, lines map[string]string) {
	lines = make(map[string]string, len(r.rows))
	for _, row := range r.rows {
		var words []string
		for j, c := range row.Cells {
			if c.Text == "" || columns[j].Restless {
				continue
			}
			words = append(words, c.Text+stateWord(c, t))
		}
		keys = append(keys, row.Key)
		lines[row.Key] = strings.Join(words, t.State.And)
	}
	return keys, lines
}

// stateWord adds a state's word where it is not ok and the text does not say
// so itself.
func stateWord(c Cell, t *text.Texts) string {
	word := ""
	switch c.Tone {
	case Warn:
		word = t.State.Warn
	case Fail:
		word = t.State.Fail
	case Unknown:
		word = t.State.Unknown
	default:
	}
	if !c.Sign || word == "" || word == c.Text {
		return ""
	}
	return " (" + word + ")"
}

// pick gives the indices of the rows that contain filter, sorted by a column
// (-1: as they came). Equal ones keep their order.
func (r Rows) pick(filter string, column int, down bool) []int {
	filter = strings.ToLower(filter)
	shown := make([]int, 0, len(r.rows))
	for i := range r.rows {
		if filter == "" || strings.Contains(r.rows[i].search, filter) {
			shown = append(shown, i)
		}
	}
	if column < 0 {
		return shown
	}
	slices.SortFunc(shown, func(a, b int) int {
		c := strings.Compare(r.rows[a].Cells[column].order(), r.rows[b].Cells[column].order())
		if down {
			c = -c
		}
		return cmp.Or(c, a-b)
	})
	return shown
}
