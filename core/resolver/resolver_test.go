package resolver_test

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

// Three containers find each other, from the moment that they are there until
// they are not.
func TestNames(t *testing.T) {
	w := newWorld(t)
	w.start()
	web, db := w.run("web", "www site"), w.run("Data_Base", "")
	for _, c := range []struct {
		name string
		kind uint16
		want string
	}{
		{"web.", dns.TypeA, "NOERROR 10.87.1.2"},
		{"WeB.", dns.TypeA, "NOERROR 10.87.1.2"},
		{"web.flatnet.", dns.TypeA, "NOERROR 10.87.1.2"},
		{"WEB.FLATNET.", dns.TypeA, "NOERROR 10.87.1.2"},
		{"www.", dns.TypeA, "NOERROR 10.87.1.2"},
		{"site.flatnet.", dns.TypeA, "NOERROR 10.87.1.2"},
		{"data_base.", dns.TypeA, "NOERROR 10.87.1.3"},
		{db.id[:12] + ".", dns.TypeA, "NOERROR 10.87.1.3"},
		{"web.", dns.TypeAAAA, "NOERROR"},
		{"web.", dns.TypeMX, "NOERROR"},
		{"web.", dns.TypeANY, "NOERROR 10.87.1.2"},
		{"nobody.", dns.TypeA, "NXDOMAIN"},
		{"nobody.", dns.TypeAAAA, "NXDOMAIN"},
		{"nobody.flatnet.", dns.TypeA, "NXDOMAIN"},
		{"a.web.flatnet.", dns.TypeA, "NXDOMAIN"},
		{"flatnet.", dns.TypeA, "NOERROR"},
		{"flatnet.", dns.TypeSOA, "NOERROR flatnet. flatnet. 1 3600 600 86400 1"},
		{"2.1.87.10.in-addr.arpa.", dns.TypePTR, "NOERROR web.flatnet."},
		{"3.1.87.10.in-addr.arpa.", dns.TypePTR, "NOERROR data_base.flatnet."},
		{"9.1.87.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
		{"2.1.87.10.in-addr.arpa.", dns.TypeA, "NOERROR"},
	} {
		if got := said(db.ask(c.name, c.kind)); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, dns.TypeToString[c.kind], got, c.want)
		}
	}
	web.remove()
	if got := said(db.ask("web.", dns.TypeA)); got != "NXDOMAIN" {
		t.Errorf("web is removed, and the answer is %s", got)
	}
	if got := said(w.run("third", "").askBy("tcp", gateway, new(dns.Msg).SetQuestion("third.", dns.TypeA))); got != "NOERROR 10.87.1.4" {
		t.Errorf("a new container finds itself by TCP: %s", got)
	}
}

// A container knows names on its own networks only, also where it is on two.
func TestTwoNetworks(t *testing.T) {
	w := newWorld(t)
	w.start()
	one, two, both := w.run("one", ""), w.run("two", "", w.second()), w.run("both", "", w.first(), w.second())
	w.until("the second network's names are answered", func() bool { return w.reported("Names are answered at 10.88.0.1") })
	ask := func(c *container, server, name string) string {
		return said(c.askBy("udp", server, new(dns.Msg).SetQuestion(name, dns.TypeA)))
	}
	for _, c := range []struct {
		from               *container
		server, name, want string
	}{
		{one, gateway, "two.", "NXDOMAIN"},
		{one, gateway, "both.", "NOERROR 10.87.1.3"},
		{two, "10.88.0.1", "one.", "NXDOMAIN"},
		{two, "10.88.0.1", "both.", "NOERROR 10.88.0.3"},
		{both, gateway, "one.", "NOERROR 10.87.1.2"},
		{both, gateway, "two.", "NOERROR 10.88.0.2"},
		{both, "10.88.0.1", "one.", "NOERROR 10.87.1.2"},
		{both, gateway, "both.", "NOERROR 10.87.1.3 10.88.0.3"},
		{both, "10.88.0.1", "both.", "NOERROR 10.88.0.3 10.87.1.3"},
	} {
		if got := ask(c.from, c.server, c.name); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.name, c.server, got, c.want)
		}
	}
}

// The bridge goes and comes back, and with it the answers.
func TestBridgeComesAndGoes(t *testing.T) {
	w := newWorld(t)
	w.start() // there is no bridge yet
	web := w.run("web", "")
	if got := said(web.ask("web.", dns.TypeA)); got != "NOERROR 10.87.1.2" {
		t.Errorf("with the bridge: %s", got)
	}
	web.remove()
	w.deleteBridge()
	web = w.run("web", "")
	if got := said(web.ask("web.", dns.TypeA)); got != "NOERROR 10.87.1.2" {
		t.Errorf("with a new bridge: %s", got)
	}
}

// One resolver at a time answers; the next takes over when it ends.
func TestTakeOver(t *testing.T) {
	w := newWorld(t)
	w.start()
	web := w.run("web", "")
	first := w.stop
	w.lines = nil
	w.begin()
	w.until("the second cannot", func() bool { return w.reported("Names cannot be answered at 10.87.1.1: ") })
	first()
	w.until("the second does", func() bool { return w.reported("Names are answered at 10.87.1.1") })
	if got := said(web.ask("web.", dns.TypeA)); got != "NOERROR 10.87.1.2" {
		t.Errorf("answered %s", got)
	}
}

// It listens at the gateway alone, and answers nobody from elsewhere.
func TestNoOpenResolver(t *testing.T) {
	w := newWorld(t)
	w.elsewhere("198.51.100.1", address("192.0.2.80"))
	w.start()
	web := w.run("web", "")
	for _, network := range []string{"udp4", "tcp4"} {
		if conn, err := net.Dial(network, "127.0.0.1:53"); err == nil {
			client := dns.Client{Net: network, Timeout: tick}
			if r, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion("web.", dns.TypeA), &dns.Conn{Conn: conn}); err == nil {
				t.Errorf("%s on loopback answers %s", network, said(r))
			}
			conn.Close()
		}
		from := net.Dialer{Timeout: tick}
		if from.LocalAddr, _ = net.ResolveUDPAddr("udp", "198.51.100.1:0"); network == "tcp4" {
			from.LocalAddr, _ = net.ResolveTCPAddr("tcp", "198.51.100.1:0")
		}
		conn, err := from.Dial(network, gateway+":53")
		if err != nil {
			t.Fatal(err)
		}
		client := dns.Client{Net: network, Timeout: tick}
		if r, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion("web.", dns.TypeA), &dns.Conn{Conn: conn}); err == nil {
			t.Errorf("%s from outside the subnet: %s", network, said(r))
		}
		conn.Close()
	}
	if got := said(web.ask("web.", dns.TypeA)); got != "NOERROR 10.87.1.2" {
		t.Errorf("answered %s", got)
	}
}
