package resolver_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"

	"flatnet/core/podman"
)

// tick is long enough for an answer that is not to come.
const tick = 300 * time.Millisecond

func (w *world) deleteBridge() {
	w.t.Helper()
	l, err := netlink.LinkByName(w.config.Network.Bridge)
	w.must(err)
	w.must(netlink.LinkDel(l))
}

func podmanHas(all ...podman.Container) func(context.Context) ([]podman.Container, error) {
	return func(context.Context) ([]podman.Container, error) { return all, nil }
}

// Other names are asked of this machine's server as the client asked: EDNS
// goes there and comes back.
func TestForward(t *testing.T) {
	w := newWorld(t)
	var seen atomic.Pointer[dns.Msg]
	w.elsewhere(outside, func(out dns.ResponseWriter, m *dns.Msg) {
		seen.Store(m.Copy())
		r := new(dns.Msg).SetReply(m)
		r.AuthenticatedData = true
		r.SetEdns0(4096, true)
		r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.ParseIP("192.0.2.80")}}
		out.WriteMsg(r)
	})
	w.start()
	web := w.run("web", "")
	m := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
	m.SetEdns0(1400, true)
	m.CheckingDisabled = true
	r := web.askBy("udp", gateway, m)
	if said(r) != "NOERROR 192.0.2.80" || !r.AuthenticatedData || r.IsEdns0() == nil || r.Answer[0].Header().Ttl != 60 {
		t.Errorf("the reply is\n%s", r)
	}
	if q := seen.Load(); !q.CheckingDisabled || q.IsEdns0() == nil || q.IsEdns0().UDPSize() != 1400 || !q.IsEdns0().Do() {
		t.Errorf("asked elsewhere:\n%s", q)
	}
	for _, ours := range []string{"nobody.", "nobody.flatnet.", "9.1.87.10.in-addr.arpa.", "web."} {
		seen.Store(nil)
		web.ask(ours, dns.TypeAAAA)
		if q := seen.Load(); q != nil {
			t.Errorf("%s was asked elsewhere", ours)
		}
	}
}

// A long answer is cut by UDP and whole by TCP.
func TestForwardLong(t *testing.T) {
	w := newWorld(t)
	w.elsewhere(outside, func(out dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		for i := range 100 {
			r.Answer = append(r.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{fmt.Sprint(i)}})
		}
		if _, udp := out.RemoteAddr().(*net.UDPAddr); udp {
			r.Truncate(dns.MinMsgSize)
		}
		out.WriteMsg(r)
	})
	w.start()
	web := w.run("web", "")
	q := func() *dns.Msg { return new(dns.Msg).SetQuestion("long.example.", dns.TypeTXT) }
	if r := web.askBy("udp", gateway, q()); !r.Truncated || len(r.Answer) >= 100 {
		t.Errorf("by UDP: truncated %v, %d records", r.Truncated, len(r.Answer))
	}
	if r := web.askBy("tcp", gateway, q()); r.Truncated || len(r.Answer) != 100 {
		t.Errorf("by TCP: truncated %v, %d records", r.Truncated, len(r.Answer))
	}
}

// The second server is asked where the first is silent or fails; resolv.conf
// is read again when it changes; the gateway itself in it is no loop.
func TestForwardServers(t *testing.T) {
	w := newWorld(t)
	w.elsewhere(outside, address("192.0.2.80"))
	w.elsewhere("192.0.2.54", func(out dns.ResponseWriter, m *dns.Msg) {
		out.WriteMsg(new(dns.Msg).SetRcode(m, dns.RcodeServerFailure))
	})
	w.elsewhere("192.0.2.55", func(dns.ResponseWriter, *dns.Msg) {})
	w.elsewhere("192.0.2.56", func(out dns.ResponseWriter, m *dns.Msg) {
		other := m.Copy()
		other.Question[0].Name = "evil.example."
		address("192.0.2.66")(out, other)
	})
	w.start()
	web := w.run("web", "")
	for i, c := range []struct{ conf, want string }{
		{"nameserver 10.87.1.1\nnameserver " + outside, "NOERROR 192.0.2.80"},
		{"nameserver 192.0.2.54\nnameserver " + outside, "NOERROR 192.0.2.80"},
		{"nameserver 192.0.2.55\nnameserver " + outside, "NOERROR 192.0.2.80"},
		{"nameserver 192.0.2.56\nnameserver " + outside, "NOERROR 192.0.2.80"},
		{"nameserver 192.0.2.54", "SERVFAIL"},
		{"nameserver 10.87.1.1", "SERVFAIL"},
		{"search example", "SERVFAIL"},
	} {
		w.write(c.conf + "\n" + strings.Repeat("#", i))
		if got := said(web.ask("www.example.", dns.TypeA)); got != c.want {
			t.Errorf("with %q: %s, want %s", c.conf, got, c.want)
		}
	}
}

