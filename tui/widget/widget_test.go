package widget

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"flatnet/core/health"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/themes"
	"flatnet/tui/text"
)

func look(t testing.TB, theme string) *Look {
	t.Helper()
	all, err := themes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, th := range all {
		if th.ID == theme {
			return NewLook(th, Unicode(), text.English())
		}
	}
	t.Fatalf("no theme %q", theme)
	return nil
}

// exactly so many lines, each exactly so wide.
func exactly(t *testing.T, view string, width, height int) {
	t.Helper()
	lines := strings.Split(view, "\n")
	if len(lines) != height {
		t.Errorf("%d lines, want %d:\n%s", len(lines), height, ansi.Strip(view))
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w != width {
			t.Errorf("%d cells, want %d: %q", w, width, ansi.Strip(l))
		}
	}
}

func TestFrame(t *testing.T) {
	l := look(t, "dark")
	for width := 4; width < 60; width++ {
		view := l.Framed(FrameOptions{
			Width: width, Height: 4, Title: "受付システム", Status: l.Status(health.Fail, "二件の異常"),
			Note: l.Paint(Muted, "1/20"), Footer: l.Paint(Muted, "esc close"), Focused: width%2 == 0,
		}, []string{"長い行は切られます。長い行は切られます。長い行は切られます。", "b", "c", "d"})
		exactly(t, view, width, 4)
	}
	if l.Framed(FrameOptions{Width: 3, Height: 9}, nil) != "" {
		t.Error("a frame without room is drawn")
	}
}

func TestOverlay(t *testing.T) {
	base := strings.Repeat(strings.Repeat("漢", 20)+"\n", 9) + strings.Repeat("漢", 20)
	l := look(t, "dark")
	for width := 4; width <= 40; width++ {
		exactly(t, Overlay(base, l.Framed(FrameOptions{Width: width, Height: 4, Title: "x"}, nil), 40, 10), 40, 10)
	}
}

// TestTableAlwaysFits: whatever columns and rows there are, no line is wider
// than the table, there are no more lines than its height, and the row under
// the cursor is among them.
func TestTableAlwaysFits(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	l := look(t, "dark")
	words := []string{"", "a", "forgejo", "受付システム", "a-rather-long-name-for-a-container", "10.87.1.254"}
	for range 300 {
		columns := make([]Column, 1+r.IntN(7))
		for j := range columns {
			columns[j] = Column{Title: words[r.IntN(4)], Right: r.IntN(2) == 0, Drop: r.IntN(4), Min: r.IntN(12)}
		}
		rows := make([]Row, r.IntN(40))
		for i := range rows {
			rows[i].Key = fmt.Sprint(i)
			for range columns {
				rows[i].Cells = append(rows[i].Cells, Cell{Text: words[r.IntN(len(words))], Sign: r.IntN(3) == 0, Tone: Tone(r.IntN(int(tones)))})
			}
		}
		table := NewTable(columns)
		table.SetRows(Prepare(len(columns), rows))
		width, height := 10+r.IntN(90), 2+r.IntN(20)
		table.SetSize(width, height)
		for range 5 {
			table.Move(r.IntN(50) - 20)
			lines := table.View(l, true, false)
			if len(lines) > height {
				t.Fatalf("%d lines in %d", len(lines), height)
			}
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > max(width, 2+len(columns)*(1+gap)) {
					t.Fatalf("%d cells in %d: %q", w, width, ansi.Strip(line))
				}
			}
			if seen := strings.Contains(strings.Join(lines, "\n"), l.Glyphs.Cursor); len(rows) > 0 && !seen {
				t.Fatalf("the cursor is not on the screen:\n%s", ansi.Strip(strings.Join(lines, "\n")))
			}
		}
	}
}

