package attach_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/attach"
	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// host is a machine that containers are attached to: one in memory, or a real
// network namespace.
type host struct {
	t       testing.TB
	kernel  kernel.Kernel
	config  config.Config
	dir     string // of the state
	add     func() string
	destroy func(path string)
	log     strings.Builder
}

// onBoth runs a test on the fake and on the real kernel.
func onBoth(t *testing.T, test func(t *testing.T, h *host)) {
	t.Run("fake", func(t *testing.T) { test(t, newFakeHost(t)) })
	t.Run("real", func(t *testing.T) { test(t, newRealHost(t)) })
}

func newFakeHost(t testing.TB) *host {
	fake := kernel.NewFake()
	h := newHost(t, fake)
	n := 0
	h.add = func() string {
		n++
		path := "/run/netns/c" + string(rune('a'+n))
		fake.AddNamespace(path)
		return path
	}
	h.destroy = fake.DeleteNamespace
	return h
}

func newRealHost(t testing.TB) *host {
	k, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	h := newHost(t, k)
	h.add = func() string { return nettest.New(t) }
	h.destroy = nettest.Delete
	return h
}

func newHost(t testing.TB, k kernel.Kernel) *host {
	c := config.Default()
	c.IPAM.StateDir = t.TempDir()
	return &host{t: t, kernel: k, config: c, dir: c.IPAM.StateDir}
}

func (h *host) store() ipam.Store {
	return ipam.OpenFile(h.dir, ipam.Options{
		Pool: ipam.PoolOf(h.config), Holder: "test", Now: time.Now,
		Rebuild: attach.Rebuild(h.kernel, h.config.Network, time.Now),
	})
}

// attacher works on k, which may be a hooked one.
func (h *host) attacher(k kernel.Kernel) *attach.Attacher {
	return attach.New(attach.Options{
		Kernel: k, Store: h.store(), Config: h.config, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	})
}

func (h *host) mustAdd(r attach.Request) attach.Result {
	h.t.Helper()
	result, err := h.attacher(h.kernel).Add(context.Background(), r)
	if err != nil {
		h.t.Fatalf("add %s: %v", r.ID, err)
	}
	return result
}

func (h *host) mustDel(id attach.ID) {
	h.t.Helper()
	if err := h.attacher(h.kernel).Del(context.Background(), id); err != nil {
		h.t.Fatalf("del %s: %v", id, err)
	}
}

// leases gives the addresses that are held.
func (h *host) leases() []ipam.Lease {
	h.t.Helper()
	state, err := h.store().Read(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	var all []ipam.Lease
	for l := range state.All() {
		all = append(all, l)
	}
	return all
}

// hostEnds gives the names of the host's links that are ours.
func (h *host) hostEnds() []string {
	h.t.Helper()
	links, err := h.kernel.Links(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, l := range links {
		if strings.HasPrefix(l.Name, "fn-") {
			names = append(names, l.Name)
		}
	}
	return names
}

func (h *host) inside(path string) kernel.Namespace {
	h.t.Helper()
	ns, err := h.kernel.Open(context.Background(), path)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = ns.Close() })
	return ns
}

func (h *host) nothingLeft(what string) {
	h.t.Helper()
	if got := h.leases(); len(got) > 0 {
		h.t.Errorf("%s: leases are left: %v", what, got)
	}
	if got := h.hostEnds(); len(got) > 0 {
		h.t.Errorf("%s: links are left: %v", what, got)
	}
}

func request(container, netns string) attach.Request {
	return attach.Request{ID: attach.ID{ContainerID: container, IfName: "eth0"}, Name: "name-" + container, NetNS: netns}
}

func TestAddAndDel(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		ctx := context.Background()
		path := h.add()
		r := request("0123456789abcdef", path)
		got := h.mustAdd(r)

		if got.Address.String() != "10.87.1.2/24" || got.Gateway.String() != "10.87.1.1" || !got.DefaultRoute {
			t.Errorf("result: %+v", got)
		}
		if got.Host.Name != "fn-01234567" || got.Bridge.Name != "flatnet-br0" || got.Inside.MAC.String() != "0a:f1:0a:57:01:02" {
			t.Errorf("interfaces: %v, %v, %v", got.Bridge, got.Host, got.Inside)
		}
		link, err := h.kernel.Link(ctx, "fn-01234567")
		if err != nil {
			t.Fatal(err)
		}
		if want := "flatnet flatnet 0123456789abcdef eth0 10.87.1.2 name-0123456789abcdef"; link.Alias != want {
			t.Errorf("alias %q, want %q", link.Alias, want)
		}
		if link.Master != "flatnet-br0" || !link.Up {
			t.Errorf("host end: %+v", link)
		}
		if err := h.attacher(h.kernel).Check(ctx, r.ID, path, attach.Expected{MAC: got.Inside.MAC}); err != nil {
			t.Errorf("check: %v", err)
		}

		h.mustDel(r.ID)
		h.nothingLeft("after del")
		if _, err := h.inside(path).Link(ctx, "eth0"); !errors.Is(err, kernel.ErrNotFound) {
			t.Errorf("eth0 in the container after del: %v", err)
		}
		h.mustDel(r.ID) // again
	})
}

