package plugin_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"flatnet/core/ipam"
	"flatnet/testdata/nettest"
)

// BenchmarkAddDel attaches and detaches one container after the other, in turn
// with so many leases in the state and ports at the bridge, and in turn with
// the reference: the machine's moods are the same for all.
func BenchmarkAddDel(b *testing.B) {
	sizes := []*size{{leases: 1}, {leases: 250, ports: 249}, {leases: 2000}, {leases: 2000, ports: 1000}}
	for _, s := range sizes {
		s.ours, _ = newFlatnet(b, s.leases, s.ports)
		s.reference = newReference(b, s.leases, s.ports)
	}
	for i := 0; b.Loop(); i++ {
		for _, s := range sizes {
			s.once(b, fmt.Sprintf("%08d", i))
		}
	}
	b.ReportMetric(0, "ns/op") // the sum of all says nothing
	for _, s := range sizes {
		s.report(b, sizes[0])
	}
}

// size is a network of ours and one of the reference's, both as big.
type size struct {
	leases, ports   int
	ours, reference *rival
	add, del        pair
}

// pair is what the same call costs ours and the reference.
type pair struct{ ours, theirs cost }

// once attaches and detaches one container.
func (s *size) once(b *testing.B, id string) {
	path := nettest.New(b)
	s.add.ours.count(func() time.Duration { return s.ours.add(b, id, path) })
	s.del.ours.count(func() time.Duration { return s.ours.del(b, id, path) })
	nettest.Delete(path)
	path = nettest.New(b)
	s.add.theirs.count(func() time.Duration { return s.reference.add(b, id, path) })
	s.del.theirs.count(func() time.Duration { return s.reference.del(b, id, path) })
	nettest.Delete(path)
}

// report says what calls of this size took, also against those of the smallest.
func (s *size) report(b *testing.B, smallest *size) {
	for _, v := range []struct {
		verb        string
		this, first pair
	}{{"add", s.add, smallest.add}, {"del", s.del, smallest.del}} {
		name := fmt.Sprintf("%s-%d/%d", v.verb, s.leases, s.ports)
		report(b, name, v.this.ours, v.this.theirs)
		b.ReportMetric(float64(v.this.ours.clock)/float64(v.first.ours.clock), name+"/first")
	}
}

// cost is the time of calls by the clock, and what their processes used of the
// processor: the first says little on a machine that does other things too.
type cost struct{ clock, cpu time.Duration }

func (c *cost) count(call func() time.Duration) {
	before := childrenCPU()
	c.clock += call()
	c.cpu += childrenCPU() - before
}

