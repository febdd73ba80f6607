package kernel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxPorts is the kernel's BR_MAX_PORTS without number 0.
const maxPorts = 1023

// fakeNamespace is one network namespace of a Fake.
type fakeNamespace struct {
	machine *machine
	id      NamespaceID
	links   []*fakeLink // by index
	routes  []Route     // without connected ones
	sysctls map[string]string
	last    int // the last index given
}

type fakeLink struct {
	Link
	ns       *fakeNamespace
	addrs    []netip.Prefix
	peer     *fakeLink
	macGiven bool
}

func (n *fakeNamespace) insert(l *fakeLink) {
	n.last++
	l.Index, l.ns = n.last, n
	if l.MAC == nil && l.Type != "loopback" {
		l.MAC = net.HardwareAddr{2, 0, 0, 0, byte(n.last >> 8), byte(n.last)}
	}
	n.links = append(n.links, l)
}

// remove takes a link away, its routes, and its peer.
func (n *fakeNamespace) remove(l *fakeLink) {
	n.links = slices.DeleteFunc(n.links, func(o *fakeLink) bool { return o == l })
	n.routes = slices.DeleteFunc(n.routes, func(r Route) bool { return r.Link == l.Name })
	for _, o := range n.links {
		if o.Master == l.Name {
			o.Master, o.Hairpin = "", false
		}
	}
	if p := l.peer; p != nil {
		l.peer, p.peer = nil, nil
		p.ns.remove(p)
	}
}

func (n *fakeNamespace) find(name string) *fakeLink {
	i := slices.IndexFunc(n.links, func(l *fakeLink) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return n.links[i]
}

// do runs f under the machine's lock.
func (n *fakeNamespace) do(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.machine.mu.Lock()
	defer n.machine.mu.Unlock()
	return f()
}

// with gives f the link of that name.
func (n *fakeNamespace) with(ctx context.Context, name string, f func(*fakeLink) error) error {
	return n.do(ctx, func() error {
		l := n.find(name)
		if l == nil {
			return fmt.Errorf("%s: %w", name, ErrNotFound)
		}
		if err := f(l); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// seen is the link as the kernel would report it.
func (n *fakeNamespace) seen(l *fakeLink) Link {
	s := l.Link
	s.MAC = slices.Clone(l.MAC)
	if l.peer != nil {
		s.PeerIndex = l.peer.Index
	}
	s.Running = n.running(l)
	return s
}

func (n *fakeNamespace) running(l *fakeLink) bool {
	switch {
	case !l.Up:
		return false
	case l.Type == "veth":
		return l.peer != nil && l.peer.Up
	case l.Type == "bridge":
		return slices.ContainsFunc(n.links, func(p *fakeLink) bool { return p.Master == l.Name && n.running(p) })
	}
	return true
}

// Links lists all links, by index.
func (n *fakeNamespace) Links(ctx context.Context) ([]Link, error) {
	var links []Link
	err := n.do(ctx, func() error {
		for _, l := range n.links {
			links = append(links, n.seen(l))
		}
		return nil
	})
	return links, err
}

// Link finds one link.
func (n *fakeNamespace) Link(ctx context.Context, name string) (Link, error) {
	var link Link
	err := n.with(ctx, name, func(l *fakeLink) error {
		link = n.seen(l)
		return nil
	})
	return link, err
}

// AddBridge makes a bridge.
func (n *fakeNamespace) AddBridge(ctx context.Context, name string, mtu int) error {
	return n.do(ctx, func() error {
		if err := n.free(name); err != nil {
			return err
		}
		if mtu == 0 {
			mtu = 1500
		}
		n.insert(&fakeLink{Link: Link{Name: name, Type: "bridge", MTU: mtu}})
		return nil
	})
}

// free refuses a name that is taken or that no link can have.
func (n *fakeNamespace) free(name string) error {
	if name == "" || len(name) >= unix.IFNAMSIZ || strings.ContainsAny(name, "/: \t\n") {
		return fmt.Errorf("%s: %w", name, unix.EINVAL)
	}
	if n.find(name) != nil {
		return fmt.Errorf("%s: %w", name, ErrExists)
	}
	return nil
}

// AddVeth makes a pair.
func (n *fakeNamespace) AddVeth(ctx context.Context, v Veth) error {
	var peer *fakeNamespace
	switch ns := v.PeerNS.(type) {
	case *fakeNamespace:
		peer = ns
	case *Fake:
		peer = ns.fakeNamespace
	default:
		return errors.New(v.Host + ": the peer's namespace is not of this kernel")
	}
	return n.do(ctx, func() error {
		if err := errors.Join(n.free(v.Host), peer.free(v.Peer)); err != nil {
			return err
		}
		if v.MTU == 0 {
			v.MTU = 1500
		}
		if v.MTU < 68 || v.MTU > 65535 || len(v.Alias) > 255 {
			return fmt.Errorf("%s: %w", v.Host, unix.EINVAL)
		}
		host := &fakeLink{Link: Link{Name: v.Host, Type: "veth", MTU: v.MTU, Alias: v.Alias}}
		inside := &fakeLink{
			Link:     Link{Name: v.Peer, Type: "veth", MTU: v.MTU, MAC: slices.Clone(v.PeerMAC)},
			macGiven: v.PeerMAC != nil,
		}
		host.peer, inside.peer = inside, host
		n.insert(host)
		peer.insert(inside)
		return nil
	})
}

// DeleteLink takes a link away.
func (n *fakeNamespace) DeleteLink(ctx context.Context, name string) error {
	return n.with(ctx, name, func(l *fakeLink) error {
		if l.Type == "loopback" {
			return unix.EOPNOTSUPP
		}
		n.remove(l)
		return nil
	})
}

// SetUp switches a link on; the loopback gets its address with that.
func (n *fakeNamespace) SetUp(ctx context.Context, name string) error {
	return n.with(ctx, name, func(l *fakeLink) error {
		l.Up = true
		if l.Type == "loopback" && len(l.addrs) == 0 {
			l.addrs = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}
		}
		return nil
	})
}

// SetMTU sets a link's MTU.
func (n *fakeNamespace) SetMTU(ctx context.Context, name string, mtu int) error {
	return n.with(ctx, name, func(l *fakeLink) error {
		if mtu < 68 || mtu > 65535 {
			return unix.EINVAL
		}
		l.MTU = mtu
		return nil
	})
}

// SetMaster makes a link a port.
func (n *fakeNamespace) SetMaster(ctx context.Context, link, bridge string, hairpin bool) error {
	return n.with(ctx, link, func(l *fakeLink) error {
		b := n.find(bridge)
		if b == nil {
			return ErrNotFound
		}
		if b.Type != "bridge" || l.Type == "bridge" || l.Type == "loopback" {
			return unix.EOPNOTSUPP
		}
		if l.Master != bridge && n.ports(bridge) >= maxPorts {
			return ErrBridgeFull
		}
		l.Master, l.Hairpin = bridge, hairpin
		return nil
	})
}

func (n *fakeNamespace) ports(bridge string) int {
	count := 0
	for _, l := range n.links {
		if l.Master == bridge {
			count++
		}
	}
	return count
}
