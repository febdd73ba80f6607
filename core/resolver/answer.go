package resolver

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"flatnet/core/names"
)

// How long answers may be kept, in seconds: a container made anew is found by
// whoever asked for it before.
const (
	ttl         = 5
	negativeTTL = 1
)

// zone answers what is ours to answer: names of containers, the domain, and
// addresses of the subnets.
type zone struct{ domain string } // with a dot at its end, in lower case

// answer answers the question of m for a client with this view. Names that
// are somebody else's give nil.
func (z zone) answer(table *names.Table, view names.View, m *dns.Msg) *dns.Msg {
	q := m.Question[0]
	name := strings.ToLower(q.Name)
	switch {
	case q.Qclass != dns.ClassINET || q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR:
		return reply(m, dns.RcodeRefused)
	case name == z.domain:
		return z.apex(m)
	case strings.HasSuffix(name, "."+z.domain):
		return z.name(m, view, strings.TrimSuffix(name, "."+z.domain))
	case strings.HasSuffix(name, ".in-addr.arpa."):
		ip, ok := reversed(name)
		if !ok || !table.Covers(ip) {
			return nil
		}
		return z.pointer(m, view.Name(ip))
	case dns.CountLabel(name) == 1:
		return z.name(m, view, strings.TrimSuffix(name, "."))
	}
	return nil
}

// name answers for a container's name. There are no IPv6 addresses and no
// other records: the name exists, and has none of them.
func (z zone) name(m *dns.Msg, view names.View, name string) *dns.Msg {
	found := view.Addresses(name)
	if len(found) == 0 {
		return z.nothing(m, dns.RcodeNameError)
	}
	if t := m.Question[0].Qtype; t != dns.TypeA && t != dns.TypeANY {
		return z.nothing(m, dns.RcodeSuccess)
	}
	r := reply(m, dns.RcodeSuccess)
	for _, ip := range found {
		r.Answer = append(r.Answer, &dns.A{Hdr: header(m.Question[0].Name, dns.TypeA), A: ip.AsSlice()})
	}
	return r
}

func (z zone) pointer(m *dns.Msg, name string) *dns.Msg {
	if name == "" {
		return z.nothing(m, dns.RcodeNameError)
	}
	if t := m.Question[0].Qtype; t != dns.TypePTR && t != dns.TypeANY {
		return z.nothing(m, dns.RcodeSuccess)
	}
	r := reply(m, dns.RcodeSuccess)
	r.Answer = []dns.RR{&dns.PTR{Hdr: header(m.Question[0].Name, dns.TypePTR), Ptr: name + "." + z.domain}}
	return r
}

// apex answers for the domain itself.
func (z zone) apex(m *dns.Msg) *dns.Msg {
	if m.Question[0].Qtype != dns.TypeSOA {
		return z.nothing(m, dns.RcodeSuccess)
	}
	r := reply(m, dns.RcodeSuccess)
	r.Answer = []dns.RR{z.soa()}
	return r
}

// nothing says that there is no such name, or no such record of it; the SOA
// says for how long that may be believed (RFC 2308).
func (z zone) nothing(m *dns.Msg, rcode int) *dns.Msg {
	r := reply(m, rcode)
	r.Ns = []dns.RR{z.soa()}
	return r
}

func (z zone) soa() dns.RR {
	h := header(z.domain, dns.TypeSOA)
	h.Ttl = negativeTTL
	return &dns.SOA{Hdr: h, Ns: z.domain, Mbox: z.domain, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: negativeTTL}
}

func header(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

// reply begins the reply to m. What EDNS says of the client is answered in
// kind (RFC 6891).
func reply(m *dns.Msg, rcode int) *dns.Msg {
	r := new(dns.Msg).SetRcode(m, rcode)
	r.RecursionAvailable = true
	r.Authoritative = rcode == dns.RcodeSuccess || rcode == dns.RcodeNameError
	if opt := m.IsEdns0(); opt != nil {
		r.SetEdns0(udpSize, opt.Do())
	}
	return r
}

// reversed reads the address in a name such as "2.1.87.10.in-addr.arpa.".
func reversed(name string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(name, ".in-addr.arpa."), ".")
	if len(parts) != 4 {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return ip, err == nil
}
