package probes_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"flatnet/probes"
)

// answerer is a prober whose answers the test decides, and that keeps count.
type answerer struct {
	mu       sync.Mutex
	asked    map[string][]time.Time // by target name
	running  map[string]int
	most     int // probes at a time, in all
	doubled  bool
	takes    time.Duration
	stateFor func(name string) probes.State
}

func newAnswerer() *answerer {
	return &answerer{
		asked: map[string][]time.Time{}, running: map[string]int{},
		stateFor: func(string) probes.State { return probes.Up },
	}
}

func (a *answerer) Probe(ctx context.Context, t probes.Target) probes.Result {
	at := time.Now()
	a.mu.Lock()
	a.asked[t.Name] = append(a.asked[t.Name], at)
	a.running[t.Name]++
	sum := 0
	for _, n := range a.running {
		sum += n
	}
	a.most = max(a.most, sum)
	a.doubled = a.doubled || a.running[t.Name] > 1
	takes, state := a.takes, a.stateFor(t.Name)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.running[t.Name]--
		a.mu.Unlock()
	}()
	select {
	case <-time.After(takes):
		return probes.Result{At: at, State: state, Latency: takes}
	case <-ctx.Done():
		return probes.Result{At: at, State: probes.Unknown, Cause: probes.Cancelled}
	}
}

func (a *answerer) times(name string) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked[name])
}

func target(i int) probes.Target {
	return probes.Target{Name: fmt.Sprint("t", i), Kind: probes.TCP, Address: fmt.Sprintf("127.0.0.1:%d", 1000+i)}
}

func targets(n int) []probes.Target {
	var all []probes.Target
	for i := range n {
		all = append(all, target(i))
	}
	return all
}

// scheduled runs a Schedule on a for as long as f takes, in invented time.
func scheduled(t *testing.T, a *answerer, o probes.Options, f func(s *probes.Schedule)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Probers = probes.Probers{probes.TCP: a}
		if o.Interval == 0 {
			o.Interval = 10 * time.Second
		}
		if o.Jitter == nil {
			o.Jitter = func(d time.Duration) time.Duration { return d }
		}
		s := probes.NewSchedule(o)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		f(s)
		stop()
		<-ended
	})
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestScheduleStartsWithoutABurst(t *testing.T) {
	a := newAnswerer()
	a.takes = time.Millisecond
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		s.Set(targets(500))
		pass(10 * time.Second)
		if a.most > 2 {
			t.Errorf("%d probes ran at a time while starting", a.most)
		}
		for _, r := range s.Reports() {
			if _, ok := r.History.Last(); !ok {
				t.Errorf("%s was not asked within its interval", r.Target.Name)
			}
		}
	})
}

func TestScheduleFewTargetsAnswerAtOnce(t *testing.T) {
	a := newAnswerer()
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		s.Set(targets(4))
		pass(200 * time.Millisecond)
		if n := len(a.asked); n != 4 {
			t.Errorf("%d of 4 targets were asked after 200 ms", n)
		}
	})
}

func TestScheduleKeepsEachTargetsInterval(t *testing.T) {
	a := newAnswerer()
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		quick := target(1)
		quick.Interval = time.Second
		s.Set([]probes.Target{target(0), quick})
		pass(30 * time.Second)
		if n := len(a.times("t0")); n != 3 && n != 4 {
			t.Errorf("every 10 s: asked %d times in 30 s", n)
		}
		if n := len(a.times("t1")); n < 29 || n > 31 {
			t.Errorf("every second: asked %d times in 30 s", n)
		}
	})
}

func TestScheduleAsksATargetOnceAtATime(t *testing.T) {
	a := newAnswerer()
	a.takes = 35 * time.Second // far longer than the interval
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		s.Set(targets(3))
		for range 20 {
			pass(5 * time.Second)
			s.ProbeNow()
		}
		if a.doubled {
			t.Error("a target was asked while it was being asked")
		}
		if n := len(a.times("t0")); n < 2 {
			t.Errorf("asked %d times in 100 s", n)
		}
	})
}

func TestScheduleLimitsProbesAtATime(t *testing.T) {
	a := newAnswerer()
	a.takes = time.Minute
	scheduled(t, a, probes.Options{InFlight: 3}, func(s *probes.Schedule) {
		s.Set(targets(20))
		pass(time.Hour)
		if a.most != 3 {
			t.Errorf("%d probes ran at a time, want 3", a.most)
		}
		for i := range 20 {
			if len(a.times(fmt.Sprint("t", i))) == 0 {
				t.Errorf("t%d was never asked", i)
			}
		}
	})
}

func TestScheduleBacksOffWhileFailing(t *testing.T) {
	a := newAnswerer()
	failing := true
	a.stateFor = func(string) probes.State {
		if failing {
			return probes.Down
		}
		return probes.Up
	}
	scheduled(t, a, probes.Options{Interval: time.Second}, func(s *probes.Schedule) {
		s.Set(targets(1))
		pass(60 * time.Second)
		at := a.times("t0")
		var gaps []time.Duration
		for i := 1; i < min(len(at), 7); i++ {
			gaps = append(gaps, at[i].Sub(at[i-1]))
		}
		want := []time.Duration{1, 2, 4, 8, 8, 8}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(gaps, want) {
			t.Errorf("pauses while failing: %v, want %v", gaps, want)
		}
		a.mu.Lock()
		failing = false
		a.mu.Unlock()
		s.ProbeNow("t0")
		pass(3500 * time.Millisecond)
		if n := len(a.times("t0")) - len(at); n != 4 {
			t.Errorf("well again: asked %d times in 3.5 s, want 4", n)
		}
	})
}

