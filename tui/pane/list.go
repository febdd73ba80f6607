package pane

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"flatnet/core/health"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// kind is what makes one pane differ from another: where its data comes from
// and how that becomes rows, a judgement and a detail. All of it is pure but
// look.
type kind[T any] struct {
	id      ID
	title   string
	columns []widget.Column
	empty   string // what is said when there are no rows
	look    Source[T]
	every   time.Duration // least time between two looks that nobody insists on
	rows    func(v T, now time.Time) []widget.Row
	judge   func(v T) judgement
	note    func(v T) []string             // said below the rows, where there is room; may be nil
	about   func(v T, key string) []string // instead of note: of the row under the cursor
	detail  func(v T, key string) Detail
}

// judgement is how good something is, in a few words.
type judgement struct {
	severity health.Severity
	words    string
	due      int // rows that a repair is for
}

// shown is what a source saw, made ready for drawing where it was loaded, so
// that drawing stays quick however much there is.
type shown[T any] struct {
	value  T
	rows   widget.Rows
	judged judgement
	note   []string
}

// drawnAlike tells whether two answers look the same on the screen. They may
// still differ in what only a detail shows, and in when it was seen.
func (k kind[T]) drawnAlike(a, b shown[T]) bool {
	return a.judged == b.judged && reflect.DeepEqual(a.rows, b.rows) && slices.Equal(a.note, b.note) &&
		(k.about == nil || reflect.DeepEqual(a.value, b.value))
}

// list is a pane that shows one source as a table.
type list[T any] struct {
	kind    kind[T]
	deps    Deps
	feed    feed[shown[T]]
	table   *widget.Table
	filter  textinput.Model
	editing bool
	width   int
	height  int
}

func newList[T any](k kind[T], d Deps) *list[T] {
	p := &list[T]{kind: k, deps: d, table: widget.NewTable(k.columns), filter: widget.NewInput("/")}
	p.feed = feed[shown[T]]{id: k.id, deps: d, look: p.prepared(k), same: k.drawnAlike, every: k.every}
	return p
}

// prepared looks and makes what was seen ready for drawing.
func (p *list[T]) prepared(k kind[T]) Source[shown[T]] {
	now := p.deps.Now
	return func(ctx context.Context) (shown[T], error) {
		v, err := k.look(ctx)
		if err != nil {
			return shown[T]{}, err
		}
		s := shown[T]{value: v, rows: widget.Prepare(len(k.columns), k.rows(v, now())), judged: k.judge(v)}
		if k.note != nil {
			s.note = k.note(v)
		}
		return s, nil
	}
}

// ID implements Pane.
func (p *list[T]) ID() ID { return p.kind.id }

// Title implements Pane.
func (p *list[T]) Title() string { return p.kind.title }

// Init implements Pane.
func (p *list[T]) Init() tea.Cmd { return p.Refresh(false) }

// Refresh implements Pane.
func (p *list[T]) Refresh(insist bool) tea.Cmd {
	if p.kind.look == nil {
		return nil
	}
	return p.feed.refresh(insist)
}

// Busy implements Pane.
func (p *list[T]) Busy() bool { return p.feed.busy }

// Ages implements Pane.
func (p *list[T]) Ages() bool { return p.feed.stale() }

// Resume implements Pane.
func (p *list[T]) Resume(old Pane) {
	if o, ok := old.(interface{ shown() *widget.Table }); ok {
		p.table.Resume(o.shown())
		p.filter.SetValue(p.table.Filtered())
	}
}

// shown is the table, for Resume.
func (p *list[T]) shown() *widget.Table { return p.table }

// SetSize implements Pane.
func (p *list[T]) SetSize(width, height int) {
	p.width, p.height = width, height
	p.resize()
}

// resize gives the table what the frame and the lines around it leave.
func (p *list[T]) resize() {
	w, h := widget.FrameInner(p.width, p.height)
	h -= len(p.reason())
	if p.editing || p.table.Filtered() != "" {
		h--
	}
	p.table.SetSize(w, h)
	p.filter.SetWidth(max(1, w-20))
}

