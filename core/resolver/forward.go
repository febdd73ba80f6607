package resolver

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"flatnet/core/names"
	"flatnet/core/say"
)

// The pace of asking others. A client of ours waits 5 s (glibc) before it
// asks again.
const (
	tryLimit = 1500 * time.Millisecond // for one server
	askLimit = 4500 * time.Millisecond // for all of them
)

// forwarder asks this machine's own name servers.
type forwarder struct {
	conf string                // resolv.conf
	own  func(netip.Addr) bool // addresses at which we answer ourselves
	port uint16                // 53 but in tests

	mu      sync.Mutex
	stamp   time.Time
	servers []netip.Addr // the one that answered last comes first
}

var errNoServer = say.New("no name server is known")

// current gives whom to ask, as resolv.conf says now.
func (f *forwarder) current() []netip.Addr {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.conf); err != nil {
		f.servers, f.stamp = nil, time.Time{}
	} else if !info.ModTime().Equal(f.stamp) {
		f.servers, f.stamp = names.ReadServers(f.conf).Addrs, info.ModTime()
	}
	return slices.Clone(f.servers)
}

// prefer has a server that answered asked first from now on.
func (f *forwarder) prefer(server netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at := slices.Index(f.servers, server); at > 0 {
		f.servers = slices.Insert(slices.Delete(slices.Clone(f.servers), at, at+1), 0, server)
	}
}

// ask asks one server after the other until one has an answer. The client's
// message goes out as it came, EDNS and all. servers are the client's; none
// but us: this machine's.
func (f *forwarder) ask(ctx context.Context, m *dns.Msg, servers []netip.Addr, tcp bool) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	servers = slices.DeleteFunc(slices.Clone(servers), f.own)
	if len(servers) == 0 {
		servers = slices.DeleteFunc(f.current(), f.own)
	}
	var last *dns.Msg
	err := errNoServer
	for _, server := range servers {
		var r *dns.Msg
		if r, err = f.askOne(ctx, m, server, tcp); err != nil {
			continue
		}
		if r.Rcode == dns.RcodeServerFailure || r.Rcode == dns.RcodeRefused || r.Rcode == dns.RcodeNotImplemented {
			last = r
			continue
		}
		f.prefer(server)
		return r, nil
	}
	if last != nil {
		return last, nil
	}
	return nil, err
}

// askOne asks by UDP, and by TCP if the answer is too long for that and the
// client can take it.
func (f *forwarder) askOne(ctx context.Context, m *dns.Msg, server netip.Addr, tcp bool) (*dns.Msg, error) {
	question := m.Copy()
	question.Id = dns.Id()
	at := netip.AddrPortFrom(server, cmp.Or(f.port, 53)).String()
	r, err := exchange(ctx, question, "udp", at)
	if err == nil && r.Truncated && tcp {
		r, err = exchange(ctx, question, "tcp", at)
	}
	if err != nil {
		return nil, err
	}
	r.Id = m.Id
	return r, nil
}

var errOtherQuestion = say.New("the answer is to another question")

func exchange(ctx context.Context, m *dns.Msg, network, server string) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	client := dns.Client{Net: network, Timeout: tryLimit}
	r, _, err := client.ExchangeContext(ctx, m, server)
	if err != nil {
		return nil, err
	}
	if len(r.Question) != 1 || !sameQuestion(r.Question[0], m.Question[0]) {
		return nil, errOtherQuestion
	}
	return r, nil
}

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}