func TestDelWithoutNamespace(t *testing.T) {
	onBoth(t, func(_ *testing.T, h *host) {
		path := h.add()
		r := request("0123456789abcdef", path)
		h.mustAdd(r)
		h.destroy(path)
		h.mustDel(r.ID)
		h.nothingLeft("after del")
	})
}

func TestAddRefuses(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		path := h.add()
		there := request("there", path)
		h.mustAdd(there)
		other := h.add()
		tests := []struct {
			name string
			r    attach.Request
			want error
		}{
			{"no namespace", request("new", "/run/netns/none"), kernel.ErrNoNamespace},
			{"the same again", there, attach.ErrInterfaceTaken},
			{"the same in another namespace", request("there", other), attach.ErrAttached},
			{"another container in that namespace", request("new", path), attach.ErrInterfaceTaken},
			{"no container id", request("", other), attach.ErrRequest},
			{"a path as container id", request("../x", other), attach.ErrRequest},
			{"a long container id", request(strings.Repeat("x", 250), other), attach.ErrRequest},
			{"no interface name", attach.Request{ID: attach.ID{ContainerID: "new"}, NetNS: other}, attach.ErrRequest},
			{"an interface with a slash", attach.Request{ID: attach.ID{ContainerID: "new", IfName: "a/b"}, NetNS: other}, attach.ErrRequest},
			{"an interface that the kernel would number", attach.Request{ID: attach.ID{ContainerID: "new", IfName: "a%d"}, NetNS: other}, attach.ErrRequest},
			{"no MAC at all", with(request("new", other), func(r *attach.Request) { r.MAC = make(net.HardwareAddr, 6) }), attach.ErrRequest},
			{"a multicast MAC", with(request("new", other), func(r *attach.Request) { r.MAC = net.HardwareAddr{1, 0, 0, 0, 0, 1} }), attach.ErrRequest},
			{"an address that is held", with(request("new", other), func(r *attach.Request) { r.IP = netip.MustParseAddr("10.87.1.2") }), ipam.ErrTaken},
			{"the gateway's address", with(request("new", other), func(r *attach.Request) { r.IP = netip.MustParseAddr("10.87.1.1") }), ipam.ErrGateway},
			{"an address outside", with(request("new", other), func(r *attach.Request) { r.IP = netip.MustParseAddr("10.9.9.9") }), ipam.ErrOutside},
		}
		for _, test := range tests {
			_, err := h.attacher(h.kernel).Add(context.Background(), test.r)
			if !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
		if got := h.leases(); len(got) != 1 {
			t.Errorf("%d leases after the failures, want the one of before", len(got))
		}
		if err := h.attacher(h.kernel).Check(context.Background(), there.ID, path, attach.Expected{}); err != nil {
			t.Errorf("the one that stood was harmed: %v", err)
		}
	})
}

func with(r attach.Request, change func(*attach.Request)) attach.Request {
	change(&r)
	return r
}

// TestMACThatSomebodyAskedFor is the one that is made from the next address.
func TestMACThatSomebodyAskedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		mac := net.HardwareAddr{0x0a, 0xf1, 10, 87, 1, 3}
		h.mustAdd(with(request("first", h.add()), func(r *attach.Request) { r.MAC = mac }))
		got := h.mustAdd(request("second", h.add()))
		if got.Address.Addr().String() != "10.87.1.3" || got.Inside.MAC.String() == mac.String() {
			t.Errorf("the second got %s with %s", got.Address, got.Inside.MAC)
		}
		asks := with(request("third", h.add()), func(r *attach.Request) { r.MAC = mac })
		if _, err := h.attacher(h.kernel).Add(context.Background(), asks); !errors.Is(err, ipam.ErrTaken) || core.Hint(err) == "" {
			t.Errorf("asking for the first one's: %v", err)
		}
	})
}

func TestAddRefusesOwnNamespace(t *testing.T) {
	h := newRealHost(t)
	_, err := h.attacher(kernel.New()).Add(context.Background(), request("self", "/proc/self/ns/net"))
	if !errors.Is(err, attach.ErrOwnNamespace) {
		t.Errorf("got %v, want %v", err, attach.ErrOwnNamespace)
	}
	h.nothingLeft("after the failure")
}

// A container whose runtime never called DEL comes back with a new namespace.
func TestAddAfterACrash(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		path := h.add()
		r := request("crashed", path)
		before := h.mustAdd(r)
		h.destroy(path)
		r.NetNS = h.add()
		if after := h.mustAdd(r); after.Address != before.Address {
			t.Errorf("the address was %s, and is %s", before.Address, after.Address)
		}
		if got := h.hostEnds(); len(got) != 1 {
			t.Errorf("host ends: %v", got)
		}
	})
}

