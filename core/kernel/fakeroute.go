package kernel

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Addrs lists a link's IPv4 addresses.
func (n *fakeNamespace) Addrs(ctx context.Context, link string) ([]netip.Prefix, error) {
	var addrs []netip.Prefix
	err := n.with(ctx, link, func(l *fakeLink) error {
		addrs = slices.Clone(l.addrs)
		return nil
	})
	return addrs, err
}

// AddAddr gives a link an address.
func (n *fakeNamespace) AddAddr(ctx context.Context, link string, addr netip.Prefix) error {
	return n.with(ctx, link, func(l *fakeLink) error {
		if slices.Contains(l.addrs, addr) {
			return ErrExists
		}
		l.addrs = append(l.addrs, addr)
		return nil
	})
}

// Routes lists the connected routes of links that are up, and those that
// AddRoute made.
func (n *fakeNamespace) Routes(ctx context.Context) ([]Route, error) {
	var routes []Route
	err := n.do(ctx, func() error {
		for _, l := range n.links {
			routes = append(routes, l.connected()...)
		}
		routes = append(routes, n.routes...)
		return nil
	})
	return routes, err
}

func (l *fakeLink) connected() []Route {
	var routes []Route
	for _, a := range l.addrs {
		if l.Up && l.Type != "loopback" && a.Bits() < 32 {
			routes = append(routes, Route{Dst: a.Masked(), Link: l.Name, Src: a.Addr()})
		}
	}
	return routes
}

// AddRoute adds a route by a link that is up and a gateway that it reaches.
func (n *fakeNamespace) AddRoute(ctx context.Context, r Route) error {
	return n.with(ctx, r.Link, func(l *fakeLink) error {
		reached := func(c Route) bool { return c.Dst.Contains(r.Gateway) }
		switch {
		case r.Gateway.IsValid() && !slices.ContainsFunc(l.connected(), reached):
			return unix.ENETUNREACH
		case !l.Up:
			return unix.ENETDOWN
		}
		same := func(o Route) bool { return o.Dst == r.Dst && o.Metric == r.Metric }
		if slices.ContainsFunc(n.routes, same) {
			return ErrExists
		}
		n.routes = append(n.routes, r)
		return nil
	})
}

// Sysctl reads a key that a bare machine has or AddSysctl made known.
func (n *fakeNamespace) Sysctl(ctx context.Context, key string) (string, error) {
	var value string
	err := n.do(ctx, func() error {
		v, ok := n.sysctls[key]
		if !ok {
			return fmt.Errorf("%s: %w", key, ErrNotFound)
		}
		value = v
		return nil
	})
	return value, err
}

// SetSysctl sets a key that Sysctl can read, or one of a link's.
func (n *fakeNamespace) SetSysctl(ctx context.Context, key, value string) error {
	return n.do(ctx, func() error {
		name, _, _ := strings.Cut(strings.TrimPrefix(key, "net.ipv4.conf."), ".")
		if _, ok := n.sysctls[key]; !ok && n.find(name) == nil {
			return fmt.Errorf("%s: %w", key, ErrNotFound)
		}
		n.sysctls[key] = value
		return nil
	})
}

// Do runs f where it is: there are no sockets in here.
func (n *fakeNamespace) Do(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

// Close does nothing: there is nothing to give back.
func (n *fakeNamespace) Close() error { return nil }
