package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

var ctx = context.Background()

// world is a kernel for the contract to be tried on, and a way to further
// namespaces.
type world struct {
	kernel.Kernel
	newNS    func() string
	deleteNS func(path string)
}

// worlds runs f on the real kernel and on the fake.
func worlds(t *testing.T, f func(t *testing.T, w world)) {
	t.Run("real", func(t *testing.T) { f(t, realWorld(t)) })
	t.Run("fake", func(t *testing.T) {
		k, count := kernel.NewFake(), 0
		newNS := func() string {
			count++
			path := fmt.Sprintf("/run/netns/c%d", count)
			k.AddNamespace(path)
			return path
		}
		f(t, world{k, newNS, k.DeleteNamespace})
	})
}

func realWorld(t *testing.T) world {
	k, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return world{k, func() string { return nettest.New(t) }, nettest.Delete}
}

// open enters a new namespace.
func (w world) open(t *testing.T) (kernel.Namespace, string) {
	t.Helper()
	path := w.newNS()
	ns, err := w.Open(ctx, path)
	must(t, err)
	t.Cleanup(func() { _ = ns.Close() })
	return ns, path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func link(t *testing.T, ns kernel.Namespace, name string) kernel.Link {
	t.Helper()
	l, err := ns.Link(ctx, name)
	must(t, err)
	return l
}

var (
	gateway = netip.MustParsePrefix("10.87.1.1/24")
	inside  = netip.MustParsePrefix("10.87.1.2/24")
	anyDst  = netip.MustParsePrefix("0.0.0.0/0")
)

func TestBridge(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		must(t, w.AddBridge(ctx, "br0", 1400))
		b := link(t, w, "br0")
		if b.Type != "bridge" || b.MTU != 1400 || b.Up || b.Running || b.Index < 2 || len(b.MAC) != 6 {
			t.Errorf("a new bridge is %+v", b)
		}
		wantError(t, "a second of that name", w.AddBridge(ctx, "br0", 0), kernel.ErrExists)
		if err := w.AddBridge(ctx, "a-name-far-too-long", 0); err == nil {
			t.Error("a bridge with a name of 19 bytes was made")
		}
		must(t, w.SetMTU(ctx, "br0", 1300))
		must(t, w.SetUp(ctx, "br0"))
		must(t, w.AddAddr(ctx, "br0", gateway))
		must(t, w.AddAddr(ctx, "lo", inside)) // no business of the bridge's
		wantError(t, "the address again", w.AddAddr(ctx, "br0", gateway), kernel.ErrExists)
		addrs, err := w.Addrs(ctx, "br0")
		if err != nil || !slices.Equal(addrs, []netip.Prefix{gateway}) {
			t.Errorf("Addrs: %v, %v", addrs, err)
		}
		if b = link(t, w, "br0"); !b.Up || b.Running || b.MTU != 1300 {
			t.Errorf("the bridge, up and without ports, is %+v", b)
		}
		must(t, w.DeleteLink(ctx, "br0"))
		_, err = w.Link(ctx, "br0")
		wantError(t, "Link after DeleteLink", err, kernel.ErrNotFound)
	})
}

func TestNothingThere(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		_, err := w.Addrs(ctx, "none")
		for what, err := range map[string]error{
			"Addrs": err, "DeleteLink": w.DeleteLink(ctx, "none"), "SetUp": w.SetUp(ctx, "none"),
			"SetMTU": w.SetMTU(ctx, "none", 1500), "AddAddr": w.AddAddr(ctx, "none", gateway),
			"SetMaster": w.SetMaster(ctx, "none", "lo", false),
			"AddRoute":  w.AddRoute(ctx, kernel.Route{Dst: anyDst, Link: "none"}),
			"SetSysctl": w.SetSysctl(ctx, "net.none.at_all", "1"),
		} {
			wantError(t, what, err, kernel.ErrNotFound)
		}
		links, err := w.Links(ctx)
		if err != nil || len(links) != 1 || links[0].Type != "loopback" || links[0].Name != "lo" {
			t.Errorf("Links: %+v, %v", links, err)
		}
	})
}

