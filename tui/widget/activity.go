package widget

import (
	"time"

	"flatnet/tui/text"
)

// keptActivities is how many entries the activity strip remembers.
const keptActivities = 200

// Activity is what was done, is being done, or failed, newest last.
type Activity struct {
	entries []activity
	said    int       // how many entries there have ever been
	running *activity // what is under way; nil: nothing
}

type activity struct {
	at      time.Time
	tone    Tone
	text    string
	running bool
}

// Run says what is under way, until End.
func (a *Activity) Run(at time.Time, s string) {
	a.said++
	a.running = &activity{at: at, tone: Accent, text: text.Line(s), running: true}
}

// End says that nothing is under way any more.
func (a *Activity) End() { a.running = nil }

// Say adds an entry.
func (a *Activity) Say(at time.Time, t Tone, s string) {
	a.said++
	a.entries = append(a.entries, activity{at: at, tone: t, text: text.Line(s)})
	if len(a.entries) > keptActivities {
		a.entries = a.entries[len(a.entries)-keptActivities:]
	}
}

// latest are what is under way and the newest entry, as far as they are there
// and the entry is not older.
func (a *Activity) latest() []activity {
	var out []activity
	if a.running != nil {
		out = append(out, *a.running)
	}
	if n := len(a.entries); n > 0 && (a.running == nil || !a.entries[n-1].at.Before(a.running.at)) {
		out = append(out, a.entries[n-1])
	}
	return out
}

// Last gives the newest of what was said as plain text and how much there has
// been; "" if there is none.
func (a *Activity) Last() (string, int) {
	all := a.latest()
	if len(all) == 0 {
		return "", a.said
	}
	return all[len(all)-1].text, a.said
}

// Line draws what is under way, and what was said since; else the newest entry.
func (a *Activity) Line(l *Look, width int) string {
	all := a.latest()
	if len(all) == 0 {
		return text.Fit(l.Paint(Muted, "  "+l.Text.Screen.Idle), width)
	}
	line := all[0].line(l)
	for _, e := range all[1:] {
		line = text.Cut(line, max(width/2, width-text.Width(e.text)-3))
		line += l.Paint(Muted, " "+l.Glyphs.Dot+" ") + l.Paint(e.tone, e.text)
	}
	return text.Fit(line, width)
}

// Lines draws all entries, newest first.
func (a *Activity) Lines(l *Look, width int) []string {
	var out []string
	if a.running != nil {
		out = l.Indented(a.running.lead(l), Plain, a.running.text, width)
	}
	for i := len(a.entries) - 1; i >= 0; i-- {
		e := a.entries[i]
		out = append(out, l.Indented(e.lead(l), Plain, e.text, width)...)
	}
	if out == nil {
		out = []string{l.Paint(Muted, l.Text.Screen.Idle)}
	}
	return out
}

func (e activity) line(l *Look) string { return e.lead(l) + l.Paint(Plain, e.text) }

func (e activity) lead(l *Look) string {
	sign := l.Sign(e.tone)
	if e.running {
		sign = l.Glyphs.Busy
	}
	return l.Paint(e.tone, " "+sign) + l.Paint(Muted, " "+e.at.Local().Format("15:04:05")+" ")
}