func TestNamesThatClash(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		one, two := request("0123456789aaaaaa", h.add()), request("0123456789bbbbbb", h.add())
		a, b := h.mustAdd(one), h.mustAdd(two)
		if a.Host.Name != "fn-01234567" || b.Host.Name == a.Host.Name || len(b.Host.Name) != 15 {
			t.Errorf("host ends %s and %s", a.Host.Name, b.Host.Name)
		}
		second := with(one, func(r *attach.Request) { r.IfName = "eth1" })
		c := h.mustAdd(second) // two interfaces in one container
		if c.DefaultRoute {
			t.Error("the second interface claims the default route")
		}
		if err := h.attacher(h.kernel).Check(context.Background(), second.ID, second.NetNS, attach.Expected{}); err != nil {
			t.Errorf("check of the second interface: %v", err)
		}
		h.mustDel(two.ID)
		if got := h.hostEnds(); len(got) != 2 {
			t.Errorf("host ends after del of one of three: %v", got)
		}
		h.mustDel(one.ID)
		h.mustDel(second.ID)
		h.nothingLeft("after del")
	})
}

func TestNameFromOutside(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		long := strings.Repeat("名", 200)
		for i, name := range []string{"two words", "line\nbreak\x1b[31m", long, "\xff\xfe"} {
			r := request("outside"+string(rune('a'+i)), h.add())
			r.Name = name
			got := h.mustAdd(r)
			if strings.ContainsAny(got.Lease.Name, " \n\x1b\ufffd") || len(got.Lease.Name) > attach.MaxName {
				t.Errorf("name %q was kept as %q", name, got.Lease.Name)
			}
			link, err := h.kernel.Link(context.Background(), got.Host.Name)
			if owner, ok := attach.ParseAlias(link.Alias); err != nil || !ok || owner.ID != r.ID {
				t.Errorf("alias %q (%v) does not say whose it is", link.Alias, err)
			}
		}
	})
}

func TestBridgeThatCannotBe(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		name    string
		prepare func(k kernel.Kernel, n config.Network) error
		want    error
	}{
		{"the name is a veth's", func(k kernel.Kernel, n config.Network) error {
			return k.AddVeth(ctx, kernel.Veth{Host: n.Bridge, Peer: "peer0", PeerNS: k})
		}, bridge.ErrNotBridge},
		{"another address", func(k kernel.Kernel, n config.Network) error {
			return errors.Join(k.AddBridge(ctx, n.Bridge, 1500), k.AddAddr(ctx, n.Bridge, netip.MustParsePrefix("192.0.2.1/24")))
		}, bridge.ErrForeignAddress},
		{"a route elsewhere", func(k kernel.Kernel, _ config.Network) error {
			return errors.Join(k.AddBridge(ctx, "other0", 1500), k.SetUp(ctx, "other0"), k.AddAddr(ctx, "other0", netip.MustParsePrefix("10.87.0.1/16")))
		}, bridge.ErrOverlap},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, h *host) {
				if err := test.prepare(h.kernel, h.config.Network); err != nil {
					t.Fatal(err)
				}
				_, err := h.attacher(h.kernel).Add(ctx, request("one", h.add()))
				if !errors.Is(err, test.want) || core.Hint(err) == "" {
					t.Errorf("add: %v (hint %q), want %v and a hint", err, core.Hint(err).String(), test.want)
				}
				h.nothingLeft("after the failure")
				if err := h.attacher(h.kernel).Status(ctx); !errors.Is(err, attach.ErrNotReady) || !errors.Is(err, test.want) || core.Hint(err) == "" {
					t.Errorf("status: %v (hint %q)", err, core.Hint(err).String())
				}
			})
		})
	}
}

func TestWithoutIptables(t *testing.T) {
	fake := kernel.NewFake()
	fake.RemoveProgram(kernel.BackendNFT)
	fake.RemoveProgram(kernel.BackendLegacy)
	fake.AddNamespace("/run/netns/c")
	h := newHost(t, fake)
	h.mustAdd(request("one", "/run/netns/c"))
	if !strings.Contains(h.log.String(), "packet filter") {
		t.Errorf("the log says nothing of it: %q", h.log.String())
	}
	h.config.Firewall.Backend = "iptables-legacy"
	fake.AddNamespace("/run/netns/d")
	if _, err := h.attacher(fake).Add(context.Background(), request("two", "/run/netns/d")); !errors.Is(err, kernel.ErrNoProgram) {
		t.Errorf("with a backend asked for by name: %v", err)
	}
	if got := h.leases(); len(got) != 1 {
		t.Errorf("%d leases, want 1", len(got))
	}
}
