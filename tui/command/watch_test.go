package command_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/testdata/podman"
)

// TestWatchThirtyTimes: a container comes and goes, and each time the gateway
// becomes right. The slowest time is logged: a machine that tests other things
// meanwhile proves nothing by it.
func TestWatchThirtyTimes(t *testing.T) {
	const changes = 30
	s := newSite(t, podman.New, "static")
	s.become("before there is a container", http.StatusNotFound)
	var slowest, sum time.Duration
	for i := range changes {
		took := s.become(s.change(i))
		slowest, sum = max(slowest, took), sum+took
	}
	t.Logf("%d changes: right after %v on average, %v at most", changes, sum/changes, slowest)
}

// change has the container come and go, in turns, and says what the site is to
// answer then.
func (s *site) change(i int) (what string, want int) {
	s.t.Helper()
	if i%2 == 0 {
		s.start("web")
		return "started", http.StatusOK
	}
	s.remove("web")
	return "removed", http.StatusServiceUnavailable
}

// TestWatchKilled kills watch at random moments while containers come and go.
// The one that is started after it goes on, and what was left is whole.
func TestWatchKilled(t *testing.T) {
	const kills = 20
	s := newSite(t, podman.New, "static")
	s.become("before there is a container", http.StatusNotFound)
	for i := range kills {
		done := make(chan struct{})
		go func(running *process) { // while Podman and watch are at work
			defer close(done)
			time.Sleep(rand.N(1500 * time.Millisecond))
			running.kill()
		}(s.watch)
		what, want := s.change(i)
		<-done
		s.startWatch()
		s.become(what+", and watch was killed", want)
	}
	if left, err := filepath.Glob(filepath.Join(s.front.Dir, "flatnet", "generations", ".new-*")); err != nil || len(left) > 1 {
		t.Errorf("left by %d killed ones: %v %v", kills, left, err)
	}
	served, err := os.ReadFile(filepath.Join(s.front.Dir, "conf.d", "flatnet.conf"))
	if err != nil || !strings.Contains(string(served), "X-Flatnet-Generation") {
		t.Errorf("what is deployed is not whole (%v):\n%s", err, served)
	}
}

// BenchmarkWatchIdle: what watch costs while a site is served and nothing
// happens, its child programs included.
func BenchmarkWatchIdle(b *testing.B) {
	s := newSite(b, podman.New, "static")
	s.start("web")
	s.become("started", http.StatusOK)
	const span = 20 * time.Second
	for b.Loop() {
		before := s.watch.cpu(b)
		time.Sleep(span)
		b.ReportMetric(float64(s.watch.cpu(b)-before)/float64(span)*100, "%cpu")
	}
	s.remove("web")
}

// cpu gives the processor time of the process and its ended children.
func (p *process) cpu(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	var sum time.Duration
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime: proc(5)
		n, err := time.ParseDuration(f + "ns")
		if err != nil {
			t.Fatal(err)
		}
		sum += n * tick
	}
	return sum
}