func TestColumnsGoByNeed(t *testing.T) {
	table := NewTable([]Column{{Title: "Name", Min: 4}, {Title: "Age", Drop: 1, Min: 5}, {Title: "Id", Drop: 2, Min: 4}})
	table.SetRows(Prepare(3, []Row{{Key: "1", Cells: []Cell{{Text: "forgejo"}, {Text: "42 min"}, {Text: "0123456789ab"}}}}))
	for width, want := range map[int]string{
		40: "forgejo  42 min  0123456789ab",
		25: "forgejo  42 min  01234…",
		19: "forgejo  42 min",
		11: "forgejo",
		8:  "forge…",
	} {
		table.SetSize(width, 2)
		got := strings.TrimSpace(ansi.Strip(table.View(look(t, "mono"), false, false)[1]))
		if got != want {
			t.Errorf("in %d cells: %q, want %q", width, got, want)
		}
	}
}

func TestClick(t *testing.T) {
	table := NewTable([]Column{{Title: "Name"}})
	var rows []Row
	for i := range 20 {
		rows = append(rows, Row{Key: fmt.Sprint(i), Cells: []Cell{{Text: fmt.Sprint(i)}}})
	}
	table.SetRows(Prepare(1, rows))
	table.SetSize(20, 6)
	table.End()
	if !table.Click(1) || table.Key() != "15" {
		t.Errorf("the first line drawn is row %s, want 15", table.Key())
	}
	if table.Click(0) || table.Click(6) || table.Click(-3) {
		t.Error("the heading or nothing at all can be clicked")
	}
}

func TestSparkline(t *testing.T) {
	l := look(t, "mono")
	if got, want := l.Sparkline([]float64{0.1, 3, 7, 15, 30, 70, 200, 5000, math.NaN()}), "▁▂▃▄▅▆▇█×"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c := Cell{Spark: []float64{0, 0, 5000}}
	if got := c.draw(l, 2); got != "▁█" {
		t.Errorf("the newest two of three are %q", got)
	}
}

func TestConfirm(t *testing.T) {
	now := time.Unix(0, 0)
	plan := repair.Plan{Title: "a \x1b[2Jtitle", Notes: []say.Text{"note"}}
	for i := range 40 {
		plan.Steps = append(plan.Steps, repair.Step{Text: say.Data(fmt.Sprintf("step %d", i)), Command: "rm -rf \x1b]0;x\a/", Diff: "-a\n+b\n"})
	}
	open := func() *Confirm { return NewConfirm(plan, func() time.Time { return now }) }
	l := look(t, "dark")
	c := open()
	for _, size := range [][2]int{{120, 40}, {80, 24}, {60, 15}} {
		view := c.View(l, size[0], size[1])
		if strings.Contains(view, "\x1b[2J") || strings.Contains(view, "\x1b]") {
			t.Error("a plan's text reaches the terminal as it is")
		}
		if !strings.Contains(view, "Cancel") || ansi.StringWidth(strings.Split(view, "\n")[0]) > size[0] {
			t.Errorf("on %v:\n%s", size, ansi.Strip(view))
		}
	}
	for _, keys := range []string{"y", "right enter", "tab enter", "l enter", "up y"} {
		c := open()
		answer := Open
		for _, k := range strings.Fields(keys) {
			answer = c.Key(k, 10)
		}
		if answer != Open {
			t.Errorf("%s within the moment of grace: %v", keys, answer)
		}
		now = now.Add(Grace)
		if keys != "up y" && c.Key(strings.Fields(keys)[len(strings.Fields(keys))-1], 10) != Yes {
			t.Errorf("%s after the moment of grace is no yes", keys)
		}
	}
	for _, k := range []string{"esc", "n", "q", "ctrl+c", "enter"} {
		if open().Key(k, 10) != No {
			t.Errorf("%s is not no", k)
		}
	}
}

