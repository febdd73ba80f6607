package firewall_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// TestPackets sends packets from the LAN to a container and back out, while
// FORWARD drops what no rule accepts.
func TestPackets(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h, lan, container := newHost(t), nettest.New(t), nettest.New(t)
		h.connect(lan, "up0", "192.168.7.2/24", "192.168.7.9/24", "192.168.7.2")
		n := config.Default().Network
		if err := bridge.Ensure(context.Background(), h, n); err != nil {
			t.Fatal(err)
		}
		h.connect(container, "fn-1", "", "10.87.1.2/24", "10.87.1.1")
		if err := h.SetMaster(context.Background(), "fn-1", n.Bridge, true); err != nil {
			t.Fatal(err)
		}
		inside, outside := serve(t, container, "10.87.1.2:8080"), serve(t, lan, "192.168.7.9:8080")
		h.iptables(b, "-P FORWARD DROP")
		h.iptables(b, "-A FORWARD -i up0 -j DROP")
		if _, err := dial(t, lan, inside); err == nil {
			t.Fatal("FORWARD drops, and a packet passed: the test shows nothing")
		}
		w := h.want(b)
		h.ensure(w)
		if got, err := dial(t, lan, inside); err != nil || got != "192.168.7.9" {
			t.Errorf("from the LAN to the container: seen as %q, %v", got, err)
		}
		if got, err := dial(t, container, outside); err != nil || got != "192.168.7.2" {
			t.Errorf("from the container to the LAN, masqueraded: seen as %q, %v", got, err)
		}
		w.Masquerade = false
		h.ensure(w)
		if got, err := dial(t, container, outside); err != nil || got != "10.87.1.2" {
			t.Errorf("from the container to the LAN, not masqueraded: seen as %q, %v", got, err)
		}
	})
}

// connect makes a pair from the host to the namespace at path and gives both
// ends their addresses and the far end a default route.
func (h host) connect(path, name, here, there, gateway string) {
	h.Helper()
	ctx := context.Background()
	far, err := h.Open(ctx, path)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	if err := h.AddVeth(ctx, kernel.Veth{Host: name, Peer: "eth0", PeerNS: far}); err != nil {
		h.Fatal(err)
	}
	if here != "" {
		err = h.AddAddr(ctx, name, netip.MustParsePrefix(here))
	}
	for _, step := range []error{
		err, h.SetUp(ctx, name), far.SetUp(ctx, "eth0"), far.AddAddr(ctx, "eth0", netip.MustParsePrefix(there)),
		far.AddRoute(ctx, kernel.Route{
			Dst: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr(gateway), Link: "eth0",
		}),
	} {
		if step != nil {
			h.Fatal(step)
		}
	}
}

// serve tells each caller in the namespace at path its own address.
func serve(t *testing.T, path, address string) string {
	t.Helper()
	var listener net.Listener
	var err error
	nettest.In(t, path, func() { listener, err = net.Listen("tcp4", address) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			from, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			_, _ = c.Write([]byte(from))
			_ = c.Close()
		}
	}()
	return address
}

// dial calls from the namespace at path and gives what it is told.
func dial(t *testing.T, path, address string) (string, error) {
	t.Helper()
	var c net.Conn
	var err error
	nettest.In(t, path, func() { c, err = net.DialTimeout("tcp4", address, time.Second) })
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	said := make([]byte, 64)
	n, err := c.Read(said)
	return string(said[:n]), err
}
