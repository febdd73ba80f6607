package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"flatnet/core/config"
	"flatnet/core/filelock"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/names"
	"flatnet/core/say"
)

// Status is one look at whether names are answered.
type Status struct {
	Enabled config.Tristate `json:"enabled"`
	Address netip.AddrPort  `json:"address"` // where names are to be answered
	Serving bool            `json:"serving"` // somebody says that he does
	// Taken: somebody else has the port, where nobody is serving; TakenBy says
	// who, if that can be told.
	Taken   bool   `json:"taken,omitempty"`
	TakenBy string `json:"taken_by,omitempty"`
	// Silent says why no answer came: asked out of a container where one is
	// running, else from this machine.
	Silent say.Text `json:"silent,omitempty"`
	Asker  string   `json:"asker,omitempty"` // the container that asked: "web (10.87.1.2)"; "": this machine
	// Beside says that this machine had an answer and the container had none.
	Beside  bool         `json:"beside,omitempty"`
	Servers []netip.Addr `json:"servers,omitempty"` // that this machine asks for other names
}

// LookOptions of Look.
type LookOptions struct {
	Config     config.Config
	Kernel     kernel.Kernel
	Leases     func(context.Context) ([]ipam.Lease, error)
	ResolvConf string // "": names.ResolvConf
}

// How often one look asks, and how long it waits for each answer.
const (
	lookTries = 2
	lookWait  = time.Second
)

// Look looks whether names are answered, by asking.
func Look(ctx context.Context, o LookOptions) (Status, error) {
	s := Status{Enabled: o.Config.DNS.Enabled, Address: netip.AddrPortFrom(o.Config.Network.Gateway, port)}
	if s.Enabled == config.Off {
		return s, nil
	}
	s.Servers = names.ReadServers(cmp.Or(o.ResolvConf, names.ResolvConf)).Addrs
	held, err := filelock.Held(filepath.Join(o.Config.IPAM.StateDir, names.LockName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, say.Errorf("look whether names are answered: %w", err)
	}
	s.Serving = held
	if !held {
		if s.Taken = isTaken(ctx, s.Address); s.Taken {
			s.TakenBy = holderOf(s.Address)
		}
		return s, nil
	}
	s.ask(ctx, o)
	return s, nil
}

// ask asks out of a running container, and from this machine where there is
// none or it had no answer.
func (s *Status) ask(ctx context.Context, o LookOptions) {
	here := func() error { return asked(ctx, s.Address, o.Config.DNS.Domain) }
	var err error
	ns, l := someContainer(ctx, o)
	if ns == nil {
		err = here()
	} else {
		s.Asker = fmt.Sprintf("%s (%s)", l.Owner(), l.IP)
		err = ns.Do(ctx, here)
		s.Beside = err != nil && here() == nil
		_ = ns.Close()
	}
	if err != nil {
		s.Silent = say.Of(err)
	}
}

// someContainer opens the namespace of a container that runs and is on the
// bridge, if there is one. That one is not on it is a fault of its own.
func someContainer(ctx context.Context, o LookOptions) (kernel.Namespace, ipam.Lease) {
	all, _ := o.Leases(ctx) // an error is core/leases' to tell
	for _, l := range all {
		if id, err := o.Kernel.Identify(ctx, l.NetNS); err != nil || id != l.NetNSID {
			continue
		}
		if link, err := o.Kernel.Link(ctx, l.HostVeth); err != nil || !link.Up || link.Master != o.Config.Network.Bridge {
			continue
		}
		if ns, err := o.Kernel.Open(ctx, l.NetNS); err == nil {
			return ns, l
		}
	}
	return nil, ipam.Lease{}
}

// asked asks for the domain itself, which is always there.
func asked(ctx context.Context, at netip.AddrPort, domain string) error {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(strings.ToLower(domain)), dns.TypeSOA)
	var err error
	for range lookTries {
		if err = askedOnce(ctx, at, q); err == nil {
			return nil
		}
	}
	return err
}

func askedOnce(ctx context.Context, at netip.AddrPort, q *dns.Msg) error {
	// Not by a dialer with a context: that would be another thread's.
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := dns.Client{Timeout: lookWait}
	r, _, err := client.ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn})
	if err == nil && (r.Rcode != dns.RcodeSuccess || len(r.Answer) == 0) {
		err = say.Errorf("the answer does not know the domain %s", q.Question[0].Name)
	}
	return err
}

// isTaken tells whether somebody has the port, by asking for it; false also
// where this user may not.
func isTaken(ctx context.Context, at netip.AddrPort) bool {
	udp, tcp, err := bind(ctx, at)
	if err == nil {
		_, _ = udp.Close(), tcp.Close()
	}
	return errors.Is(err, unix.EADDRINUSE)
}