func TestActivity(t *testing.T) {
	var a Activity
	for i := range 500 {
		a.Say(time.Unix(int64(i), 0), OK, fmt.Sprintf("did %d", i))
	}
	if len(a.entries) > keptActivities {
		t.Errorf("%d entries are kept", len(a.entries))
	}
	if last, said := a.Last(); last != "did 499" || said != 500 {
		t.Errorf("last %q of %d", last, said)
	}
	l := look(t, "mono")
	a.Run(time.Unix(500, 0), "a long one")
	if line := a.Line(l, 80); !strings.Contains(line, "a long one") || strings.Contains(line, "did 499") {
		t.Errorf("what is under way: %q", line)
	}
	a.Say(time.Unix(501, 0), Muted, "not now")
	if line := a.Line(l, 80); !strings.Contains(line, "a long one") || !strings.Contains(line, "not now") {
		t.Errorf("said meanwhile: %q", line)
	}
	a.End()
	if line := a.Line(l, 80); strings.Contains(line, "a long one") || !strings.Contains(line, "not now") {
		t.Errorf("after it: %q", line)
	}
	if got := ansi.StringWidth(a.Line(l, 30)); got != 30 {
		t.Errorf("the strip has %d cells", got)
	}
}

// TestGraceGoesOn: who types on when a plan appears says yes to nothing,
// however long that takes.
func TestGraceGoesOn(t *testing.T) {
	now := time.Unix(0, 0)
	c := NewConfirm(repair.Plan{Title: "a plan"}, func() time.Time { return now })
	for _, r := range "my way of typing" {
		now = now.Add(Grace / 2)
		if strings.ContainsRune("nqhl ", r) { // no, and keys of the dialog
			continue
		}
		if answer := c.Key(string(r), 10); answer != Open {
			t.Fatalf("%c was taken as an answer: %v", r, answer)
		}
	}
	now = now.Add(Grace)
	if c.Key("y", 10) != Yes {
		t.Error("y after a pause is no yes")
	}
}

// TestOneLongNamePushesNothingOut: a name of 10 kB leaves the other columns
// where they are, and takes what room is left.
func TestOneLongNamePushesNothingOut(t *testing.T) {
	columns := []Column{{Title: "Name", Min: 8, Enough: 20}, {Title: "Age", Drop: 1, Min: 5}}
	for width := 40; width < 120; width++ {
		table := NewTable(columns)
		table.SetSize(width, 5)
		table.SetRows(Prepare(2, []Row{
			{Key: "a", Cells: []Cell{{Text: strings.Repeat("A", 10_000)}, {Text: "9 min"}}},
			{Key: "b", Cells: []Cell{{Text: "wiki"}, {Text: "5 h"}}},
		}))
		lines := table.View(look(t, "mono"), false, false)
		if !strings.Contains(lines[0], "Age") || !strings.Contains(lines[1], "9 min") {
			t.Fatalf("at %d cells:\n%s", width, strings.Join(lines, "\n"))
		}
		if got := ansi.StringWidth(strings.TrimRight(ansi.Strip(lines[1]), " ")); got != width {
			t.Errorf("of %d cells it takes %d", width, got)
		}
	}
}

// TestSortsByWhatIsSeen: no order comes from a column that there is no room for.
func TestSortsByWhatIsSeen(t *testing.T) {
	table := NewTable([]Column{{Title: "Name", Min: 8}, {Title: "Hidden", Drop: 1, Min: 30}, {Title: "State", Min: 8}})
	table.SetSize(30, 5)
	table.SetRows(Prepare(3, []Row{{Key: "a", Cells: []Cell{{Text: "a"}, {Text: strings.Repeat("x", 40)}, {Text: "up"}}}}))
	l := look(t, "mono")
	for i, want := range []string{"Name " + l.Glyphs.Up, "State " + l.Glyphs.Up, "Name  "} {
		table.NextSort()
		if got := ansi.Strip(table.View(l, false, false)[0]); !strings.Contains(got, want) {
			t.Errorf("after %d: %q, want %q", i+1, got, want)
		}
	}
}
