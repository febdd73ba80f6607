package kernel

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

func (n *namespace) Addrs(ctx context.Context, link string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	err := n.with(ctx, link, func(_ *netlink.Handle, l netlink.Link) error {
		index := uint32(l.Attrs().Index) //nolint:gosec // the kernel's own are positive
		msgs, err := whole(func() ([][]byte, error) { return n.askAddrs(index) })
		for _, m := range msgs {
			if nl.DeserializeIfAddrmsg(m).Index == index {
				prefixes = append(prefixes, prefixOf(m))
			}
		}
		return err
	})
	return prefixes, err
}

// askAddrs sends one RTM_GETADDR for a link's addresses. A kernel that does not
// know how to choose (before Linux 4.20) gives those of all links; this takes it
// a third of a millisecond where a bridge has a thousand ports.
func (n *namespace) askAddrs(index uint32) ([][]byte, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	req.Sockets = n.sockets
	msg := nl.NewIfAddrmsg(unix.AF_INET)
	msg.Index = index
	req.AddData(msg)
	return req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
}

// prefixOf reads one address. That of a link with another end has the length
// of an address alone: the message's is the other end's.
func prefixOf(msg []byte) netip.Prefix {
	head := nl.DeserializeIfAddrmsg(msg)
	own, other := attribute(msg[head.Len():], unix.IFA_LOCAL), attribute(msg[head.Len():], unix.IFA_ADDRESS)
	ip, _ := netip.AddrFromSlice(own)
	if !bytes.Equal(own, other) {
		return netip.PrefixFrom(ip, ip.BitLen())
	}
	return netip.PrefixFrom(ip, int(head.Prefixlen))
}

func (n *namespace) AddAddr(ctx context.Context, link string, addr netip.Prefix) error {
	return n.with(ctx, link, func(h *netlink.Handle, l netlink.Link) error {
		return h.AddrAdd(l, &netlink.Addr{IPNet: toIPNet(addr)})
	})
}

func (n *namespace) Routes(ctx context.Context) ([]Route, error) {
	var routes []Route
	err := n.do(ctx, "list the routes", func(h *netlink.Handle) error {
		found, err := whole(func() ([]netlink.Route, error) { return h.RouteList(nil, netlink.FAMILY_V4) })
		if err != nil {
			return err
		}
		names := linkNames{h: h, known: map[int]string{}}
		for _, r := range found {
			for _, hop := range hops(r) {
				name, err := names.of(hop.LinkIndex)
				if err != nil {
					return err
				}
				routes = append(routes, Route{
					Dst: fromIPNet(r.Dst), Gateway: fromIP(hop.Gw),
					Link: name, Src: fromIP(r.Src), Metric: r.Priority,
				})
			}
		}
		return nil
	})
	return routes, err
}

// hops gives the ways that a route has, one each.
func hops(r netlink.Route) []*netlink.NexthopInfo {
	if len(r.MultiPath) > 0 {
		return r.MultiPath
	}
	return []*netlink.NexthopInfo{{LinkIndex: r.LinkIndex, Gw: r.Gw}}
}

// linkNames asks for each link's name once; there are few with routes among
// perhaps a thousand.
type linkNames struct {
	h     *netlink.Handle
	known map[int]string
}

func (l linkNames) of(index int) (string, error) {
	if index == 0 { // a route that rejects
		return "", nil
	}
	if name, ok := l.known[index]; ok {
		return name, nil
	}
	link, err := l.h.LinkByIndex(index)
	if err != nil && !errors.Is(meaning(err), ErrNotFound) { // gone since
		return "", err
	}
	if err == nil {
		l.known[index] = link.Attrs().Name
	}
	return l.known[index], nil
}

func (n *namespace) AddRoute(ctx context.Context, r Route) error {
	return n.with(ctx, r.Link, func(h *netlink.Handle, l netlink.Link) error {
		route := &netlink.Route{
			LinkIndex: l.Attrs().Index,
			Dst:       toIPNet(r.Dst),
			Gw:        r.Gateway.AsSlice(),
			Src:       r.Src.AsSlice(),
			Priority:  r.Metric,
			Scope:     netlink.SCOPE_UNIVERSE,
		}
		if !r.Gateway.IsValid() {
			route.Scope = unix.RT_SCOPE_LINK
		}
		return h.RouteAdd(route)
	})
}

func toIPNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// fromIPNet reads the library's form, in which nil is the default route.
func fromIPNet(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(fromIP(n.IP), ones)
}

func fromIP(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
