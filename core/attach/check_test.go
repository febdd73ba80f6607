package attach_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"flatnet/core/attach"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// TestCheckNamesWhatIsGone breaks one part of a real attachment after the
// other.
func TestCheckNamesWhatIsGone(t *testing.T) {
	tests := []struct {
		name      string
		inside    func(link netlink.Link) error // in the container
		host      func(h *host, lease ipam.Lease) error
		want      error
		mentioned string
	}{
		{name: "veth", host: func(h *host, l ipam.Lease) error {
			return h.kernel.DeleteLink(context.Background(), l.HostVeth)
		}, want: attach.ErrMissing, mentioned: "interface fn-checked"},
		{name: "bridge membership", host: func(h *host, _ ipam.Lease) error {
			return h.kernel.DeleteLink(context.Background(), h.config.Network.Bridge)
		}, want: attach.ErrDiffers, mentioned: "bridge membership of fn-checked"},
		{name: "lease", host: func(h *host, l ipam.Lease) error {
			return h.store().Update(context.Background(), func(s *ipam.State) ([]journal.Entry, error) {
				return ipam.Release(s, l.IP, "test", time.Now())
			})
		}, want: attach.ErrMissing, mentioned: "lease"},
		{name: "address", inside: func(link netlink.Link) error {
			addr, err := netlink.ParseAddr("10.87.1.2/24")
			return errors.Join(err, netlink.AddrDel(link, addr))
		}, want: attach.ErrMissing, mentioned: "address 10.87.1.2/24"},
		{name: "route", inside: func(link netlink.Link) error {
			return netlink.RouteDel(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: netip.MustParseAddr("10.87.1.1").AsSlice()})
		}, want: attach.ErrMissing, mentioned: "route 0.0.0.0/0"},
		{name: "link down", inside: netlink.LinkSetDown, want: attach.ErrDiffers, mentioned: "state of eth0"},
		{name: "MAC", inside: func(link netlink.Link) error {
			return netlink.LinkSetHardwareAddr(link, []byte{2, 0, 0, 0, 0, 9})
		}, want: attach.ErrDiffers, mentioned: "MAC address of eth0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newRealHost(t)
			r := request("checked", h.add())
			result := h.mustAdd(r)
			want := attach.Expected{
				MAC: result.Inside.MAC, Addresses: []netip.Prefix{result.Address},
				Routes: []kernel.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gateway: result.Gateway}},
			}
			check := func() error { return h.attacher(h.kernel).Check(context.Background(), r.ID, r.NetNS, want) }
			if err := check(); err != nil {
				t.Fatalf("before: %v", err)
			}
			if test.host != nil {
				if err := test.host(h, result.Lease); err != nil {
					t.Fatal(err)
				}
			}
			if test.inside != nil {
				breakInside(t, r.NetNS, test.inside)
			}
			if err := check(); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.mentioned) {
				t.Errorf("check says %v, want something about %q", err, test.mentioned)
			}
		})
	}
}

