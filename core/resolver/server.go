package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"flatnet/core/filelock"
	"flatnet/core/names"
)

const (
	port     = 53
	udpSize  = 1232             // what is taken by UDP, in bytes: it fits every link (DNS flag day 2020)
	idle     = 10 * time.Second // of a TCP connection
	lockWait = time.Second
)

// server answers at one network's gateway.
type server struct {
	*Resolver
	place names.Place
}

// run answers until ctx ends or a socket fails. That the names are answered is
// said by a lock, which the kernel frees however this process ends.
func (s *server) run(ctx context.Context) error {
	udp, tcp, err := bind(ctx, netip.AddrPortFrom(s.place.Gateway, port))
	if err != nil {
		return err
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) { s.serve(ctx, w, m) })
	both := []*dns.Server{
		{PacketConn: packets{udp, s.place.Subnet}, UDPSize: dns.DefaultMsgSize, Handler: handler},
		{
			Listener: connections{tcp, s.place.Subnet, s.open}, Handler: handler,
			IdleTimeout: func() time.Duration { return idle },
		},
	}
	var running sync.WaitGroup
	ended := make(chan error, len(both))
	for _, d := range both {
		running.Go(func() { ended <- d.ActivateAndServe() })
	}
	lock, err := s.lock(ctx)
	if err == nil {
		s.o.Report(fmt.Sprintf("Names are answered at %s.", s.place.Gateway))
		select {
		case <-ctx.Done():
		case err = <-ended:
		}
	}
	lock.Release()
	for _, d := range both {
		_ = d.Shutdown() // an error if it has not begun: what follows ends it then
	}
	_, _ = udp.Close(), tcp.Close()
	running.Wait()
	return err
}

// lock says that the names are answered. Before the first container there is
// no state, and this makes its directory.
func (s *server) lock(ctx context.Context) (*filelock.Lock, error) {
	if err := os.MkdirAll(s.place.Dir, 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	return filelock.Acquire(ctx, filepath.Join(s.place.Dir, names.LockName), s.o.Holder)
}

// bind opens both ports at a gateway, and nowhere else. Whether the bridge
// is there does not matter: the sockets answer as soon as it is, and again
// when it was away (IP_FREEBIND).
func bind(ctx context.Context, at netip.AddrPort) (net.PacketConn, net.Listener, error) {
	listen := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		inner := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_FREEBIND, 1) })
		return errors.Join(inner, err)
	}}
	udp, err := listen.ListenPacket(ctx, "udp4", at.String())
	if err != nil {
		return nil, nil, err
	}
	tcp, err := listen.Listen(ctx, "tcp4", at.String())
	if err != nil {
		return nil, nil, errors.Join(err, udp.Close())
	}
	return udp, tcp, nil
}

// serve answers one message. Whatever it makes go wrong ends with it.
func (s *server) serve(ctx context.Context, w dns.ResponseWriter, m *dns.Msg) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Report(fmt.Sprintf("A question of %s broke off: %v\n%s", w.RemoteAddr(), p, debug.Stack()))
		}
	}()
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	r := s.respond(ctx, addrOf(w.RemoteAddr()), m, tcp)
	if !tcp {
		size := dns.MinMsgSize
		if opt := m.IsEdns0(); opt != nil {
			size = min(max(size, int(opt.UDPSize())), dns.DefaultMsgSize)
		}
		r.Truncate(size)
	}
	_ = w.WriteMsg(r) // a client that has gone does not miss it
}

// respond gives the reply to one message.
func (s *server) respond(ctx context.Context, client netip.Addr, m *dns.Msg, tcp bool) *dns.Msg {
	if opt := m.IsEdns0(); opt != nil && opt.Version() != 0 {
		return reply(m, dns.RcodeBadVers)
	}
	if m.Opcode != dns.OpcodeQuery || len(m.Question) != 1 {
		return reply(m, dns.RcodeNotImplemented)
	}
	table, err := s.source.Table(ctx)
	if r := s.zone.answer(table, table.For(client), m); r != nil {
		if err != nil && r.Rcode == dns.RcodeNameError {
			return reply(m, dns.RcodeServerFailure) // it may be there all the same
		}
		return r
	}
	return s.forward(ctx, client, table.Container(client), m, tcp)
}

// forward asks somebody else.
func (s *server) forward(ctx context.Context, client netip.Addr, container string, m *dns.Msg, tcp bool) *dns.Msg {
	if !s.asking.take(client) {
		return reply(m, dns.RcodeServerFailure)
	}
	defer s.asking.give(client)
	r, err := s.forwarder.ask(ctx, m, s.people.servers(ctx, container), tcp)
	if err != nil {
		return reply(m, dns.RcodeServerFailure)
	}
	r.Compress = true
	return r
}
