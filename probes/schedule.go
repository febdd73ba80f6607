package probes

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of a Schedule.
const (
	// MaxInFlight is how many probes run at a time unless Options say otherwise.
	MaxInFlight = 64
	// startGap is the longest pause between the first probes of two targets.
	startGap = 50 * time.Millisecond
	// stuckAfter is for how long a server that has taken the connection may
	// say nothing before it is down. One that was silent within its time limit
	// is given so much the next time: a slow page is told from one that never
	// comes.
	stuckAfter = 30 * time.Second
	// A failing target is asked ever more rarely: the interval doubles with
	// each failure up to maxBackoff times, but not beyond maxPause unless the
	// interval itself is longer.
	maxBackoff = 8
	maxPause   = time.Minute
)

// Options of a Schedule; zero fields take the defaults named.
type Options struct {
	Probers  Probers
	Interval time.Duration // of targets without one, DefaultInterval
	Timeout  time.Duration // of targets without one, DefaultTimeout
	InFlight int           // at most at a time, MaxInFlight
	// Jitter spreads a pause so that targets do not fall into step; nil: up
	// to a tenth shorter or longer.
	Jitter func(time.Duration) time.Duration
	Now    func() time.Time
	// OnResult is told each result, on the goroutine of its probe; may be nil.
	OnResult func(Target, Result)
}

// Schedule probes a set of targets for as long as it runs: each at its own
// interval, at most one probe of a target at a time. The first round is
// spread out, so that starting makes no burst.
type Schedule struct {
	o    Options
	wake chan struct{}

	mu       sync.Mutex
	entries  map[string]*entry
	order    []string // IDs in the order of Set
	due      dueHeap
	inFlight int
	news     chan struct{} // closed and made anew with each result
}

// Report is one target and what is known of it.
type Report struct {
	Target   Target
	History  History
	InFlight bool
}

// NewSchedule makes a Schedule without targets, not yet running.
func NewSchedule(o Options) *Schedule {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.InFlight <= 0 {
		o.InFlight = MaxInFlight
	}
	if o.Jitter == nil {
		o.Jitter = jitter
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Schedule{o: o, wake: make(chan struct{}, 1), entries: map[string]*entry{}, news: make(chan struct{})}
}

// jitter gives d, up to a tenth shorter or longer.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)/5*float64(d))
}

// Set replaces the targets. Those that were there keep history and time;
// new ones are spread over their interval; of two with one ID the first stays.
func (s *Schedule) Set(targets []Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.entries
	s.entries, s.order = make(map[string]*entry, len(targets)), nil
	var fresh []*entry
	for _, t := range targets {
		id := t.ID()
		if s.entries[id] != nil {
			continue
		}
		e := old[id]
		if e == nil {
			e = &entry{index: -1}
			fresh = append(fresh, e)
		}
		e.target = s.withDefaults(t)
		s.entries[id] = e
		s.order = append(s.order, id)
	}
	for id, e := range old {
		if s.entries[id] == nil {
			e.gone = true
			s.due.remove(e)
		}
	}
	s.spread(fresh)
	s.poke()
}

// spread sets the first probes of new targets a little apart.
func (s *Schedule) spread(fresh []*entry) {
	now := s.o.Now()
	for i, e := range fresh {
		gap := min(startGap, e.target.Interval/time.Duration(len(fresh)))
		e.due = now.Add(time.Duration(i) * gap)
		heap.Push(&s.due, e)
	}
}

func (s *Schedule) withDefaults(t Target) Target {
	if t.Interval <= 0 {
		t.Interval = s.o.Interval
	}
	if t.Timeout <= 0 {
		t.Timeout = s.o.Timeout
	}
	return t
}

// ProbeNow asks the targets of these names at once, all of them if none is
// named, and gives how many that are. A target that is being asked is not
// asked twice.
func (s *Schedule) ProbeNow(names ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := make(map[string]bool, len(names))
	for _, n := range names {
		wanted[n] = true
	}
	found := 0
	for _, e := range s.entries {
		if len(names) > 0 && !wanted[e.target.Name] {
			continue
		}
		found++
		if e.index >= 0 {
			e.due = s.o.Now()
			heap.Fix(&s.due, e.index)
		}
	}
	s.poke()
	return found
}