// Update implements Pane.
func (p *list[T]) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case loadedMsg[shown[T]]:
		taken, cmd := p.feed.take(msg)
		if taken && msg.err == nil {
			p.table.SetRows(p.feed.value.rows)
		}
		p.resize()
		return cmd
	case tea.KeyPressMsg:
		return p.typed(msg)
	case tea.PasteMsg:
		return p.input(msg)
	}
	return nil
}

// typed takes a key while the filter is being edited.
func (p *list[T]) typed(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "enter":
		p.endEditing()
	case "esc", "ctrl+c":
		p.filter.Reset()
		p.table.Filter("")
		p.endEditing()
	case "up":
		p.table.Move(-1)
	case "down":
		p.table.Move(1)
	default:
		return p.input(msg)
	}
	return nil
}

func (p *list[T]) input(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	p.filter, cmd = p.filter.Update(msg)
	p.table.Filter(text.Line(p.filter.Value()))
	return cmd
}

func (p *list[T]) endEditing() {
	p.editing = false
	p.filter.Blur()
	p.resize()
}

// Editing implements Pane.
func (p *list[T]) Editing() bool { return p.editing }

// Selected implements Pane.
func (p *list[T]) Selected() string { return p.table.Key() }

// Marked implements Pane.
func (p *list[T]) Marked() []string { return p.table.Marks() }

// Detail implements Pane.
func (p *list[T]) Detail() Detail {
	if p.table.Key() == "" {
		return Detail{}
	}
	return p.kind.detail(p.feed.value.value, p.table.Key())
}

// Click implements Pane: the frame and the lines above the table come first.
func (p *list[T]) Click(_, y int) {
	p.table.Click(y - 1 - len(p.reason()))
}

// State implements Pane.
func (p *list[T]) State() (health.Severity, string) {
	t := p.deps.Text
	switch {
	case p.kind.look == nil:
		return health.Unknown, t.State.NoSource
	case !p.feed.known() && p.feed.reason == "":
		return health.Unknown, t.State.Looking
	case !p.feed.known():
		return health.Unknown, t.State.NotSeen
	case p.feed.stale():
		return p.feed.overall(p.feed.value.judged.severity), t.SeenAgo(p.deps.Now().Sub(p.feed.at))
	}
	return p.feed.value.judged.severity, p.feed.value.judged.words
}

// Linear implements Pane. Nothing is said before the first answer.
func (p *list[T]) Linear() []Line {
	if !p.feed.known() && p.feed.reason == "" && p.kind.look != nil {
		return nil
	}
	severity, words := p.State()
	said := p.kind.title + ": " + widget.Word(severity, p.deps.Text)
	if words != "" {
		said += p.deps.Text.State.And + words
	}
	if p.feed.reason != "" {
		said += ": " + p.feed.reason
	}
	out := []Line{{Key: string(p.kind.id), Text: said}}
	keys, lines := p.feed.value.rows.Linear(p.kind.columns, p.deps.Text)
	for _, k := range keys {
		out = append(out, Line{Key: string(p.kind.id) + " " + k, Text: p.kind.title + ": " + lines[k]})
	}
	for i, n := range p.feed.value.note {
		out = append(out, Line{Key: fmt.Sprintf("%s note %d", p.kind.id, i), Text: p.kind.title + ": " + n})
	}
	return out
}

// View implements Pane.
func (p *list[T]) View(l *widget.Look, focused bool) string {
	severity, words := p.State()
	var lines []string
	for i, said := range p.reason() {
		sign := " "
		if i == 0 {
			sign = l.Glyphs.Unknown
		}
		lines = append(lines, l.Paint(widget.Unknown, sign+" "+said))
	}
	lines = append(lines, p.body(l, focused)...)
	lines = p.withNote(l, lines)
	if p.editing || p.table.Filtered() != "" {
		lines = p.withFilter(l, lines)
	}
	return l.Framed(widget.FrameOptions{
		Width: p.width, Height: p.height, Focused: focused,
		Title: p.kind.title, Status: l.Status(severity, words), Footer: p.position(l),
	}, lines)
}

