package firewall_test

import (
	"context"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/core/ports"
	"flatnet/testdata/nettest"
)

func published(t *testing.T, owner, ip, text string) firewall.Published {
	t.Helper()
	all, err := ports.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return firewall.Published{Owner: owner, IP: netip.MustParseAddr(ip), Ports: all}
}

func (h host) publish(w firewall.Want, p firewall.Published) {
	h.Helper()
	if err := firewall.Publish(context.Background(), h, w, p); err != nil {
		h.Fatalf("Publish: %v", err)
	}
}

// allPorts are the rules of two containers.
const allPorts = `-N FLATNET-HAIRPIN
-N FLATNET-PORTS
-A PREROUTING -m addrtype --dst-type LOCAL -j FLATNET-PORTS
-A OUTPUT -m addrtype --dst-type LOCAL -j FLATNET-PORTS
-A POSTROUTING -j FLATNET-HAIRPIN
-A FLATNET-HAIRPIN -s 10.87.1.0/24 -d 10.87.1.2/32 -m conntrack --ctstate DNAT -m comment --comment "flatnet flatnet-br0 web eth0" -j MASQUERADE
-A FLATNET-HAIRPIN -s 127.0.0.0/8 -d 10.87.1.2/32 -m conntrack --ctstate DNAT -m comment --comment "flatnet flatnet-br0 web eth0" -j MASQUERADE
-A FLATNET-HAIRPIN -s 10.87.1.0/24 -d 10.87.1.3/32 -m conntrack --ctstate DNAT -m comment --comment "flatnet flatnet-br0 other eth0" -j MASQUERADE
-A FLATNET-HAIRPIN -s 127.0.0.0/8 -d 10.87.1.3/32 -m conntrack --ctstate DNAT -m comment --comment "flatnet flatnet-br0 other eth0" -j MASQUERADE
-A FLATNET-PORTS -p tcp -m tcp --dport 80 -m comment --comment "flatnet flatnet-br0 web eth0" -j DNAT --to-destination 10.87.1.2:8080
-A FLATNET-PORTS -d 192.168.7.2/32 -p udp -m udp --dport 9000:9001 -m comment --comment "flatnet flatnet-br0 web eth0" -j DNAT --to-destination 10.87.1.2:7000-7001/9000
-A FLATNET-PORTS -p tcp -m tcp --dport 443 -m comment --comment "flatnet flatnet-br0 other eth0" -j DNAT --to-destination 10.87.1.3:443
`

func TestPublish(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h := newHost(t)
		w := h.want(b)
		before := h.rules(b)
		web, other := published(t, "web eth0", "10.87.1.2", "80:8080/tcp 192.168.7.2:9000-9001:7000-7001/udp"), published(t, "other eth0", "10.87.1.3", "443:443/tcp")
		for range 2 { // the second time changes nothing
			h.publish(w, web)
			h.publish(w, other)
			if got := h.rules(b); got != before+allPorts && sorted(got) != sorted(before+allPorts) {
				t.Errorf("rules are\n%swant\n%s", got, before+allPorts)
			}
		}
		w.Published = []firewall.Published{web, other}
		if s := h.look(w); !s.PortsOK {
			t.Errorf("look: %v", s.Changes)
		}
		if got, err := firewall.Recover(context.Background(), h, w.Bridge); err != nil || !reflect.DeepEqual(got, w.Published) {
			t.Errorf("recovered: %v, %v; want %v", got, err, w.Published)
		}
		h.iptables(b, "-t nat -F FLATNET-PORTS")
		if s := h.look(w); s.PortsOK || len(s.Missing) == 0 {
			t.Error("emptied rules are not missed")
		}
		h.ensure(w)
		if got := h.rules(b); !strings.Contains(got, "10.87.1.2:7000-7001/9000") || !strings.Contains(got, "10.87.1.3:443") {
			t.Errorf("Ensure did not bring them back:\n%s", got)
		}
		// A crashed container's address goes to another one.
		h.publish(w, published(t, "next eth0", "10.87.1.3", "444:444/tcp"))
		if got := h.rules(b); strings.Contains(got, "443:443") || strings.Contains(got, "other") || !strings.Contains(got, "10.87.1.3:444") {
			t.Errorf("the address's new owner:\n%s", got)
		}
		for _, owner := range []string{"web eth0", "next eth0", "next eth0"} {
			if err := firewall.Unpublish(context.Background(), h, w, owner); err != nil {
				t.Error(err)
			}
		}
		if err := firewall.Remove(context.Background(), h, w); err != nil {
			t.Error(err)
		}
		if got := h.rules(b); got != before {
			t.Errorf("left behind:\n%s", got)
		}
	})
}

