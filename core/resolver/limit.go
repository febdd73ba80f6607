package resolver

import (
	"net"
	"net/netip"
	"sync"
)

// limiter bounds how much goes on at once, for all clients together and for
// each of them: one container cannot take the resolver away from the others.
type limiter struct {
	all, each int

	mu    sync.Mutex
	total int
	of    map[netip.Addr]int
}

func newLimiter(all, each int) *limiter {
	return &limiter{all: all, each: each, of: map[netip.Addr]int{}}
}

// take takes a place for a client, if there is one.
func (l *limiter) take(client netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.all || l.of[client] >= l.each {
		return false
	}
	l.total++
	l.of[client]++
	return true
}

// give gives the place back.
func (l *limiter) give(client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.of[client]--; l.of[client] <= 0 {
		delete(l.of, client)
	}
}

// packets lets only those of a subnet's clients through: whoever is elsewhere
// gets no answer at all.
type packets struct {
	net.PacketConn
	subnet netip.Prefix
}

func (p packets) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := p.PacketConn.ReadFrom(b)
		if err != nil || p.subnet.Contains(addrOf(from)) {
			return n, from, err
		}
	}
}

// connections lets only those of a subnet's clients through, and not too many
// of them.
type connections struct {
	net.Listener
	subnet netip.Prefix
	open   *limiter
}

func (c connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := addrOf(conn.RemoteAddr())
		if c.subnet.Contains(client) && c.open.take(client) {
			return &counted{Conn: conn, give: sync.OnceFunc(func() { c.open.give(client) })}, nil
		}
		_ = conn.Close()
	}
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	give func()
}

func (c *counted) Close() error {
	c.give()
	return c.Conn.Close()
}

// addrOf gives an address without its port.
func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
