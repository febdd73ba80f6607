package widget

import (
	"math"
	"strings"
)

// steps are the upper limits, in milliseconds, of a sparkline's levels. They
// are absolute, and each about double the one before: a target that answers
// in 0.2 ms draws a calm low line, not its own jitter blown up, and lines of
// several targets can be compared.
var steps = [...]float64{2, 5, 10, 20, 50, 100, 300}

// Sparkline draws latencies in milliseconds, one cell each; NaN is a probe
// without an answer.
func (l *Look) Sparkline(values []float64) string {
	var b strings.Builder
	for _, v := range values {
		if math.IsNaN(v) {
			b.WriteString(l.Glyphs.Gap)
			continue
		}
		level := 0
		for level < len(steps) && v > steps[level] {
			level++
		}
		b.WriteString(l.Glyphs.Spark[level])
	}
	return b.String()
}