// reasonLines is how much of a reason is shown above old data; without data
// all of it is.
const reasonLines = 2

// reason is why the last look failed, in lines.
func (p *list[T]) reason() []string {
	if p.feed.reason == "" {
		return nil
	}
	w, h := widget.FrameInner(p.width, p.height)
	lines := text.Wrap(p.feed.reason, w-2)
	if p.feed.known() {
		h = min(h/2, reasonLines)
	}
	if len(lines) > h && h > 0 {
		lines[h-1] = text.Cut(lines[h-1]+" "+lines[h], w-2)
	}
	return lines[:min(len(lines), h)]
}

// body is the table, or what is said instead of it.
func (p *list[T]) body(l *widget.Look, focused bool) []string {
	t := p.deps.Text
	switch {
	case p.table.Shown() > 0:
		return p.table.View(l, focused, p.feed.stale())
	case !p.feed.known():
		return p.hint(l)
	case p.table.Len() > 0:
		return []string{l.Paint(widget.Muted, t.State.NoMatch)}
	}
	return paragraph(l, p.kind.empty, p.width-4)
}

// hint is what can be done where nothing could be seen yet.
func (p *list[T]) hint(l *widget.Look) []string {
	if p.feed.hint == "" {
		return nil
	}
	return paragraph(l, p.feed.hint, p.width-4)
}

func paragraph(l *widget.Look, s string, width int) []string {
	lines := text.Wrap(s, width)
	for i := range lines {
		lines[i] = l.Paint(widget.Muted, lines[i])
	}
	return lines
}

// withNote says what is to be said about all rows, or about the one under the
// cursor, below them, as far as there is room.
func (p *list[T]) withNote(l *widget.Look, lines []string) []string {
	w, h := widget.FrameInner(p.width, p.height)
	note := p.feed.value.note
	if p.kind.about != nil {
		note = p.kind.about(p.feed.value.value, p.table.Key())
	}
	for _, s := range note {
		room := h - len(lines) - 1
		if room < 1 {
			break
		}
		said := text.Wrap(s, w)
		if len(said) > room {
			said[room-1] = text.Cut(said[room-1]+" "+said[room]+" "+l.Glyphs.More, w)
		}
		lines = append(lines, "")
		for _, line := range said[:min(len(said), room)] {
			lines = append(lines, l.Paint(widget.Muted, line))
		}
	}
	return lines
}

// withFilter puts the filter on the last line of the frame.
func (p *list[T]) withFilter(l *widget.Look, lines []string) []string {
	_, h := widget.FrameInner(p.width, p.height)
	for len(lines) < h-1 {
		lines = append(lines, "")
	}
	line := l.Paint(widget.Match, "/"+p.table.Filtered())
	if p.editing {
		line = p.filter.View()
	}
	count := fmt.Sprintf("  %d/%d", p.table.Shown(), p.table.Len())
	return append(lines[:max(0, h-1)], line+l.Paint(widget.Muted, count))
}

// position tells at the lower edge where the cursor is and how many rows are
// marked.
func (p *list[T]) position(l *widget.Look) string {
	var s string
	if n := p.table.Marked(); n > 0 {
		s = l.Paint(widget.Marked, fmt.Sprintf(p.deps.Text.Screen.Marked, n))
	}
	if at, of, scrolls := p.table.Position(); scrolls {
		if s != "" {
			s += l.Paint(widget.Muted, " "+l.Glyphs.Dot+" ")
		}
		s += l.Paint(widget.Muted, fmt.Sprintf("%d/%d", at, of))
	}
	return s
}
