package probes

import (
	"math"
	"slices"
	"time"
)

// HistorySize is how many results a History keeps.
const HistorySize = 120

// History is the last results of one target: the newest whole, the earlier
// ones by state and latency. The zero value is ready to use. It is not safe
// for use by several goroutines; a copy is one of its own.
type History struct {
	ring  [HistorySize]sample
	next  int // where the next result goes
	count int
	last  Result
	since time.Time // when the state last changed
}

type sample struct {
	state   State
	latency time.Duration
}

// Add takes a result in.
func (h *History) Add(r Result) {
	if h.count == 0 || h.last.State != r.State {
		h.since = r.At
	}
	h.last = r
	h.ring[h.next] = sample{state: r.State, latency: r.Latency}
	h.next = (h.next + 1) % HistorySize
	h.count = min(h.count+1, HistorySize)
}

// Last gives the newest result; false if there is none yet.
func (h *History) Last() (Result, bool) { return h.last, h.count > 0 }

// Since is when the present state began, as far as it was watched; zero
// before the first result.
func (h *History) Since() time.Time { return h.since }

// samples gives what is kept, oldest first.
func (h *History) samples() []sample {
	out := make([]sample, 0, h.count)
	for i := range h.count {
		out = append(out, h.ring[(h.next+HistorySize-h.count+i)%HistorySize])
	}
	return out
}

// Loss is the part of probes that found the target down, 0 to 1. Probes that
// could not be made do not count; false if none is left to count.
func (h *History) Loss() (float64, bool) {
	var up, down int
	for _, s := range h.samples() {
		switch s.state {
		case Up:
			up++
		case Down:
			down++
		case Unknown:
		}
	}
	if up+down == 0 {
		return 0, false
	}
	return float64(down) / float64(up+down), true
}

// Percentile is the latency that the given part (0 to 1) of the answers kept
// did not exceed, by the nearest-rank method; false without an answer.
func (h *History) Percentile(part float64) (time.Duration, bool) {
	var answers []time.Duration
	for _, s := range h.samples() {
		if s.state == Up {
			answers = append(answers, s.latency)
		}
	}
	if len(answers) == 0 {
		return 0, false
	}
	slices.Sort(answers)
	rank := int(math.Ceil(part * float64(len(answers))))
	return answers[min(max(rank, 1), len(answers))-1], true
}

// Sparkline gives the newest n values, oldest first, for drawing: an answer's
// latency in milliseconds, NaN for a probe without an answer. It is shorter
// than n while fewer are kept.
func (h *History) Sparkline(n int) []float64 {
	kept := h.samples()
	if n < len(kept) {
		kept = kept[len(kept)-max(n, 0):]
	}
	out := make([]float64, 0, len(kept))
	for _, s := range kept {
		if s.state != Up {
			out = append(out, math.NaN())
			continue
		}
		out = append(out, float64(s.latency)/float64(time.Millisecond))
	}
	return out
}
