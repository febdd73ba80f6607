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

// Latency writes a round trip in at most five cells, coarsely: enough to judge
// it, while its jitter does not make the screen restless. The exact value is in
// the detail.
func Latency(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 1 {
		return "<1ms"
	}
	if ms >= 1000 {
		return fmt.Sprintf("%.0fs", ms/1000)
	}
	scale := 1.0
	for ms >= 10*scale {
		scale *= 10
	}
	step := 1.0
	for _, s := range []float64{1, 1.5, 2, 3, 5, 7} {
		if ms >= s*scale {
			step = s
		}
	}
	if step == 1.5 && scale == 1 {
		step = 1
	}
	return fmt.Sprintf("%.0fms", step*scale)
}

// Exact writes a round trip for a detail.
func Exact(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case ms < 1:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}