func sorted(lines string) string {
	all := strings.Split(lines, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestRemoveTakesPorts: a network that is taken away takes its ports along,
// and no other's.
func TestRemoveTakesPorts(t *testing.T) {
	h := newHost(t)
	one, two := h.want(kernel.BackendNFT), h.want(kernel.BackendNFT)
	two.Bridge, two.Subnet = "flatnet-br1", netip.MustParsePrefix("10.88.0.0/24")
	h.publish(one, published(t, "a eth0", "10.87.1.2", "80:80/tcp"))
	h.publish(two, published(t, "a eth0", "10.88.0.2", "81:80/tcp"))
	if err := firewall.Remove(context.Background(), h, one); err != nil {
		t.Fatal(err)
	}
	if got := h.rules(kernel.BackendNFT); strings.Contains(got, "10.87.1.2") || !strings.Contains(got, "10.88.0.2:80") {
		t.Errorf("rules:\n%s", got)
	}
}

// TestPublishedPackets asks for a published port from everywhere, while
// FORWARD drops what no rule accepts.
func TestPublishedPackets(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		ctx := context.Background()
		h, lan, web, client := newHost(t), nettest.New(t), nettest.New(t), nettest.New(t)
		h.connect(lan, "up0", "192.168.7.2/24", "192.168.7.9/24", "192.168.7.2")
		n := config.Default().Network
		if err := bridge.Ensure(ctx, h, n); err != nil {
			t.Fatal(err)
		}
		for veth, c := range map[string]struct{ path, address string }{"fn-1": {web, "10.87.1.2/24"}, "fn-2": {client, "10.87.1.3/24"}} {
			h.connect(c.path, veth, "", c.address, "10.87.1.1")
			if err := h.SetMaster(ctx, veth, n.Bridge, true); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.SetSysctl(ctx, "net.ipv4.conf."+n.Bridge+".route_localnet", "1"); err != nil {
			t.Fatal(err)
		}
		h.iptables(b, "-P FORWARD DROP")
		w := h.want(b)
		h.ensure(w)
		serve(t, web, "10.87.1.2:8080")
		echo(t, web, "10.87.1.2:7001")
		h.publish(w, published(t, "web eth0", "10.87.1.2", "80:8080/tcp 192.168.7.2:81:8080/tcp 9000-9001:7000-7001/udp"))
		for _, test := range []struct{ name, from, to, seenAs string }{
			{"from the LAN", lan, "192.168.7.2:80", "192.168.7.9"},
			{"from the LAN, by address", lan, "192.168.7.2:81", "192.168.7.9"},
			{"from the host by 127.0.0.1", h.path, "127.0.0.1:80", "10.87.1.1"},
			{"from the host by its address", h.path, "192.168.7.2:80", "192.168.7.2"},
			{"from another container", client, "192.168.7.2:80", "10.87.1.1"},
			{"from the container itself", web, "192.168.7.2:80", "10.87.1.1"},
			{"from another container by the bridge", client, "10.87.1.1:80", "10.87.1.1"},
		} {
			if got, err := dial(t, test.from, test.to); err != nil || got != test.seenAs {
				t.Errorf("%s: seen as %q, %v; want %s", test.name, got, err, test.seenAs)
			}
		}
		if got := ask(t, lan, "192.168.7.2:9001"); got != "7001" {
			t.Errorf("UDP from the LAN, in a range: %q", got)
		}
		if _, err := dial(t, h.path, "127.0.0.1:81"); err == nil {
			t.Error("a port of one address answers on another")
		}
		if err := firewall.Unpublish(ctx, h, w, "web eth0"); err != nil {
			t.Fatal(err)
		}
		if _, err := dial(t, lan, "192.168.7.2:80"); err == nil {
			t.Error("the port still answers")
		}
	})
}

// echo answers UDP with its own port.
func echo(t *testing.T, path, address string) {
	t.Helper()
	var c net.PacketConn
	var err error
	nettest.In(t, path, func() { c, err = net.ListenPacket("udp4", address) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, port, _ := net.SplitHostPort(address)
	go func() {
		for {
			_, from, err := c.ReadFrom(make([]byte, 64))
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte(port), from)
		}
	}()
}

// ask sends a datagram and gives the answer.
func ask(t *testing.T, path, address string) string {
	t.Helper()
	var c net.Conn
	var err error
	nettest.In(t, path, func() { c, err = net.Dial("udp4", address) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 64)
	n, err := c.Read(said)
	if err != nil {
		t.Errorf("ask %s: %v", address, err)
	}
	return string(said[:n])
}
