package probes_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"flatnet/probes"
)

// AskAgain tells how many have answered; who stops it gets no more answers
// than those that were under way.
func TestScheduleAskAgain(t *testing.T) {
	a := newAnswerer()
	scheduled(t, a, probes.Options{InFlight: 2, Interval: time.Hour}, func(s *probes.Schedule) {
		s.Set(targets(6))
		s.Asked(context.Background())
		a.mu.Lock()
		a.takes = time.Second
		a.mu.Unlock()
		var told []string
		tell := func(done, total int) { told = append(told, fmt.Sprintf("%d/%d", done, total)) }
		if err := s.AskAgain(context.Background(), tell); err != nil {
			t.Fatal(err)
		}
		if told[0] != "0/6" || told[len(told)-1] != "6/6" {
			t.Errorf("told %v", told)
		}
		ctx, stop := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer stop()
		if err := s.AskAgain(ctx, func(int, int) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stopped: %v", err)
		}
		pass(time.Minute)
		asked := 0
		for i := range 6 {
			asked += len(a.times(target(i).Name))
		}
		if want := 6 + 6 + 4; asked != want {
			t.Errorf("asked %d times, want %d", asked, want)
		}
	})
}

func TestScheduleProbeNow(t *testing.T) {
	a := newAnswerer()
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		s.Set(targets(3))
		pass(time.Second)
		if n := s.ProbeNow("t1", "nobody"); n != 1 {
			t.Errorf("%d targets of these names, want 1", n)
		}
		pass(time.Second)
		if n := len(a.times("t1")); n != 2 {
			t.Errorf("t1 was asked %d times, want 2", n)
		}
		if n := len(a.times("t0")); n != 1 {
			t.Errorf("t0 was asked %d times, want 1", n)
		}
		if n := s.ProbeNow(); n != 3 {
			t.Errorf("ProbeNow without names gives %d, want 3", n)
		}
	})
}
