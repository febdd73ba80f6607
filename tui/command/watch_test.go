package command_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/testdata/podman"
	"flatnet/testdata/program"
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
// happens, its child programs included. It watches for FLATNET_IDLE.
func BenchmarkWatchIdle(b *testing.B) {
	s := newSite(b, podman.New, "static")
	s.start("web")
	s.become("started", http.StatusOK)
	idle, pid := program.IdleTime(), s.watch.Process.Pid
	for b.Loop() {
		time.Sleep(3 * time.Second) // the start is over
		before := program.UsageOf(b, pid)
		time.Sleep(idle)
		after := program.UsageOf(b, pid)
		b.ReportMetric(after.Percent(before, idle), "%cpu")
		b.ReportMetric(after.MB, "MB-RSS")
		b.ReportMetric(float64(after.Files), "files")
		b.ReportMetric(float64(after.Files-before.Files), "more-files")
	}
	s.remove("web")
}
