package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

var ctx = context.Background()

func network() config.Network {
	return config.Network{
		Name: "flatnet", Bridge: "flatnet-br0", Hairpin: true,
		Subnet: netip.MustParsePrefix("10.87.1.0/24"), Gateway: netip.MustParseAddr("10.87.1.1"),
	}
}

// host is a namespace of the test's own, with the kernel in it.
type host struct {
	kernel.Kernel
	path string
}

func newHost(t *testing.T) host {
	t.Helper()
	path := nettest.New(t)
	k, err := kernel.At(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return host{k, path}
}

// ip runs ip commands in the namespace, one a line.
func (h host) ip(t *testing.T, lines ...string) string {
	t.Helper()
	var all []byte
	for _, line := range lines {
		var out []byte
		var err error
		nettest.In(t, h.path, func() { out, err = exec.Command("ip", strings.Fields(line)...).CombinedOutput() })
		if err != nil {
			t.Fatalf("ip %s: %v\n%s", line, err, out)
		}
		all = append(all, out...)
	}
	return string(all)
}

func (h host) look(t *testing.T, n config.Network) bridge.Status {
	t.Helper()
	s, err := bridge.Look(ctx, h, n)
	if err != nil {
		t.Fatalf("Look: %v", err)
	}
	return s
}

func TestEnsureMakes(t *testing.T) {
	h, n := newHost(t), network()
	if s := h.look(t, n); s.Exists || s.OK() || s.IPForward || s.Want != "10.87.1.1/24" {
		t.Errorf("before Ensure: %+v", s)
	}
	for range 2 {
		if err := bridge.Ensure(ctx, h, n); err != nil {
			t.Fatalf("Ensure: %v", err)
		}
		s := h.look(t, n)
		if !s.OK() || s.Running || s.MTU != 1500 || s.WantMTU != 0 || fmt.Sprint(s.Addresses) != "[10.87.1.1/24]" {
			t.Errorf("after Ensure: %+v", s)
		}
	}
	h.ip(t, "link add p0 type veth peer name p1", "link set p0 master flatnet-br0 up", "link set p1 up")
	// The kernel reports carrier a moment after the link is up.
	s := h.look(t, n)
	for end := time.Now().Add(time.Minute); !s.Running && time.Now().Before(end); s = h.look(t, n) {
		time.Sleep(5 * time.Millisecond)
	}
	if len(s.Ports) != 1 || s.Ports[0].Name != "p0" || !s.Ports[0].Up || !s.Running {
		t.Errorf("with a port: %+v", s)
	}
}

// TestEnsureMends changes what Ensure made, and sees it seen and put back.
func TestEnsureMends(t *testing.T) {
	cases := map[string]struct {
		change func(t *testing.T, h host)
		seen   func(s bridge.Status) bool
	}{
		"down": {
			func(t *testing.T, h host) { h.ip(t, "link set flatnet-br0 down") },
			func(s bridge.Status) bool { return s.Exists && !s.Up },
		},
		"address gone": {
			func(t *testing.T, h host) { h.ip(t, "address flush dev flatnet-br0") },
			func(s bridge.Status) bool { return !s.AddressOK() && len(s.Addresses) == 0 },
		},
		"MTU": {
			func(t *testing.T, h host) { h.ip(t, "link set flatnet-br0 mtu 1280") },
			func(s bridge.Status) bool { return !s.MTUOK() && s.MTU == 1280 && s.WantMTU == 1420 },
		},
		"ip_forward": {
			func(t *testing.T, h host) {
				if err := h.SetSysctl(ctx, bridge.ForwardKey, "0"); err != nil {
					t.Fatal(err)
				}
			},
			func(s bridge.Status) bool { return !s.IPForward },
		},
		"deleted": {
			func(t *testing.T, h host) { h.ip(t, "link del flatnet-br0") },
			func(s bridge.Status) bool { return !s.Exists },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h, n := newHost(t), network()
			n.MTU = 1420
			if err := bridge.Ensure(ctx, h, n); err != nil {
				t.Fatal(err)
			}
			c.change(t, h)
			if s := h.look(t, n); s.OK() || !c.seen(s) {
				t.Errorf("not seen: %+v", s)
			}
			if err := bridge.Ensure(ctx, h, n); err != nil {
				t.Fatal(err)
			}
			if s := h.look(t, n); !s.OK() {
				t.Errorf("not mended: %+v", s)
			}
		})
	}
}

