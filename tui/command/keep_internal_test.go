package command

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/windows"
	"flatnet/testdata/nettest"
)

// keeping is a keeper on a namespace of its own, with a clock to turn.
type keeping struct {
	*keeper
	parts *Parts
	now   time.Time
	said  []string
}

func newKeeping(t *testing.T) *keeping {
	t.Helper()
	k, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Windows.Enabled = config.Off
	s := &keeping{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return s.now }
	s.parts = &Parts{
		Config: c, Now: clock, Kernel: k, Journal: journal.Open(t.TempDir(), "test"),
		Store:   ipam.OpenFile(t.TempDir(), ipam.Options{Pool: ipam.PoolOf(c), Holder: "test", Now: clock}),
		Podman:  podmanOf{{ID: "web", Name: "web.name", State: "running"}},
		Windows: windows.New(windows.Options{Config: c.Windows, Network: c.Network, Kernel: k, Now: clock}),
	}
	s.keeper = newKeeper(&App{Now: clock}, "command watch", func(line string) { s.said = append(s.said, line) }, keptByWatch()...)
	return s
}

// good tells whether bridge and rules are as configured.
func (s *keeping) good(t *testing.T) bool {
	t.Helper()
	b, err := bridge.Look(t.Context(), s.parts.Kernel, s.parts.Config.Network)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := firewall.Look(t.Context(), s.parts.Kernel, s.parts.firewall())
	if err != nil {
		t.Fatal(err)
	}
	return b.Exists && b.Up && b.IPForward && rules.ForwardOK && rules.MasqueradeOK
}

func TestKeeperMendsWhatBreaks(t *testing.T) {
	s := newKeeping(t)
	ctx := t.Context()
	s.look(ctx, s.parts)
	if !s.good(t) || !strings.Contains(strings.Join(s.said, "\n"), "Make the bridge flatnet-br0") {
		t.Fatalf("a fresh machine is not mended: %q", s.said)
	}
	s.now = s.now.Add(time.Hour)
	s.look(ctx, s.parts)
	said := len(s.said)
	s.now = s.now.Add(time.Hour)
	s.look(ctx, s.parts)
	if len(s.said) != said {
		t.Errorf("nothing was wrong, and it said %q", s.said[said:])
	}
	if err := s.parts.Kernel.DeleteLink(ctx, "flatnet-br0"); err != nil {
		t.Fatal(err)
	}
	if err := firewall.Remove(ctx, s.parts.Kernel, s.parts.firewall()); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(keepEvery)
	s.look(ctx, s.parts)
	if !s.good(t) {
		t.Errorf("not mended: %q", s.said)
	}
}

// podmanOf is a Podman with these containers.
type podmanOf []podman.Container

func (p podmanOf) Containers(context.Context) ([]podman.Container, error) { return p, nil }

func (podmanOf) Info(context.Context) (podman.Info, error) { return podman.Info{}, nil }

func (podmanOf) Events(context.Context) (<-chan podman.Event, error) {
	return nil, podman.ErrUnavailable
}