func TestScheduleBackOffHasABound(t *testing.T) {
	a := newAnswerer()
	a.stateFor = func(string) probes.State { return probes.Down }
	scheduled(t, a, probes.Options{Interval: 30 * time.Second}, func(s *probes.Schedule) {
		slow := target(1)
		slow.Interval = 5 * time.Minute
		s.Set([]probes.Target{target(0), slow})
		pass(time.Hour)
		for name, want := range map[string]time.Duration{"t0": time.Minute, "t1": 5 * time.Minute} {
			at := a.times(name)
			if got := at[len(at)-1].Sub(at[len(at)-2]); got != want {
				t.Errorf("%s: the longest pause is %v, want %v", name, got, want)
			}
		}
	})
}

func TestScheduleSetKeepsWhatStays(t *testing.T) {
	a := newAnswerer()
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		s.Set(targets(2))
		pass(time.Second)
		s.Set([]probes.Target{target(1), target(2), target(2)})
		pass(time.Second)
		reports := s.Reports()
		if len(reports) != 2 || reports[0].Target.Name != "t1" || reports[1].Target.Name != "t2" {
			t.Fatalf("targets after Set: %v", reports)
		}
		if n := len(a.times("t1")); n != 1 {
			t.Errorf("what stayed was asked %d times in 2 s, want 1", n)
		}
		if _, ok := reports[0].History.Last(); !ok {
			t.Error("what stayed lost its history")
		}
		pass(time.Minute)
		if n := len(a.times("t0")); n != 1 {
			t.Errorf("what was taken out was asked %d times, want 1", n)
		}
	})
}

func TestScheduleTargetTakenOutWhileAsked(t *testing.T) {
	a := newAnswerer()
	a.takes = 5 * time.Second
	scheduled(t, a, probes.Options{}, func(s *probes.Schedule) {
		s.Set(targets(1))
		pass(time.Second)
		s.Set(nil)
		pass(time.Minute)
		if n := len(a.times("t0")); n != 1 || len(s.Reports()) != 0 {
			t.Errorf("asked %d times after it was taken out", n)
		}
	})
}

func TestScheduleJitterIsATenth(t *testing.T) {
	a := newAnswerer()
	synctest.Test(t, func(t *testing.T) {
		s := probes.NewSchedule(probes.Options{Probers: probes.Probers{probes.TCP: a}, Interval: 10 * time.Second})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		s.Set(targets(1))
		pass(10 * time.Minute)
		stop()
		<-ended
	})
	at := a.times("t0")
	differ := false
	for i := 1; i < len(at); i++ {
		gap := at[i].Sub(at[i-1])
		differ = differ || gap != 10*time.Second
		if gap < 9*time.Second || gap > 11*time.Second {
			t.Errorf("a pause of %v, want 10 s give or take one", gap)
		}
	}
	if !differ {
		t.Error("no pause differs from the interval")
	}
}

func TestScheduleEndsWithItsContext(t *testing.T) {
	a := newAnswerer()
	a.takes = time.Hour
	told := 0
	scheduled(t, a, probes.Options{OnResult: func(probes.Target, probes.Result) { told++ }}, func(s *probes.Schedule) {
		s.Set(targets(5))
		pass(time.Second)
	})
	if told != 0 {
		t.Errorf("%d probes that were given up were told as results", told)
	}
}

// BenchmarkRound500 is what one round over 500 targets costs: divide its CPU
// time by the interval. Bookkeeping is the Schedule's own part.
func BenchmarkRound500(b *testing.B) {
	b.Run("bookkeeping", func(b *testing.B) { round(b, probes.Probers{probes.TCP: newAnswerer()}, targets(500)) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }))
	b.Cleanup(server.Close)
	for kind, address := range map[probes.Kind]string{
		probes.HTTP: server.URL, probes.TCP: server.Listener.Addr().String(), probes.ICMP: "127.0.0.1",
	} {
		var all []probes.Target
		for i := range 500 {
			all = append(all, probes.Target{Name: fmt.Sprint("t", i), Kind: kind, Address: address})
		}
		b.Run(string(kind), func(b *testing.B) { round(b, probes.New(), all) })
	}
}

// round has a Schedule ask all targets, again and again.
func round(b *testing.B, p probes.Probers, all []probes.Target) {
	results := make(chan struct{}, 2*len(all))
	s := probes.NewSchedule(probes.Options{
		Probers: p, Interval: time.Hour, OnResult: func(probes.Target, probes.Result) { results <- struct{}{} },
	})
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	go s.Run(ctx)
	s.Set(all)
	began := cpuTime(b)
	rounds := 0
	for b.Loop() {
		s.ProbeNow()
		for range all {
			<-results
		}
		rounds++
	}
	b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/1000/float64(rounds), "cpu-ms/round")
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
