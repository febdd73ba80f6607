package plugin_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"flatnet/testdata/nettest"
)

// TestWholePath sends packets on the way of the seed: from a machine on
// another network (Windows there) through the host, whose FORWARD policy is
// DROP, to a container and back, and from a container out.
func TestWholePath(t *testing.T) {
	m := newMachine(t, "")
	lan := newLAN(t, m.ns)
	nettest.In(t, m.ns, func() {
		if out, err := exec.Command("/usr/sbin/iptables", "-P", "FORWARD", "DROP").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	})
	web, _ := m.add("web")
	client, _ := m.add("client")
	listen(t, web, "10.87.1.2:80")
	listen(t, lan, "192.0.2.10:80")

	for _, test := range []struct{ name, from, to, seenAs string }{
		{"from the LAN", lan, "10.87.1.2:80", "192.0.2.10"},
		{"from the host", m.ns, "10.87.1.2:80", "10.87.1.1"},
		{"from a container", client, "10.87.1.2:80", "10.87.1.3"},
		{"from a container to itself", web, "10.87.1.2:80", "10.87.1.2"},
		{"from a container out, masqueraded", client, "192.0.2.10:80", "192.0.2.1"},
	} {
		if got := askWho(t, test.from, test.to); got != test.seenAs {
			t.Errorf("%s: the server sees %q, want %q", test.name, got, test.seenAs)
		}
	}
}

// TestAddressGoesOn gives one container's address to the next at once: host
// and neighbours reach it, although they remember the one before.
func TestAddressGoesOn(t *testing.T) {
	m := newMachine(t, "")
	neighbour, _ := m.add("neighbour")
	for i := range 3 {
		id, path := fmt.Sprintf("container%d", i), nettest.New(t)
		a := m.call(call{verb: "ADD", id: id, netns: path, args: "IgnoreUnknown=1;IP=10.87.1.9"})
		if a.status != 0 {
			t.Fatal(a)
		}
		if mac := m.result(a).Interfaces[2].Mac; mac != "0a:f1:0a:57:01:09" {
			t.Errorf("the MAC address %s is not the one that neighbours remember", mac)
		}
		listen(t, path, "10.87.1.9:80")
		askWho(t, m.ns, "10.87.1.9:80")
		askWho(t, neighbour, "10.87.1.9:80")
		m.del(id)
	}
}

// newLAN makes a network beside the host's, with one machine on it that has a
// route to the containers, as the seed gives Windows.
func newLAN(t *testing.T, host string) string {
	t.Helper()
	lan := nettest.New(t)
	file, err := os.Open(lan)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	nettest.In(t, host, func() {
		a := netlink.NewLinkAttrs()
		a.Name = "eth0"
		veth := netlink.NewVeth(a)
		veth.PeerName, veth.PeerNamespace = "eth0", netlink.NsFd(int(file.Fd()))
		if err := netlink.LinkAdd(veth); err != nil {
			t.Error(err)
		}
		giveAddress(t, "192.0.2.1/24")
	})
	nettest.In(t, lan, func() {
		giveAddress(t, "192.0.2.10/24")
		_, dst, err := net.ParseCIDR("10.87.1.0/24")
		if err != nil {
			t.Error(err)
		}
		if err := netlink.RouteAdd(&netlink.Route{Dst: dst, Gw: net.ParseIP("192.0.2.1")}); err != nil {
			t.Error(err)
		}
	})
	return lan
}

func giveAddress(t *testing.T, text string) {
	t.Helper()
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		t.Error(err)
		return
	}
	addr, err := netlink.ParseAddr(text)
	if err != nil {
		t.Error(err)
		return
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		t.Error(err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Error(err)
	}
}

// listen serves in a namespace: it tells who asks by which address.
func listen(t *testing.T, ns, address string) {
	t.Helper()
	var l net.Listener
	var err error
	nettest.In(t, ns, func() { l, err = net.Listen("tcp4", address) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, c.RemoteAddr().String())
			_ = c.Close()
		}
	}()
}

// askWho connects from a namespace and gives the address that the server saw.
func askWho(t *testing.T, ns, address string) string {
	t.Helper()
	var answer []byte
	var err error
	nettest.In(t, ns, func() {
		var c net.Conn
		if c, err = net.DialTimeout("tcp4", address, 10*time.Second); err == nil {
			answer, err = io.ReadAll(c)
			_ = c.Close()
		}
	})
	if err != nil {
		t.Errorf("connect to %s: %v", address, err)
	}
	host, _, _ := strings.Cut(string(answer), ":")
	return host
}
