package resolver_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"flatnet/core/resolver"
)

// hostile are messages that a client may send, and none of which is a
// question.
func hostile() map[string][]byte {
	question, _ := new(dns.Msg).SetQuestion("web.", dns.TypeA).Pack()
	with := func(change func([]byte)) []byte {
		b := append([]byte(nil), question...)
		change(b)
		return b
	}
	return map[string][]byte{
		"nothing":             {},
		"one byte":            {7},
		"half a header":       question[:6],
		"a header alone":      question[:12],
		"half a question":     question[:len(question)-3],
		"an answer":           with(func(b []byte) { b[2] |= 0x80 }),
		"an update":           with(func(b []byte) { b[2] |= 5 << 3 }),
		"65535 questions":     with(func(b []byte) { binary.BigEndian.PutUint16(b[4:], 65535) }),
		"65535 records":       with(func(b []byte) { binary.BigEndian.PutUint16(b[6:], 65535) }),
		"a pointer to itself": append(append([]byte(nil), question[:12]...), 0xc0, 12, 0, 1, 0, 1),
		"a label too long":    append(append([]byte(nil), question[:12]...), 0x7f, 'a'),
		"noise":               []byte(strings.Repeat("\xff\x00\xc0\x0c", 1000)),
		"class CHAOS":         with(func(b []byte) { b[len(b)-1] = 3 }),
	}
}

// Hostile messages by UDP and TCP leave the resolver as it was.
func TestHostileMessages(t *testing.T) {
	w := newWorld(t)
	w.elsewhere(outside, address("192.0.2.80"))
	w.start()
	web := w.run("web", "")
	for what, b := range hostile() {
		for _, network := range []string{"udp", "tcp"} {
			conn := web.dial(network, gateway+":53")
			if network == "tcp" {
				b = append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
			}
			conn.Conn.Write(b)
			conn.Close()
			if got := said(web.ask("web.", dns.TypeA)); got != "NOERROR 10.87.1.2" {
				t.Fatalf("after %s by %s: %s", what, network, got)
			}
		}
	}
	for name, want := range map[string]string{
		`we\.b.`: "NXDOMAIN", `\000.`: "NXDOMAIN", `a\.b.flatnet.`: "NXDOMAIN", strings.Repeat("a.", 100): "NOERROR 192.0.2.80",
		"1.2.in-addr.arpa.": "NOERROR 192.0.2.80", "x.2.1.87.10.in-addr.arpa.": "NOERROR 192.0.2.80", "999.1.87.10.in-addr.arpa.": "NOERROR 192.0.2.80",
	} {
		if got := said(web.ask(name, dns.TypeA)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for kind, want := range map[uint16]string{dns.TypeAXFR: "REFUSED", dns.TypeIXFR: "REFUSED"} {
		if got := said(web.ask("www.example.", kind)); got != want {
			t.Errorf("a transfer: %s, want %s", got, want)
		}
	}
	m := new(dns.Msg).SetQuestion("web.", dns.TypeA)
	m.SetEdns0(1232, false)
	m.IsEdns0().SetVersion(1)
	if got := said(web.askBy("udp", gateway, m)); got != "BADVERS" && got != "BADSIG" { // one number, two names
		t.Errorf("EDNS 1: %s", got)
	}
}

// FuzzRespond: any message that can be read has a reply that can be sent, and
// none about a container that the client may not know.
func FuzzRespond(f *testing.F) {
	for _, b := range hostile() {
		f.Add(b)
	}
	for _, name := range []string{"web.", "Web.Flatnet.", "2.1.87.10.in-addr.arpa.", "www.example.", "flatnet.", `a\.b.`} {
		b, _ := new(dns.Msg).SetQuestion(name, dns.TypeANY).Pack()
		f.Add(b)
	}
	respond := resolver.ForFuzz(f.TempDir())
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil || len(m.Question) != 1 || m.Response {
			return // the library turns these away
		}
		for _, client := range []string{"10.87.1.2", "10.87.1.1"} {
			r := respond(netip.MustParseAddr(client), m)
			if _, err := r.Pack(); err != nil {
				t.Fatalf("a reply that cannot be sent: %v\n%s", err, r)
			}
			if r.Id != m.Id || !r.Response {
				t.Errorf("a reply to something else:\n%s", r)
			}
			if got := said(r); strings.Contains(got, "10.88.0.2") || strings.Contains(got, "secret") {
				t.Errorf("it tells of another network:\n%s", r)
			}
		}
	})
}

// What is asked is answered at the same cost for ever: after many questions
// there are no more goroutines, sockets or memory than before.
func TestNothingGrows(t *testing.T) {
	w := newWorld(t)
	w.elsewhere(outside, address("192.0.2.80"))
	w.start()
	web := w.run("web", "")
	conn := web.dial("udp", gateway+":53")
	client := dns.Client{Timeout: 10 * time.Second}
	many := func(n int) {
		t.Helper()
		for i := range n {
			name := "web."
			if i%50 == 0 {
				name = "www.example."
			}
			if r, _, err := client.ExchangeWithConn(new(dns.Msg).SetQuestion(name, dns.TypeA), conn); err != nil || len(r.Answer) != 1 {
				t.Fatalf("question %d: %v", i, err)
			}
		}
	}
	many(5000)
	before := resources(t)
	many(growth)
	after := resources(t)
	if after.goroutines > before.goroutines+8 || after.files > before.files+8 || after.heap > before.heap+2<<20 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	t.Logf("%d questions: before %+v, after %+v", growth, before, after)
}

// BenchmarkAnswer is one question by UDP out of a container and its answer,
// both ends in this process.
func BenchmarkAnswer(b *testing.B) {
	w := newWorld(b)
	w.start()
	web := w.run("web", "")
	conn := web.dial("udp", gateway+":53").Conn
	question, _ := new(dns.Msg).SetQuestion("web.", dns.TypeA).Pack()
	reply := make([]byte, 512)
	start := cpu(b)
	for b.Loop() {
		if _, err := conn.Write(question); err != nil {
			b.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(reply); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
}