// Asked waits until every target has been asked at least once, or ctx ends.
func (s *Schedule) Asked(ctx context.Context) {
	for {
		all, news := s.allAsked()
		if all {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			return
		}
	}
}

// allAsked also gives what is closed when that may have changed.
func (s *Schedule) allAsked() (all bool, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.history.count == 0 {
			return false, s.news
		}
	}
	return true, s.news
}

// Reports gives all targets in the order of Set, with a copy of their history.
func (s *Schedule) Reports() []Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Report, 0, len(s.order))
	for _, id := range s.order {
		e := s.entries[id]
		out = append(out, Report{Target: e.target, History: e.history, InFlight: e.index < 0})
	}
	return out
}

// Run probes until ctx ends, and returns when the last probe has ended. Of two
// at the same time the other one goes on alone.
func (s *Schedule) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer s.poke()
	defer running.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		started, pause := s.takeDue()
		for _, j := range started {
			running.Go(func() { s.probe(ctx, j) })
		}
		timer.Reset(pause)
	}
}

// job is a probe to make: the entry and its target as it was when taken.
type job struct {
	e      *entry
	target Target
}

// takeDue takes what is due off the heap and says how long to sleep.
func (s *Schedule) takeDue() ([]job, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	var jobs []job
	for len(s.due) > 0 && s.inFlight < s.o.InFlight {
		e := s.due[0]
		if pause := e.due.Sub(now); pause > 0 {
			return jobs, pause
		}
		heap.Pop(&s.due)
		s.inFlight++
		jobs = append(jobs, job{e: e, target: e.patiently()})
	}
	return jobs, time.Hour // a finished probe or Set wakes it before
}

func (s *Schedule) probe(ctx context.Context, j job) {
	r := s.o.Probers.Probe(ctx, j.target)
	if r.Cause == Silent && r.Status == 0 && j.target.Timeout >= stuckAfter {
		r.State = Down
	}
	s.finish(j, r)
	if s.o.OnResult != nil && r.Cause != Cancelled {
		s.o.OnResult(j.target, r)
	}
}

// finish keeps the result and puts the target back into the queue.
func (s *Schedule) finish(j job, r Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.poke()
	if j.e.gone || r.Cause == Cancelled {
		return
	}
	j.e.history.Add(r)
	j.e.rounds++
	close(s.news)
	s.news = make(chan struct{})
	j.e.failures++
	if r.State == Up {
		j.e.failures = 0
	}
	j.e.due = r.At.Add(s.o.Jitter(pause(j.e.target.Interval, j.e.failures)))
	heap.Push(&s.due, j.e)
}

// pause is how long after a probe the next one is made.
func pause(interval time.Duration, failures int) time.Duration {
	p := interval
	for i := 1; i < failures && p < maxBackoff*interval; i++ {
		p *= 2
	}
	return max(interval, min(p, maxPause))
}

func (s *Schedule) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// entry is one target in the Schedule.
type entry struct {
	target   Target
	history  History
	due      time.Time
	rounds   int  // how often it was asked
	failures int  // in a row
	index    int  // in the heap; -1 while it is being asked
	gone     bool // taken out by Set
}

// patiently is the target with time enough to tell slow from stuck, if it was
// silent last, or answered only because it was given that time.
func (e *entry) patiently() Target {
	t := e.target
	if last, asked := e.history.Last(); asked && (last.Cause == Silent || last.Latency > t.Timeout) {
		t.Timeout = max(t.Timeout, stuckAfter)
	}
	return t
}

// dueHeap is a heap of entries, the next due first.
type dueHeap []*entry

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *dueHeap) Push(x any) {
	e := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *dueHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}

func (h *dueHeap) remove(e *entry) {
	if e.index >= 0 {
		heap.Remove(h, e.index)
	}
}
