package plugin_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"flatnet/testdata/nettest"
)

func now() time.Time { return time.Now() }

// TestFillThePool: 253 containers fill the /24, the 254th is told so, and one
// that leaves makes room.
func TestFillThePool(t *testing.T) {
	m := newMachine(t, "")
	for i := range 253 {
		m.add(fmt.Sprintf("c%07d", i))
	}
	if held := m.held(); len(held) != 253 {
		t.Fatalf("%d addresses are held, want 253", len(held))
	}
	netns := nettest.New(t)
	a := m.call(call{verb: "ADD", id: "late", netns: netns})
	if a.failure.Code != 100 || a.failure.Details == "" {
		t.Errorf("the 254th: %s", a)
	}
	m.del("c0000100")
	if a := m.call(call{verb: "ADD", id: "late", netns: netns}); a.status != 0 {
		t.Errorf("after a DEL: %s", a)
	}
	if got := len(m.links("fn-")); got != 253 {
		t.Errorf("%d links, want 253", got)
	}
}

// TestParallel has 200 containers come and go at once, in ten rounds.
func TestParallel(t *testing.T) {
	const containers, rounds = 200, 10
	m := newMachine(t, "")
	var paths []string
	for range containers {
		paths = append(paths, nettest.New(t))
	}
	for round := range rounds {
		answers := inParallel(containers, func(i int) answer {
			return m.call(call{verb: "ADD", id: fmt.Sprintf("c%07d", i), netns: paths[i]})
		})
		seen := map[string]int{}
		for i, a := range answers {
			if a.status != 0 {
				t.Fatalf("round %d, ADD %d: %s", round, i, a)
			}
			ip := m.result(a).IPs[0].Address.IP.String()
			if other, twice := seen[ip]; twice {
				t.Errorf("round %d: %d and %d both have %s", round, other, i, ip)
			}
			seen[ip] = i
		}
		if got := len(m.held()); got != containers {
			t.Errorf("round %d: %d leases, want %d", round, got, containers)
		}
		for i, a := range inParallel(containers, func(i int) answer {
			return m.call(call{verb: "DEL", id: fmt.Sprintf("c%07d", i), netns: paths[i]})
		}) {
			if a.status != 0 {
				t.Fatalf("round %d, DEL %d: %s", round, i, a)
			}
		}
		m.nothingLeft(fmt.Sprintf("round %d", round))
	}
}

// inParallel calls f for 0 to n-1, all at once.
func inParallel(n int, f func(i int) answer) []answer {
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { answers[i] = f(i) })
	}
	wg.Wait()
	return answers
}
