package kernel

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// dumpTries is how often a listing is asked for again that the kernel reports
// as torn by a change meanwhile. A torn one is never returned: a link that it
// lacks would look gone.
const dumpTries = 10

func whole[T any](list func() ([]T, error)) ([]T, error) {
	var all []T
	err := error(netlink.ErrDumpInterrupted)
	for range dumpTries {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (n *namespace) Links(ctx context.Context) ([]Link, error) {
	var links []Link
	err := n.do(ctx, "list the links", func(*netlink.Handle) error {
		found, err := whole(func() ([]rawLink, error) { return n.ask(unix.NLM_F_DUMP, nil) })
		if err != nil {
			return err
		}
		names := make(map[int]string, len(found))
		for _, l := range found {
			names[l.Attrs().Index] = l.Attrs().Name
		}
		links = make([]Link, len(found))
		for i, l := range found {
			links[i] = l.link(names[l.Attrs().MasterIndex])
		}
		return nil
	})
	slices.SortFunc(links, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })
	return links, err
}

func (n *namespace) Link(ctx context.Context, name string) (Link, error) {
	var link Link
	err := n.do(ctx, name, func(h *netlink.Handle) error {
		found, err := n.ask(unix.NLM_F_ACK, nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return ErrNotFound
		}
		master := ""
		if i := found[0].Attrs().MasterIndex; i != 0 {
			m, err := h.LinkByIndex(i)
			if err != nil {
				return err
			}
			master = m.Attrs().Name
		}
		link = found[0].link(master)
		return nil
	})
	return link, err
}

// rawLink is a link as the library reads it, and the one attribute that it
// does not read.
type rawLink struct {
	netlink.Link
	hairpin bool
}

func (l rawLink) link(master string) Link {
	a := l.Attrs()
	link := Link{
		Index:   a.Index,
		Name:    a.Name,
		Type:    l.Type(),
		MTU:     a.MTU,
		MAC:     a.HardwareAddr,
		Up:      a.RawFlags&unix.IFF_UP != 0,
		Running: a.RawFlags&unix.IFF_RUNNING != 0 && a.RawFlags&unix.IFF_UP != 0,
		Master:  master,
		Hairpin: l.hairpin,
		Alias:   a.Alias,
	}
	switch {
	case link.Type == "veth":
		link.PeerIndex = a.ParentIndex
	case a.RawFlags&unix.IFF_LOOPBACK != 0:
		link.Type = "loopback"
	}
	return link
}

// skipStats is the kernel's RTEXT_FILTER_SKIP_STATS: counters, most of a
// link's message, are not sent.
const skipStats = 1 << 3

// ask sends one RTM_GETLINK, for all links or the one that filter names.
func (n *namespace) ask(flags int, filter *nl.RtAttr) ([]rawLink, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, flags)
	req.Sockets = n.sockets
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStats)))
	if filter != nil {
		req.AddData(filter)
	}
	msgs, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	if err != nil {
		return nil, err
	}
	links := make([]rawLink, len(msgs))
	for i, m := range msgs {
		l, err := netlink.LinkDeserialize(nil, m)
		if err != nil {
			return nil, err
		}
		links[i] = rawLink{l, hairpin(m)}
	}
	return links, nil
}

// hairpin reads IFLA_BRPORT_MODE, two levels down in a link message.
func hairpin(msg []byte) bool {
	info := attribute(msg[unix.SizeofIfInfomsg:], unix.IFLA_LINKINFO)
	if string(attribute(info, nl.IFLA_INFO_SLAVE_KIND)) != "bridge\x00" {
		return false
	}
	mode := attribute(attribute(info, nl.IFLA_INFO_SLAVE_DATA), nl.IFLA_BRPORT_MODE)
	return len(mode) > 0 && mode[0] != 0
}

func attribute(data []byte, kind uint16) []byte {
	attrs, err := nl.ParseRouteAttr(data)
	if err != nil {
		return nil
	}
	for _, a := range attrs {
		if a.Attr.Type&nl.NLA_TYPE_MASK == kind {
			return a.Value
		}
	}
	return nil
}

func (n *namespace) AddBridge(ctx context.Context, name string, mtu int) error {
	return n.do(ctx, name, func(h *netlink.Handle) error {
		mac, err := ownMAC()
		if err != nil {
			return err
		}
		a := netlink.NewLinkAttrs()
		a.Name, a.MTU, a.HardwareAddr = name, mtu, mac
		return h.LinkAdd(&netlink.Bridge{LinkAttrs: a})
	})
}

// ownMAC makes a random, locally administered unicast address. A bridge that
// was given one keeps it; otherwise it takes the lowest of its ports', and
// every container's ARP entry for the gateway goes stale.
func ownMAC() (net.HardwareAddr, error) {
	mac := make(net.HardwareAddr, 6)
	if _, err := rand.Read(mac); err != nil {
		return nil, err
	}
	mac[0] = mac[0]&^1 | 2
	return mac, nil
}

func (n *namespace) AddVeth(ctx context.Context, v Veth) error {
	peer, ok := v.PeerNS.(interface{ descriptor() netns.NsHandle })
	if !ok {
		return say.Errorf("%s: the peer's namespace is not of this kernel", v.Host)
	}
	return n.do(ctx, v.Host, func(h *netlink.Handle) error {
		a := netlink.NewLinkAttrs()
		a.Name, a.MTU = v.Host, v.MTU
		veth := netlink.NewVeth(a)
		veth.PeerName, veth.PeerHardwareAddr = v.Peer, v.PeerMAC
		if fd := peer.descriptor(); fd >= 0 {
			veth.PeerNamespace = netlink.NsFd(fd)
		}
		if err := h.LinkAdd(veth); err != nil {
			return err
		}
		if v.Alias == "" {
			return nil
		}
		// The kernel takes no alias for a link that it is making.
		if err := h.LinkSetAlias(veth, v.Alias); err != nil {
			return errors.Join(err, h.LinkDel(veth))
		}
		return nil
	})
}

// with finds the link by name and gives it to f.
func (n *namespace) with(ctx context.Context, name string, f func(*netlink.Handle, netlink.Link) error) error {
	return n.do(ctx, name, func(h *netlink.Handle) error {
		link, err := h.LinkByName(name)
		if err != nil {
			return err
		}
		return f(h, link)
	})
}

func (n *namespace) DeleteLink(ctx context.Context, name string) error {
	return n.with(ctx, name, (*netlink.Handle).LinkDel)
}

func (n *namespace) SetUp(ctx context.Context, name string) error {
	return n.with(ctx, name, (*netlink.Handle).LinkSetUp)
}

func (n *namespace) SetMTU(ctx context.Context, name string, mtu int) error {
	return n.with(ctx, name, func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetMTU(l, mtu) })
}

func (n *namespace) SetMaster(ctx context.Context, link, bridge string, hairpin bool) error {
	return n.with(ctx, link, func(h *netlink.Handle, l netlink.Link) error {
		b, err := h.LinkByName(bridge)
		if err != nil {
			return err
		}
		if err := h.LinkSetMaster(l, b); err != nil {
			return err
		}
		return h.LinkSetHairpin(l, hairpin)
	})
}