// A container that was started with servers of its own is answered by those.
func TestForwardToOwnServers(t *testing.T) {
	w := newWorld(t)
	w.elsewhere(outside, address("192.0.2.80"))
	w.elsewhere("192.0.2.99", address("192.0.2.81"))
	own, plain, ours := w.run("own", ""), w.run("plain", ""), w.run("ours", "")
	w.containers = podmanHas(
		podman.Container{ID: own.id, Name: "own", State: "running", NameServers: []netip.Addr{netip.MustParseAddr("192.0.2.99")}},
		podman.Container{ID: plain.id, Name: "plain", State: "running"},
		podman.Container{ID: ours.id, Name: "ours", State: "running", NameServers: []netip.Addr{netip.MustParseAddr(gateway)}},
	)
	w.start()
	if got := said(own.ask("www.example.", dns.TypeA)); got != "NOERROR 192.0.2.81" {
		t.Errorf("with --dns: %s", got)
	}
	if got := said(plain.ask("www.example.", dns.TypeA)); got != "NOERROR 192.0.2.80" {
		t.Errorf("without: %s", got)
	}
	if got := said(ours.ask("www.example.", dns.TypeA)); got != "NOERROR 192.0.2.80" {
		t.Errorf("with --dns at the bridge: %s", got)
	}
	if got := said(own.ask("plain.", dns.TypeA)); got != "NOERROR 10.87.1.3" {
		t.Errorf("a neighbour: %s", got)
	}
}

// One container that asks as much as it can does not take the answers away
// from another one.
func TestOneGreedyClient(t *testing.T) {
	w := newWorld(t)
	var waiting atomic.Int64
	release := make(chan struct{})
	defer close(release) // the server that waits for it is ended after the test
	w.elsewhere(outside, func(out dns.ResponseWriter, m *dns.Msg) {
		if strings.HasPrefix(m.Question[0].Name, "slow") {
			waiting.Add(1)
			<-release
			return
		}
		address("192.0.2.80")(out, m)
	})
	w.start()
	greedy, other := w.run("greedy", ""), w.run("other", "")
	conn := greedy.dial("udp", gateway+":53")
	for i := range 500 {
		w.must(conn.WriteMsg(new(dns.Msg).SetQuestion(fmt.Sprintf("slow%d.example.", i), dns.TypeA)))
	}
	w.until("the greedy one's questions are being asked", func() bool { return waiting.Load() >= 32 })
	if got := said(other.ask("www.example.", dns.TypeA)); got != "NOERROR 192.0.2.80" {
		t.Errorf("the other one: %s", got)
	}
	if got := said(greedy.ask("other.", dns.TypeA)); got != "NOERROR 10.87.1.3" {
		t.Errorf("the greedy one, a neighbour: %s", got)
	}
	if n := waiting.Load(); n > 64 {
		t.Errorf("%d questions of one container are being asked", n)
	}
}

// Nor does one that opens connections without end.
func TestManyConnections(t *testing.T) {
	w := newWorld(t)
	w.start()
	greedy, other := w.run("greedy", ""), w.run("other", "")
	for range 100 {
		greedy.dial("tcp", gateway+":53")
	}
	if got := said(other.askBy("tcp", gateway, new(dns.Msg).SetQuestion("greedy.", dns.TypeA))); got != "NOERROR 10.87.1.2" {
		t.Errorf("the other one: %s", got)
	}
}
