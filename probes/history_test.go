package probes_test

import (
	"math"
	"testing"
	"time"

	"flatnet/probes"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// add gives h one result a letter: u an answer after n milliseconds (counted
// from 1), d no answer, ? a probe that could not be made.
func add(h *probes.History, letters string) {
	for i, l := range letters {
		r := probes.Result{At: start.Add(time.Duration(i) * time.Second)}
		switch l {
		case 'u':
			r.State, r.Latency = probes.Up, time.Duration(i+1)*time.Millisecond
		case 'd':
			r.State = probes.Down
		case '?':
			r.State = probes.Unknown
		}
		h.Add(r)
	}
}

func TestHistoryEmptySaysNothing(t *testing.T) {
	var h probes.History
	if _, ok := h.Last(); ok {
		t.Error("an empty history has a last result")
	}
	if loss, ok := h.Loss(); ok {
		t.Errorf("an empty history has a loss of %v", loss)
	}
	if p, ok := h.Percentile(0.5); ok {
		t.Errorf("an empty history has a median of %v", p)
	}
	if s := h.Sparkline(10); len(s) != 0 {
		t.Errorf("an empty history draws %v", s)
	}
	if !h.Since().IsZero() {
		t.Error("an empty history has a time of change")
	}
}

func TestHistoryLoss(t *testing.T) {
	for letters, want := range map[string]float64{
		"u": 0, "d": 1, "ud": 0.5, "uuud": 0.25, "u?": 0, "?d?u": 0.5,
	} {
		var h probes.History
		add(&h, letters)
		if got, ok := h.Loss(); !ok || got != want {
			t.Errorf("loss of %s is %v (%v), want %v", letters, got, ok, want)
		}
	}
	var h probes.History
	add(&h, "???")
	if got, ok := h.Loss(); ok {
		t.Errorf("probes that could not be made give a loss of %v, want none", got)
	}
}

func TestHistoryPercentiles(t *testing.T) {
	var h probes.History
	for i := range 100 {
		h.Add(probes.Result{State: probes.Up, Latency: time.Duration(100-i) * time.Millisecond})
	}
	for part, want := range map[float64]time.Duration{
		0: time.Millisecond, 0.5: 50 * time.Millisecond, 0.99: 99 * time.Millisecond, 1: 100 * time.Millisecond,
	} {
		if got, ok := h.Percentile(part); !ok || got != want {
			t.Errorf("percentile %v is %v (%v), want %v", part, got, ok, want)
		}
	}
}

func TestHistorySinceIsTheLastChange(t *testing.T) {
	for letters, want := range map[string]int{"u": 0, "uuu": 0, "uud": 2, "udd": 1, "udu?": 3, "dduu": 2} {
		var h probes.History
		add(&h, letters)
		if got := h.Since(); !got.Equal(start.Add(time.Duration(want) * time.Second)) {
			t.Errorf("the state at the end of %s began at %v, want second %d", letters, got, want)
		}
	}
}

func TestHistoryForgetsTheOldest(t *testing.T) {
	var h probes.History
	add(&h, "d")
	for range probes.HistorySize {
		h.Add(probes.Result{State: probes.Up, Latency: time.Millisecond})
	}
	if loss, _ := h.Loss(); loss != 0 {
		t.Errorf("a failure %d results ago still counts: loss %v", probes.HistorySize, loss)
	}
	if n := len(h.Sparkline(10 * probes.HistorySize)); n != probes.HistorySize {
		t.Errorf("it keeps %d results, want %d", n, probes.HistorySize)
	}
}

func TestHistorySparkline(t *testing.T) {
	var h probes.History
	add(&h, "uud?u")
	got := h.Sparkline(4)
	want := []float64{2, math.NaN(), math.NaN(), 5}
	if len(got) != len(want) {
		t.Fatalf("sparkline %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Errorf("sparkline %v, want %v", got, want)
			break
		}
	}
	if got := h.Sparkline(-1); len(got) != 0 {
		t.Errorf("a sparkline of -1 values has %d", len(got))
	}
}