func TestMTUFollowsDefaultRoute(t *testing.T) {
	h, n := newHost(t), network()
	h.ip(t,
		"link add up0 mtu 1400 type veth peer name up1", "link add up2 mtu 1300 type veth peer name up3",
		"address add 192.168.7.2/24 dev up0", "address add 192.168.8.2/24 dev up2",
		"link set up0 up", "link set up1 up", "link set up2 up", "link set up3 up",
		"route add default via 192.168.8.1 metric 200", "route add default via 192.168.7.1 metric 100")
	if err := bridge.Ensure(ctx, h, n); err != nil {
		t.Fatal(err)
	}
	if s := h.look(t, n); s.MTU != 1400 || s.WantMTU != 1400 || !s.OK() {
		t.Errorf("made with %+v, want MTU 1400", s)
	}
	h.ip(t, "link set up0 mtu 1350")
	if s := h.look(t, n); s.WantMTU != 1350 || s.OK() {
		t.Errorf("after the link's change: %+v", s)
	}
}

// TestEnsureRefuses makes each obstacle; nothing of it may be changed.
func TestEnsureRefuses(t *testing.T) {
	cases := map[string]struct {
		setUp []string
		want  error
		hint  string
	}{
		"name taken": {
			[]string{"link add flatnet-br0 type veth peer name other"},
			bridge.ErrNotBridge, "another name",
		},
		"foreign address": {
			[]string{"link add flatnet-br0 type bridge", "address add 10.99.0.1/24 dev flatnet-br0"},
			bridge.ErrForeignAddress, "ip address del 10.99.0.1/24 dev flatnet-br0",
		},
		"foreign address beside ours": {
			[]string{
				"link add flatnet-br0 type bridge", "address add 10.87.1.1/24 dev flatnet-br0",
				"address add 10.99.0.1/24 dev flatnet-br0",
			},
			bridge.ErrForeignAddress, "10.99.0.1/24",
		},
		"ours with another length": {
			[]string{"link add flatnet-br0 type bridge", "address add 10.87.1.1/16 dev flatnet-br0"},
			bridge.ErrForeignAddress, "10.87.1.1/16",
		},
		"route to the subnet": {
			[]string{"link add eth9 type veth peer name eth8", "link set eth9 up", "route add 10.87.1.0/24 dev eth9"},
			bridge.ErrOverlap, "another subnet",
		},
		"route within the subnet": {
			[]string{"link add eth9 type veth peer name eth8", "link set eth9 up", "route add 10.87.1.128/25 dev eth9"},
			bridge.ErrOverlap, "another subnet",
		},
		"route around the subnet": {
			[]string{"link add eth9 type veth peer name eth8", "link set eth9 up", "route add 10.0.0.0/8 dev eth9"},
			bridge.ErrOverlap, "another subnet",
		},
		"a bridge without address, and a route": {
			[]string{
				"link add flatnet-br0 type bridge", "link add eth9 type veth peer name eth8", "link set eth9 up",
				"route add 10.87.1.0/24 dev eth9",
			},
			bridge.ErrOverlap, "another subnet",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h, n := newHost(t), network()
			h.ip(t, c.setUp...)
			before := h.ip(t, "address", "route")
			err := bridge.Ensure(ctx, h, n)
			if !errors.Is(err, c.want) || !strings.Contains(core.Hint(err).String(), c.hint) {
				t.Errorf("Ensure: %v\nhint: %s", err, core.Hint(err).String())
			}
			if after := h.ip(t, "address", "route"); after != before {
				t.Errorf("Ensure refused, and changed\n%s\nto\n%s", before, after)
			}
			if s := h.look(t, n); s.OK() || !errors.Is(s.Obstacle(), c.want) {
				t.Errorf("Look: %+v, obstacle %v", s, s.Obstacle())
			}
		})
	}
}