// TestKeeperBringsPortsBack: what a container publishes is among the rules, and
// its lease gets its name.
func TestKeeperBringsPortsBack(t *testing.T) {
	s := newKeeping(t)
	ctx := t.Context()
	lease := ipam.Lease{IP: netip.MustParseAddr("10.87.1.2"), ContainerID: "web", IfName: "eth0", AllocatedAt: s.now, Ports: "8080:80/tcp"}
	err := s.parts.Store.Update(ctx, func(state *ipam.State) ([]journal.Entry, error) {
		state.Put(lease)
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.look(ctx, s.parts)
	rules, err := s.parts.Kernel.SaveRules(ctx, kernel.BackendNFT)
	if err != nil || !strings.Contains(rules, "--to-destination 10.87.1.2:80") {
		t.Errorf("the published port is not among the rules: %v\n%s", err, rules)
	}
	if !slices.Contains(s.said, "Done: Note that the container with 10.87.1.2 is web.name.") {
		t.Errorf("the name was not written down: %q", s.said)
	}
}

// Rules that have not changed are looked at without a program; those that have,
// anew.
func TestKeeperReadsOnlyRulesThatChanged(t *testing.T) {
	s := newKeeping(t)
	reads := 0
	s.parts.Kernel = kernel.Hooked(s.parts.Kernel, func(op, target string) error {
		if op == "SaveRules" && target == string(kernel.BackendNFT) {
			reads++
		}
		return nil
	})
	look := func(times int) int {
		before := reads
		for range times {
			s.now = s.now.Add(time.Hour)
			s.look(t.Context(), s.parts)
		}
		return reads - before
	}
	look(3)
	if n := look(20); n > 0 {
		t.Errorf("rules that did not change were read %d times", n)
	}
	if err := s.parts.Kernel.RestoreRules(t.Context(), kernel.BackendNFT, "*filter\n-F FORWARD\nCOMMIT\n"); err != nil {
		t.Fatal(err)
	}
	if n := look(1); n == 0 || !s.good(t) {
		t.Errorf("a jump is gone: read %d times, good: %v", n, s.good(t))
	}
}

// Somebody who takes the rules away again and again is met less and less
// often.
func TestKeeperDoesNotFight(t *testing.T) {
	s := newKeeping(t)
	ctx := t.Context()
	s.look(ctx, s.parts)
	const hour = int(time.Hour / keepEvery)
	for range hour {
		if err := firewall.Remove(ctx, s.parts.Kernel, s.parts.firewall()); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(keepEvery)
		s.look(ctx, s.parts)
	}
	mended := 0
	for _, line := range s.said {
		if strings.Contains(line, "rule") {
			mended++
		}
	}
	if mended < 5 || mended > 30 {
		t.Errorf("mended %d times in an hour", mended)
	}
}

func TestKeeperSaysOnceWhatItCannotDo(t *testing.T) {
	s := newKeeping(t)
	ctx := t.Context()
	k := s.parts.Kernel
	if err := k.AddVeth(ctx, kernel.Veth{Host: "flatnet-br0", Peer: "x", PeerNS: k, MTU: 1500}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s.look(ctx, s.parts)
		s.now = s.now.Add(time.Hour)
	}
	told := slices.DeleteFunc(slices.Clone(s.said), func(l string) bool { return !strings.HasPrefix(l, "The bridge cannot be kept right") })
	if len(told) != 1 {
		t.Errorf("said %q", s.said)
	}
	if err := k.DeleteLink(ctx, "flatnet-br0"); err != nil {
		t.Fatal(err)
	}
	s.look(ctx, s.parts)
	if !s.good(t) || !slices.Contains(s.said, "The bridge can be kept right again.") {
		t.Errorf("said %q", s.said)
	}
}

// systemd hears of the first look, then that watch is alive. The socket is the
// test's own: no systemd runs here.
func TestKeeperTellsSystemd(t *testing.T) {
	s := newKeeping(t)
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.run(ctx, s.parts) }()
	var heard []string
	buf := make([]byte, 256)
	for range 2 {
		if err := conn.SetReadDeadline(time.Now().Add(4 * keepEvery)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("heard %q: %v", heard, err)
		}
		if len(heard) == 0 && !s.good(t) {
			t.Error("ready before the network was")
		}
		heard = append(heard, string(bytes.TrimSpace(buf[:n])))
	}
	cancel()
	<-done
	if !slices.Equal(heard, []string{"READY=1", "WATCHDOG=1"}) {
		t.Errorf("heard %q", heard)
	}
}

// Looking leaves nothing open, however often.
func TestKeeperLeavesNothingOpen(t *testing.T) {
	s := newKeeping(t)
	look := func(times int) (files, goroutines int) {
		for range times {
			s.look(t.Context(), s.parts)
			s.now = s.now.Add(time.Hour)
		}
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open), runtime.NumGoroutine()
	}
	files, goroutines := look(10)
	const slack = 10 // the runtime has some of its own; a leak would have 200
	if f, g := look(200); f > files+slack || g > goroutines+slack {
		t.Errorf("after 10 looks %d files and %d goroutines, after 210 %d and %d", files, goroutines, f, g)
	}
}
