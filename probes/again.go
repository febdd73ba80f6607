package probes

import (
	"container/heap"
	"context"
)

// AskAgain asks all targets at once and waits until each has answered or
// failed, or ctx ends: those that it did not come to then wait for their own
// time again. told is called with how many are done, first with none.
func (s *Schedule) AskAgain(ctx context.Context, told func(done, total int)) error {
	before := s.rounds()
	s.ProbeNow()
	last := -1
	for {
		done, total, news := s.since(before)
		if done != last {
			told(done, total)
			last = done
		}
		if done == total {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			s.putOff(before)
			return ctx.Err()
		}
	}
}

// rounds gives how often each target was asked.
func (s *Schedule) rounds() map[*entry]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[*entry]int, len(s.entries))
	for _, e := range s.entries {
		out[e] = e.rounds
	}
	return out
}

// since gives how many have answered since before, and what is closed when
// that may have changed. One that was taken out counts as done.
func (s *Schedule) since(before map[*entry]int) (done, total int, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, n := range before {
		if e.gone || e.rounds > n {
			done++
		}
	}
	return done, len(before), s.news
}

// putOff gives those that have not been asked since before a time of their own.
func (s *Schedule) putOff(before map[*entry]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, n := range before {
		if !e.gone && e.rounds == n && e.index >= 0 {
			e.due = s.o.Now().Add(s.o.Jitter(pause(e.target.Interval, e.failures)))
			heap.Fix(&s.due, e.index)
		}
	}
	s.poke()
}