func childrenCPU() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func report(b *testing.B, what string, ours, theirs cost) {
	b.ReportMetric(milliseconds(ours.clock)/float64(b.N), what+"-ms")
	b.ReportMetric(milliseconds(theirs.clock)/float64(b.N), "reference-"+what+"-ms")
	b.ReportMetric(float64(ours.clock)/float64(theirs.clock), what+"/reference")
	b.ReportMetric(milliseconds(ours.cpu)/float64(b.N), what+"-cpu-ms")
	b.ReportMetric(milliseconds(theirs.cpu)/float64(b.N), "reference-"+what+"-cpu-ms")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkParallelAdd attaches 50 containers at once.
func BenchmarkParallelAdd(b *testing.B) {
	const n = 50
	flatnet, _ := newFlatnet(b, 1, 0)
	reference := newReference(b, 1, 0)
	var ours, theirs cost
	for b.Loop() {
		for _, r := range []*rival{flatnet, reference} {
			paths := make([]string, n)
			for i := range paths {
				paths[i] = nettest.New(b)
			}
			add := func() time.Duration {
				begin := time.Now()
				atOnce(n, func(i int) { r.add(b, fmt.Sprintf("%08d", i), paths[i]) })
				return time.Since(begin)
			}
			if r == flatnet {
				ours.count(add)
			} else {
				theirs.count(add)
			}
			atOnce(n, func(i int) { r.del(b, fmt.Sprintf("%08d", i), paths[i]) })
			for _, p := range paths {
				nettest.Delete(p)
			}
		}
	}
	b.ReportMetric(0, "ns/op") // the sum of both says nothing
	report(b, "add50", ours, theirs)
}

func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// BenchmarkVersion is the plugin's start-up: Podman calls VERSION several
// times for each container.
func BenchmarkVersion(b *testing.B) {
	m := newMachine(b, "")
	for b.Loop() {
		m.call(call{verb: "VERSION"})
	}
}

// BenchmarkKernelCalls is the least that an ADD and a DEL can take: the bare
// netlink calls, in this process.
func BenchmarkKernelCalls(b *testing.B) {
	host, inside := nettest.New(b), nettest.New(b)
	file, err := os.Open(inside)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var add, del time.Duration
	nettest.In(b, host, func() {
		a := netlink.NewLinkAttrs()
		a.Name = "bare-br0"
		br := &netlink.Bridge{LinkAttrs: a}
		if err := netlink.LinkAdd(br); err != nil {
			b.Error(err)
			return
		}
		for b.Loop() {
			begin := time.Now()
			veth := bareAdd(b, br, int(file.Fd()))
			add += time.Since(begin)
			begin = time.Now()
			if err := netlink.LinkDel(veth); err != nil {
				b.Error(err)
			}
			del += time.Since(begin)
		}
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(add)/float64(b.N), "add-ms")
	b.ReportMetric(milliseconds(del)/float64(b.N), "del-ms")
}

func bareAdd(b *testing.B, br netlink.Link, inside int) netlink.Link {
	b.Helper()
	a := netlink.NewLinkAttrs()
	a.Name, a.MasterIndex = "bare0", br.Attrs().Index
	veth := netlink.NewVeth(a)
	veth.PeerName, veth.PeerNamespace = "eth0", netlink.NsFd(inside)
	must(b, netlink.LinkAdd(veth))
	must(b, netlink.LinkSetUp(veth))
	h, err := netlink.NewHandleAt(netns.NsHandle(inside), unix.NETLINK_ROUTE)
	must(b, err)
	defer h.Close()
	eth0, err := h.LinkByName("eth0")
	must(b, err)
	addr, err := netlink.ParseAddr("10.87.1.2/24")
	must(b, err)
	must(b, h.AddrAdd(eth0, addr))
	must(b, h.LinkSetUp(eth0))
	must(b, h.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: netip.MustParseAddr("10.87.1.1").AsSlice()}))
	return veth
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkThousand is a thousand containers after each other: nothing of ours
// may grow.
func BenchmarkThousand(b *testing.B) {
	m := newMachine(b, "")
	path := nettest.New(b)
	round := func(n int) {
		for i := range n {
			id := fmt.Sprintf("%08d", i)
			if a := m.call(call{verb: "ADD", id: id, netns: path}); a.status != 0 {
				b.Fatal(a)
			}
			if a := m.call(call{verb: "DEL", id: id}); a.status != 0 {
				b.Fatal(a)
			}
		}
	}
	for b.Loop() {
		round(300) // every address was used once, and all files are there
		before := footprint(b, m)
		round(1000)
		if after := footprint(b, m); after != before {
			b.Errorf("before: %s\nafter:  %s", before, after)
		}
	}
	m.nothingLeft("at the end")
}

// footprint is what could grow: rules, links, files, freed addresses that are
// remembered. Journal and log grow and are rotated, so only their number counts.
func footprint(b *testing.B, m *machine) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(m.state, ipam.FileName))
	must(b, err)
	var state struct{ Recent []json.RawMessage }
	must(b, json.Unmarshal(text, &state))
	files, err := os.ReadDir(m.state)
	must(b, err)
	var rules []byte
	nettest.In(b, m.ns, func() { rules, err = exec.Command("/usr/sbin/iptables-save").Output() })
	must(b, err)
	return fmt.Sprintf("%d rules, links %v, %d files, %d freed addresses",
		strings.Count(string(rules), "\n-A "), m.links(""), len(files), len(state.Recent))
}