func breakInside(t *testing.T, path string, change func(netlink.Link) error) {
	t.Helper()
	var err error
	nettest.In(t, path, func() {
		var link netlink.Link
		if link, err = netlink.LinkByName("eth0"); err == nil {
			err = change(link)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGC(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		ctx := context.Background()
		keep, drop, orphan, foreign := request("keep", h.add()), request("drop", h.add()), request("orphan", h.add()), request("foreign", h.add())
		h.mustAdd(keep)
		h.mustAdd(drop)
		lost := h.mustAdd(orphan)
		err := h.store().Update(ctx, func(s *ipam.State) ([]journal.Entry, error) {
			return ipam.Release(s, lost.Lease.IP, "test", time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		other := otherNetwork(h)
		other.mustAdd(foreign)

		if err := h.attacher(h.kernel).GC(ctx, []attach.ID{keep.ID}); err != nil {
			t.Fatal(err)
		}
		if got := h.leases(); len(got) != 1 || got[0].ContainerID != "keep" {
			t.Errorf("leases after GC: %v", got)
		}
		if got := h.hostEnds(); len(got) != 2 {
			t.Errorf("host ends after GC: %v, want that of keep and the other network's", got)
		}
		for _, check := range []error{
			h.attacher(h.kernel).Check(ctx, keep.ID, keep.NetNS, attach.Expected{}),
			other.attacher(h.kernel).Check(ctx, foreign.ID, foreign.NetNS, attach.Expected{}),
		} {
			if check != nil {
				t.Errorf("GC harmed what was to stay: %v", check)
			}
		}
	})
}

// otherNetwork is a second network on the same machine.
func otherNetwork(h *host) *host {
	other := &host{t: h.t, kernel: h.kernel, config: h.config, dir: filepath.Join(h.dir, "networks", "other")}
	n := &other.config.Network
	*n = config.Network{
		Name: "other", Bridge: "other-br0", Subnet: netip.MustParsePrefix("10.88.0.0/24"), Gateway: netip.MustParseAddr("10.88.0.1"),
		RangeStart: netip.MustParseAddr("10.88.0.2"), RangeEnd: netip.MustParseAddr("10.88.0.254"), Masquerade: true,
	}
	return other
}

// TestRebuild loses the state under live containers.
func TestRebuild(t *testing.T) {
	for _, broken := range []string{"", "{", "gone", `{"version": 99}`} {
		t.Run(broken, func(t *testing.T) {
			onBoth(t, func(t *testing.T, h *host) {
				live := []attach.Request{request("one", h.add()), request("two", h.add()), request("three", h.add())}
				var before []ipam.Lease
				for _, r := range live {
					before = append(before, h.mustAdd(r).Lease)
				}
				breakState(t, filepath.Join(h.dir, ipam.FileName), broken)

				h.mustAdd(request("four", h.add()))
				after := h.leases()
				if len(after) != 4 {
					t.Fatalf("%d leases, want 4: %v", len(after), after)
				}
				for i, b := range before {
					a := after[i]
					b.AllocatedAt, a.AllocatedAt = time.Time{}, time.Time{}
					if a != b {
						t.Errorf("rebuilt as %+v, was %+v", a, b)
					}
				}
				for _, r := range live {
					h.mustDel(r.ID)
				}
			})
		})
	}
}

func breakState(t *testing.T, file, text string) {
	t.Helper()
	var err error
	if text == "gone" {
		err = os.Remove(file)
	} else {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullPool: only what is surely gone is taken from its owner.
func TestFullPool(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		ctx := context.Background()
		h.config.Network.RangeEnd = netip.MustParseAddr("10.87.1.4")
		h.config.IPAM.Reservations = nil
		var paths []string
		for _, name := range []string{"one", "two", "three"} {
			paths = append(paths, h.add())
			h.mustAdd(request(name, paths[len(paths)-1]))
		}
		late := request("late", h.add())
		_, err := h.attacher(h.kernel).Add(ctx, late)
		if !errors.Is(err, ipam.ErrExhausted) || !strings.Contains(err.Error(), "3 held (3 active, 0 stale, 0 that") {
			t.Fatalf("add to a full pool: %v", err)
		}
		if err := h.attacher(h.kernel).Status(ctx); !errors.Is(err, attach.ErrNotReady) || !errors.Is(err, ipam.ErrExhausted) {
			t.Errorf("status of a full pool: %v", err)
		}
		h.destroy(paths[1])
		waitForLink(t, h, "fn-two")
		if err := h.attacher(h.kernel).Status(ctx); err != nil {
			t.Errorf("status with one to heal: %v", err)
		}
		if got := h.mustAdd(late); got.Address.Addr() != netip.MustParseAddr("10.87.1.3") {
			t.Errorf("got %s, want the address of the container that is gone", got.Address)
		}
	})
}

// waitForLink waits until the kernel has taken a link away with its peer's
// namespace, which it does beside.
func waitForLink(t *testing.T, h *host, name string) {
	t.Helper()
	for range 500 {
		if _, err := h.kernel.Link(context.Background(), name); errors.Is(err, kernel.ErrNotFound) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s is still there", name)
}

// TestReboot: leases of an earlier boot go when the pool needs them.
func TestReboot(t *testing.T) {
	fake := kernel.NewFake()
	h := newHost(t, fake)
	h.config.Network.RangeEnd = h.config.Network.RangeStart
	fake.AddNamespace("/run/netns/a")
	h.mustAdd(request("before", "/run/netns/a"))

	rebooted := kernel.NewFake()
	rebooted.SetBootID("00000000-0000-4000-8000-000000000002")
	rebooted.AddNamespace("/run/netns/b")
	h.kernel = rebooted
	h.mustAdd(request("after", "/run/netns/b"))
	if got := h.leases(); len(got) != 1 || got[0].ContainerID != "after" {
		t.Errorf("leases: %v", got)
	}
	entries, err := journal.Open(h.dir, "test").Recent(context.Background(), 10, func(e journal.Entry) bool { return e.Action == "heal" })
	if err != nil || len(entries) != 1 || entries[0].ContainerID != "before" {
		t.Errorf("journal: %v, %v", entries, err)
	}
}

// TestStatusBesideAnotherRoute has a route to a part of the subnet come up
// beside a bridge that stands: Add goes on, and Status says so.
func TestStatusBesideAnotherRoute(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		ctx := context.Background()
		h.mustAdd(request("one", h.add()))
		if err := errors.Join(h.kernel.AddBridge(ctx, "vpn0", 1500), h.kernel.SetUp(ctx, "vpn0"),
			h.kernel.AddAddr(ctx, "vpn0", netip.MustParsePrefix("10.87.1.200/30"))); err != nil {
			t.Fatal(err)
		}
		if err := h.attacher(h.kernel).Status(ctx); err != nil {
			t.Errorf("status: %v", err)
		}
		h.mustAdd(request("two", h.add()))
	})
}

// TestCheckOfAnOldLease has a lease of the old form, which names no interface.
func TestCheckOfAnOldLease(t *testing.T) {
	h := newFakeHost(t)
	err := h.store().Update(context.Background(), func(s *ipam.State) ([]journal.Entry, error) {
		s.Put(ipam.Lease{IP: netip.MustParseAddr("10.87.1.2"), ContainerID: "0123456789"})
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = h.attacher(h.kernel).Check(context.Background(), attach.ID{ContainerID: "0123456789", IfName: "eth0"}, h.add(), attach.Expected{})
	if !errors.Is(err, attach.ErrMissing) || !strings.Contains(err.Error(), "interface fn-01234567") {
		t.Errorf("%v", err)
	}
}

func TestStatusOfAGoodNetwork(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		if err := h.attacher(h.kernel).Status(context.Background()); err != nil {
			t.Errorf("before the first container: %v", err)
		}
		h.mustAdd(request("one", h.add()))
		if err := h.attacher(h.kernel).Status(context.Background()); err != nil {
			t.Errorf("after the first container: %v", err)
		}
		if got := h.leases(); len(got) != 1 {
			t.Errorf("status changed the leases: %v", got)
		}
	})
}

func TestParseAlias(t *testing.T) {
	for _, alias := range []string{
		"", "flatnet", "flatnet a b c", "flatnet a b eth0 nonsense", "other a b eth0 10.0.0.1", "flatnet a b eth0 10.0.0.1 name more",
	} {
		if o, ok := attach.ParseAlias(alias); ok {
			t.Errorf("%q is taken for %+v", alias, o)
		}
	}
}

func FuzzParseAlias(f *testing.F) {
	f.Add("flatnet flatnet 0123 eth0 10.87.1.2 name")
	f.Fuzz(func(t *testing.T, alias string) {
		o, ok := attach.ParseAlias(alias)
		if !ok {
			return
		}
		if again, ok := attach.ParseAlias(o.String()); !ok && len(o.String()) <= 255 || ok && again.ID != o.ID {
			t.Errorf("%q gives %+v, and that gives %q", alias, o, o.String())
		}
	})
}
