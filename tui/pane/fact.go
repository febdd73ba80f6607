package pane

import (
	"flatnet/core/health"
	"flatnet/tui/widget"
)

// fact is one line of a pane that says how single things are: a name, a value
// with its state, and a remark. severity "" is no judgement.
type fact struct {
	key, label  string
	severity    health.Severity
	value, note string
	fields      []Field // for the detail
}

// factColumns are those of a pane made of facts; it has no heading.
func factColumns() []widget.Column {
	return []widget.Column{{Min: 8}, {Min: 12}, {Drop: 1, Min: 6}}
}

func factRows(facts []fact) []widget.Row {
	rows := make([]widget.Row, 0, len(facts))
	for _, f := range facts {
		value := widget.Cell{Text: f.value, Sign: true}
		if f.severity != "" {
			value.Tone = widget.ToneOf(f.severity)
		}
		rows = append(rows, widget.Row{Key: f.key, Cells: []widget.Cell{
			{Text: f.label, Tone: widget.Muted}, value, {Text: f.note, Tone: widget.Muted},
		}})
	}
	return rows
}

// judgeFacts gives the worst of them with its own words, or words if all are
// well.
func judgeFacts(facts []fact, words string) judgement {
	worst := judgement{severity: health.OK, words: words}
	for _, f := range facts {
		if f.severity != "" && health.Worst(worst.severity, f.severity) != worst.severity {
			worst = judgement{severity: f.severity, words: f.label + ": " + f.value}
		}
	}
	return worst
}

// factDetail is the detail of the fact of that key.
func factDetail(facts []fact, key string) Detail {
	for _, f := range facts {
		if f.key != key {
			continue
		}
		d := Detail{Title: f.label}
		tone := widget.Plain
		if f.severity != "" {
			tone = widget.ToneOf(f.severity)
		}
		d.Fields = append(d.Fields, Field{Name: f.label, Text: f.value, Tone: tone})
		if f.note != "" {
			d.Fields = append(d.Fields, Field{Text: f.note, Tone: widget.Muted})
		}
		d.Fields = append(d.Fields, f.fields...)
		return d
	}
	return Detail{}
}

// field makes a field, or nothing where there is no text.
func field(name, value string) []Field {
	if value == "" {
		return nil
	}
	return []Field{{Name: name, Text: value}}
}
