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
	said    int // how many entries there have ever been
}

type activity struct {
	at      time.Time
	tone    Tone
	text    string
	running bool
}

// Say adds an entry. One that runs is replaced by the next.
func (a *Activity) Say(at time.Time, t Tone, s string, running bool) {
	a.said++
	if n := len(a.entries); n > 0 && a.entries[n-1].running {
		a.entries = a.entries[:n-1]
	}
	a.entries = append(a.entries, activity{at: at, tone: t, text: text.Line(s), running: running})
	if len(a.entries) > keptActivities {
		a.entries = a.entries[len(a.entries)-keptActivities:]
	}
}

// Last gives the newest entry as plain text and how many there have been; ""
// if there is none.
func (a *Activity) Last() (string, int) {
	if len(a.entries) == 0 {
		return "", a.said
	}
	return a.entries[len(a.entries)-1].text, a.said
}

// Line draws the newest entry.
func (a *Activity) Line(l *Look, width int) string {
	if len(a.entries) == 0 {
		return text.Fit(l.Paint(Muted, "  "+l.Text.Screen.Idle), width)
	}
	return text.Fit(a.entries[len(a.entries)-1].line(l), width)
}

// Lines draws all entries, newest first.
func (a *Activity) Lines(l *Look, width int) []string {
	var out []string
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