func TestVeth(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		c, _ := w.open(t)
		must(t, w.AddBridge(ctx, "br0", 0))
		must(t, w.SetUp(ctx, "br0"))
		v := kernel.Veth{
			Host: "fn-12345678", Alias: "flatnet net 12345678 eth0 10.87.1.2", Peer: "eth0", PeerNS: c,
			PeerMAC: []byte{2, 0, 0, 0x87, 1, 2}, MTU: 1400,
		}
		must(t, w.AddVeth(ctx, v))
		must(t, w.SetMaster(ctx, v.Host, "br0", true))
		host, peer := link(t, w, v.Host), link(t, c, "eth0")
		if host.Type != "veth" || host.MTU != 1400 || host.Master != "br0" || !host.Hairpin || host.Alias != v.Alias || host.Up {
			t.Errorf("the host's end is %+v", host)
		}
		if peer.MAC.String() != v.PeerMAC.String() || peer.MTU != 1400 || peer.Up || peer.Alias != "" {
			t.Errorf("the other end is %+v", peer)
		}
		if host.PeerIndex != peer.Index || peer.PeerIndex != host.Index {
			t.Errorf("indexes: host %d→%d, peer %d→%d", host.Index, host.PeerIndex, peer.Index, peer.PeerIndex)
		}
		must(t, w.SetMaster(ctx, v.Host, "br0", false))
		must(t, w.SetUp(ctx, v.Host))
		if link(t, w, v.Host).Running {
			t.Error("one end up, and it has carrier")
		}
		must(t, c.SetUp(ctx, "eth0"))
		host = link(t, w, v.Host)
		if !host.Running || host.Hairpin {
			t.Errorf("both ends up: %+v", host)
		}
		links, err := w.Links(ctx)
		if err != nil || len(links) != 3 || links[2].Name != v.Host || links[2].Master != "br0" || links[2].Alias != v.Alias {
			t.Errorf("Links: %+v, %v", links, err)
		}
		must(t, w.DeleteLink(ctx, v.Host))
		_, err = c.Link(ctx, "eth0")
		wantError(t, "the other end after DeleteLink", err, kernel.ErrNotFound)
	})
}

func TestVethRefused(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		c, _ := w.open(t)
		v := kernel.Veth{Host: "fn-1", Peer: "eth0", PeerNS: c}
		must(t, w.AddVeth(ctx, v))
		v.Peer = "eth1"
		wantError(t, "the host's name again", w.AddVeth(ctx, v), kernel.ErrExists)
		v.Host, v.Peer = "fn-2", "eth0"
		wantError(t, "the peer's name again", w.AddVeth(ctx, v), kernel.ErrExists)
		v.Peer, v.MTU = "eth2", 20
		if w.AddVeth(ctx, v) == nil {
			t.Error("an MTU of 20 was taken")
		}
		v.MTU, v.Alias = 0, strings.Repeat("a", 256)
		if w.AddVeth(ctx, v) == nil {
			t.Error("an alias of 256 bytes was taken")
		}
		for _, ns := range []kernel.Namespace{w, c} {
			if links, err := ns.Links(ctx); err != nil || len(links) > 2 {
				t.Errorf("something is left: %+v, %v", links, err)
			}
		}
	})
}

func TestRoutes(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		c, _ := w.open(t)
		must(t, w.AddVeth(ctx, kernel.Veth{Host: "fn-1", Peer: "eth0", PeerNS: c}))
		def := kernel.Route{Dst: anyDst, Gateway: gateway.Addr(), Link: "eth0"}
		far := kernel.Route{Dst: netip.MustParsePrefix("192.168.7.0/24"), Link: "eth0", Metric: 7}
		wantError(t, "a route by a link that is down", c.AddRoute(ctx, far), unix.ENETDOWN)
		must(t, c.SetUp(ctx, "eth0"))
		wantError(t, "a route by a gateway out of reach", c.AddRoute(ctx, def), unix.ENETUNREACH)
		must(t, c.AddAddr(ctx, "eth0", inside))
		must(t, c.AddRoute(ctx, def))
		wantError(t, "the route again", c.AddRoute(ctx, def), kernel.ErrExists)
		must(t, c.AddRoute(ctx, far))
		routes, err := c.Routes(ctx)
		must(t, err)
		connected := kernel.Route{Dst: inside.Masked(), Link: "eth0", Src: inside.Addr()}
		for _, want := range []kernel.Route{connected, def, far} {
			if !slices.Contains(routes, want) {
				t.Errorf("%+v is not among %+v", want, routes)
			}
		}
		if len(routes) != 3 {
			t.Errorf("Routes: %+v", routes)
		}
	})
}

func TestFullBridge(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		must(t, w.AddBridge(ctx, "br0", 0))
		for i := range 512 {
			v := kernel.Veth{Host: fmt.Sprintf("a%d", i), Peer: fmt.Sprintf("b%d", i), PeerNS: w.Kernel}
			must(t, w.AddVeth(ctx, v))
			must(t, w.SetMaster(ctx, v.Host, "br0", false))
			if i < 511 {
				must(t, w.SetMaster(ctx, v.Peer, "br0", false))
			}
		}
		wantError(t, "port 1024", w.SetMaster(ctx, "b511", "br0", false), kernel.ErrBridgeFull)
		must(t, w.DeleteLink(ctx, "a0"))
		must(t, w.SetMaster(ctx, "b511", "br0", false))
	})
}

func TestSysctl(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		c, _ := w.open(t)
		must(t, w.SetSysctl(ctx, "net.ipv4.ip_forward", "1"))
		for want, ns := range map[string]kernel.Namespace{"1": w, "0": c} {
			if got, err := ns.Sysctl(ctx, "net.ipv4.ip_forward"); err != nil || got != want {
				t.Errorf("ip_forward is %q (%v), want %s", got, err, want)
			}
		}
		_, err := w.Sysctl(ctx, "net.none.at_all")
		wantError(t, "a key that is not there", err, kernel.ErrNotFound)
	})
}

