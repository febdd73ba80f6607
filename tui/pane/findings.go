package pane

import (
	"fmt"
	"slices"
	"time"

	"flatnet/core/health"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// FindingsID is the findings pane's.
const FindingsID ID = "findings"

// Findings is the pane of everything that was checked, the worst first.
type Findings struct{ *list[[]health.Finding] }

// NewFindings makes the pane of everything that was checked.
func NewFindings(look Source[[]health.Finding], d Deps) Findings {
	t := findingTexts{&d.Text.Findings, d.Text}
	columns := []widget.Column{{Title: t.State, Min: 8}, {Title: t.What, Min: 16}, {Title: t.Target, Drop: 2, Min: 8}, {Title: t.Code, Drop: 1, Min: 8}}
	return Findings{newList(kind[[]health.Finding]{
		id: FindingsID, title: d.Text.Panes.Findings, columns: columns, empty: d.Text.Screen.NoFindings, look: look,
		rows: t.rows, judge: t.judge, about: t.about, detail: t.detail,
	}, d)}
}

// Known tells whether the checks have run at least once.
func (p Findings) Known() bool { return p.feed.known() }

// Bad gives the findings that are not ok, the worst first.
func (p Findings) Bad() []health.Finding {
	return slices.DeleteFunc(slices.Clone(p.feed.value.value), func(f health.Finding) bool { return f.Severity == health.OK })
}

// Finding gives the one under the cursor.
func (p Findings) Finding() (health.Finding, bool) {
	for _, f := range p.feed.value.value {
		if findingKey(f) == p.Selected() {
			return f, true
		}
	}
	return health.Finding{}, false
}

// findingKey tells findings apart over looks.
func findingKey(f health.Finding) string { return string(f.Code) + " " + f.Target }

type findingTexts struct {
	*text.Findings
	all *text.Texts
}

func (t findingTexts) rows(all []health.Finding, _ time.Time) []widget.Row {
	rows := make([]widget.Row, 0, len(all))
	for i, f := range all {
		tone := widget.ToneOf(f.Severity)
		rows = append(rows, widget.Row{Key: findingKey(f), Cells: []widget.Cell{
			{Text: t.word(f.Severity), Tone: tone, Sign: true, Sort: fmt.Sprintf("%04d", i)},
			{Text: t.all.Say(f.Title)},
			{Text: text.Line(f.Target), Tone: widget.Muted},
			{Text: string(f.Code), Tone: widget.Muted},
		}})
	}
	return rows
}

func (t findingTexts) word(s health.Severity) string { return widget.Word(s, t.all) }

// about says the finding in full and what to do about it.
func (t findingTexts) about(all []health.Finding, key string) []string {
	for _, f := range all {
		if findingKey(f) != key {
			continue
		}
		said := []string{t.all.Say(f.Title)}
		if f.Remedy != "" {
			said = append(said, t.all.Say(f.Remedy))
		}
		return said
	}
	return nil
}

func (t findingTexts) judge(all []health.Finding) judgement {
	if len(all) == 0 {
		return judgement{severity: health.OK, words: t.all.Screen.AllGood}
	}
	worst, n := health.OK, map[health.Severity]int{}
	for _, f := range all {
		worst = health.Worst(worst, f.Severity)
		n[f.Severity]++
	}
	return judgement{severity: worst, words: fmt.Sprintf(t.Sum, n[worst], t.word(worst))}
}

func (t findingTexts) detail(all []health.Finding, key string) Detail {
	for _, f := range all {
		if findingKey(f) != key {
			continue
		}
		d := Detail{Title: t.all.Say(f.Title), Fields: []Field{{Name: t.State, Text: t.word(f.Severity), Tone: widget.ToneOf(f.Severity)}}}
		for _, x := range [][2]string{
			{t.Target, text.Line(f.Target)},
			{t.Seen, t.all.SayAll(f.Detail)},
			{t.Remedy, t.all.SayAll(f.Remedy)},
			{t.Since, stamp(f.Since)},
			{t.Code, string(f.Code)},
		} {
			d.Fields = append(d.Fields, field(x[0], x[1])...)
		}
		return d
	}
	return Detail{}
}
