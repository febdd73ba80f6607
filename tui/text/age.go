package text

import (
	"fmt"
	"time"
)

// Age tells how long ago something was, coarsely, so that a screen on which
// nothing happens changes rarely: below a minute in tens of seconds, then in
// whole minutes, hours, days.
func (t *Texts) Age(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return t.Ages.Now
	case d < time.Minute:
		return fmt.Sprintf(t.Ages.Seconds, int(d.Seconds())/10*10)
	case d < time.Hour:
		return fmt.Sprintf(t.Ages.Minutes, int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf(t.Ages.Hours, int(d.Hours()))
	}
	return fmt.Sprintf(t.Ages.Days, int(d.Hours()/24))
}

// SeenAgo says how old something is that ought to be newer.
func (t *Texts) SeenAgo(d time.Duration) string {
	if d < 10*time.Second {
		return t.State.StaleNow
	}
	return fmt.Sprintf(t.State.Stale, t.Age(d))
}

// Latency writes a round trip in at most five cells: two figures are enough
// to judge it, and more would only make the screen restless.
func Latency(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.1fms", max(ms, 0.1))
	case ms < 10:
		return fmt.Sprintf("%.0fms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0fms", float64(int(ms/5+0.5)*5))
	}
	return fmt.Sprintf("%.1fs", ms/1000)
}