func TestNamespaces(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		a, b := w.newNS(), w.newNS()
		idA, err := w.Identify(ctx, a)
		must(t, err)
		idB, err := w.Identify(ctx, b)
		must(t, err)
		if idA == idB || idA == (kernel.NamespaceID{}) {
			t.Errorf("two namespaces are %v and %v", idA, idB)
		}
		list, err := w.Namespaces(ctx)
		if err != nil || !slices.Contains(list, a) || !slices.Contains(list, b) {
			t.Errorf("Namespaces: %v, %v", list, err)
		}
		w.deleteNS(a)
		for _, path := range []string{a, "/run/netns/never", "/etc/passwd", "/", "/dev/null", "/proc/self/ns/mnt"} {
			_, err := w.Identify(ctx, path)
			wantError(t, "Identify "+path, err, kernel.ErrNoNamespace)
			_, err = w.Open(ctx, path)
			wantError(t, "Open "+path, err, kernel.ErrNoNamespace)
		}
		if id, err := w.BootID(ctx); err != nil || len(id) != 36 {
			t.Errorf("BootID: %q, %v", id, err)
		}
	})
}

const someRules = `*filter
-N OURS
-A OURS -i br0 -j ACCEPT
-I FORWARD 1 -j OURS
COMMIT
*nat
-N OURS
-A OURS -s 10.87.1.0/24 ! -d 224.0.0.0/4 ! -o br0 -j MASQUERADE
-A POSTROUTING -j OURS
COMMIT
`

func TestRules(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		for _, b := range []kernel.Backend{kernel.BackendNFT, kernel.BackendLegacy} {
			if got, err := w.ResolveBackend(ctx, b); err != nil || got != b {
				t.Errorf("ResolveBackend(%s): %s, %v", b, got, err)
			}
			must(t, w.RestoreRules(ctx, b, someRules))
			saved, err := w.SaveRules(ctx, b)
			must(t, err)
			for _, line := range []string{
				"*filter\n", ":OURS - [0:0]\n", ":FORWARD ACCEPT [0:0]\n", "-A FORWARD -j OURS\n", "-A OURS -i br0 -j ACCEPT\n",
				"*nat\n", "-A OURS -s 10.87.1.0/24 ! -d 224.0.0.0/4 ! -o br0 -j MASQUERADE\n", "-A POSTROUTING -j OURS\n",
			} {
				if !strings.Contains(saved, line) {
					t.Errorf("%s: %q is not in\n%s", b, line, saved)
				}
			}
			for _, bad := range []string{
				"*filter\n-A OURS -o br0 -j ACCEPT\n-N OURS\nCOMMIT\n",
				"*filter\n-A OURS -o br0 -j ACCEPT\n-D OURS -i br9 -j ACCEPT\nCOMMIT\n",
				"*filter\n-A OURS -o br0 -j ACCEPT\n-A OURS -j NOWHERE\nCOMMIT\n",
				"*filter\n-A OURS -o br0 -j ACCEPT\n-X OURS\nCOMMIT\n",
			} {
				if err := w.RestoreRules(ctx, b, bad); err == nil {
					t.Errorf("%s took\n%s", b, bad)
				}
			}
			if again, err := w.SaveRules(ctx, b); err != nil || strings.Contains(again, "-o br0 -j ACCEPT") {
				t.Errorf("%s: a refused table left something (%v):\n%s", b, err, again)
			}
			must(t, w.RestoreRules(ctx, b, "*filter\n-D FORWARD -j OURS\n-D OURS -i br0 -j ACCEPT\n-X OURS\nCOMMIT\n"))
		}
	})
}

func TestLockRules(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		unlock, err := w.LockRules(ctx)
		must(t, err)
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err = w.LockRules(short)
		wantError(t, "a second lock", err, context.DeadlineExceeded)
		unlock()
		unlock, err = w.LockRules(ctx)
		must(t, err)
		unlock()
	})
}

func TestCancelled(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		_, linkErr := w.Link(done, "lo")
		_, saveErr := w.SaveRules(done, kernel.BackendNFT)
		_, openErr := w.Open(done, "/run/netns/x")
		for what, err := range map[string]error{
			"Link": linkErr, "SaveRules": saveErr, "Open": openErr, "AddBridge": w.AddBridge(done, "br0", 0),
		} {
			wantError(t, what, err, context.Canceled)
		}
	})
}

// What is done in a namespace has its result; on the real kernel it is done
// there.
func TestDo(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		ns, path := w.open(t)
		var own, want unix.Stat_t
		must(t, ns.Do(ctx, func() error { return unix.Stat("/proc/thread-self/ns/net", &own) }))
		if unix.Stat(path, &want) == nil && own.Ino != want.Ino {
			t.Errorf("it was done in %d, not in %d", own.Ino, want.Ino)
		}
		wantError(t, "Do", ns.Do(ctx, func() error { return unix.EBADMSG }), unix.EBADMSG)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		wantError(t, "Do", ns.Do(ended, func() error { return nil }), context.Canceled)
	})
}
