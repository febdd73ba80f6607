package plugin_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"flatnet/testdata/nettest"
)

func now() time.Time { return time.Now() }

// TestFillThePool: 253 containers fill the /24, the 254th is told so, and one
// that leaves makes room.
func TestFillThePool(t *testing.T) { onFronts(t, fillThePool) }

func fillThePool(t *testing.T, front string) {
	m := newMachineFor(t, front, "")
	for i := range 253 {
		m.add(fmt.Sprintf("c%07d", i))
	}
	if held := m.held(); len(held) != 253 {
		t.Fatalf("%d addresses are held, want 253", len(held))
	}
	netns := nettest.New(t)
	a := m.call(call{verb: "ADD", id: "late", netns: netns})
	if a.status != 1 || !strings.Contains(a.says(), "no free address") || !strings.Contains(a.says(), "leases list") || front == "cni" && a.failure.Code != 100 {
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
func TestParallel(t *testing.T) { onFronts(t, parallel) }

func parallel(t *testing.T, front string) {
	const containers, rounds = 200, 10
	m := newMachineFor(t, front, "")
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
			ip := m.address(a)
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

// TestFullBridge: a Linux bridge takes 1,023 ports.
func TestFullBridge(t *testing.T) {
	m := newMachine(t, "[network]\nsubnet = \"10.87.0.0/20\"")
	m.add("first")
	addPorts(t, m.ns, "flatnet-br0", 1022)
	path := nettest.New(t)
	a := m.call(call{verb: "ADD", id: "late", netns: path})
	if a.failure.Code != 105 || a.failure.Details == "" {
		t.Errorf("the 1,024th: %s", a)
	}
	if held, links := m.held(), m.links("fn-"); len(held) != 1 || len(links) != 1 {
		t.Errorf("after the failure: leases %v, links %v", held, links)
	}
	if a := m.call(call{verb: "STATUS", version: "1.1.0"}); a.failure.Code != 50 {
		t.Errorf("STATUS: %s", a)
	}
	m.del("first")
	if a := m.call(call{verb: "ADD", id: "late", netns: path}); a.status != 0 {
		t.Errorf("after a DEL: %s", a)
	}
}

// addPorts makes ports on a bridge; their other ends are in one namespace.
func addPorts(t testing.TB, ns, bridge string, n int) {
	t.Helper()
	sink, err := os.Open(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	nettest.In(t, ns, func() {
		br, err := netlink.LinkByName(bridge)
		if err != nil {
			t.Error(err)
			return
		}
		for i := range n {
			a := netlink.NewLinkAttrs()
			a.Name, a.MasterIndex = fmt.Sprintf("port%d", i), br.Attrs().Index
			veth := netlink.NewVeth(a)
			veth.PeerName, veth.PeerNamespace = fmt.Sprintf("peer%d", i), netlink.NsFd(int(sink.Fd()))
			if err := netlink.LinkAdd(veth); err != nil {
				t.Error(err)
				return
			}
		}
	})
}