// TestWideRoutes: a VPN's halves of everything are no network of anybody's.
func TestWideRoutes(t *testing.T) {
	h, n := newHost(t), network()
	h.ip(t, "link add tun9 type veth peer name tun8", "link set tun9 up",
		"route add 0.0.0.0/1 dev tun9", "route add 128.0.0.0/1 dev tun9", "route add default dev tun9")
	if err := bridge.Ensure(ctx, h, n); err != nil {
		t.Error(err)
	}
}

// TestFaults lets each operation of Ensure fail in turn, on no bridge and on
// one that needs everything: nothing is left, and the next Ensure works.
func TestFaults(t *testing.T) {
	fault := errors.New("made to fail")
	for name, setUp := range map[string]func(*testing.T, host){
		"none":  func(*testing.T, host) {},
		"faded": func(t *testing.T, h host) { h.ip(t, "link add flatnet-br0 mtu 1280 type bridge") },
	} {
		t.Run(name, func(t *testing.T) {
			n := network()
			n.MTU = 1400
			for at := 1; ; at++ {
				h := newHost(t)
				setUp(t, h)
				before := h.ip(t, "-br link")
				count, failed := 0, ""
				k := kernel.Hooked(h.Kernel, func(op, _ string) error {
					if count++; count == at {
						failed = op
						return fault
					}
					return nil
				})
				err := bridge.Ensure(ctx, k, n)
				if failed == "" {
					if err != nil {
						t.Fatalf("without a fault: %v", err)
					}
					if at < 5 {
						t.Errorf("Ensure makes only %d calls", at-1)
					}
					return
				}
				// A sysctl that cannot be read may still be written.
				if failed != "Sysctl" && !errors.Is(err, fault) {
					t.Errorf("%s (call %d) failed: Ensure gave %v", failed, at, err)
				}
				if after := h.ip(t, "-br link"); name == "none" && err != nil && after != before {
					t.Errorf("%s (call %d) failed, and left\n%s", failed, at, after)
				}
				if err := bridge.Ensure(ctx, h, n); err != nil || !h.look(t, n).OK() {
					t.Errorf("Ensure after %s had failed: %v", failed, err)
				}
			}
		})
	}
}

// TestNoRights: without the right to change the network the error says so.
func TestNoRights(t *testing.T) {
	k := kernel.Hooked(kernel.NewFake(), func(op, target string) error {
		if op == "AddBridge" {
			return fmt.Errorf("%s: %w", target, kernel.ErrPermission)
		}
		return nil
	})
	err := bridge.Ensure(ctx, k, network())
	if !errors.Is(err, kernel.ErrPermission) || core.Hint(err) != "run it as root" {
		t.Errorf("got %v, hint %q", err, core.Hint(err).String())
	}
}

func TestDetached(t *testing.T) {
	f, n := kernel.NewFake(), network()
	f.AddNamespace("/run/netns/c1")
	c, err := f.Open(ctx, "/run/netns/c1")
	if err != nil {
		t.Fatal(err)
	}
	for host, alias := range map[string]string{"fn-1": "flatnet flatnet 1 eth0", "fn-2": "flatnet other 2 eth0", "fn-3": ""} {
		if err := f.AddVeth(ctx, kernel.Veth{Host: host, Peer: host + "p", PeerNS: c, Alias: alias}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := bridge.Look(ctx, f, n)
	if err != nil || len(s.Detached) != 1 || s.Detached[0].Name != "fn-1" {
		t.Errorf("Detached: %+v, %v", s.Detached, err)
	}
}
