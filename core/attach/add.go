package attach

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"flatnet/core/bridge"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/ports"
	"flatnet/core/say"
)

// Add puts the container's interface on the network: lease first, then the
// bridge and the rules where they are missing, then the veth pair, address,
// route and loopback. The lease is durable before anything is made for it. An
// error, or a panic on the way, takes back all that this call made.
func (a *Attacher) Add(ctx context.Context, r Request) (result Result, err error) {
	in, err := a.enter(ctx, &r)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = in.Close() }()

	undo := newUndo()
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, undo.run(context.WithoutCancel(ctx)))
		}
	}()
	lease, err := a.take(ctx, r, in.id, undo)
	if err != nil {
		return Result{}, err
	}
	if err := a.alone(ctx, lease.BootID); err != nil {
		return Result{}, err
	}
	rules := start(func() error { return a.ensureRules(ctx, lease, undo) })
	defer func() { _ = rules() }() // before the undo, whatever happens below
	result, err = a.connect(ctx, in, lease, undo)
	if err = errors.Join(err, rules()); err != nil {
		return Result{}, err
	}
	if err := a.publish(ctx, lease, undo); err != nil {
		return Result{}, err
	}
	done = true
	return result, nil
}

// inside is the container's namespace, opened.
type inside struct {
	kernel.Namespace
	path   string
	id     kernel.NamespaceID
	ifName string // of the interface to make
}

// enter checks everything that can be checked before anything is made, and
// opens the container's namespace.
func (a *Attacher) enter(ctx context.Context, r *Request) (_ *inside, err error) {
	if err := a.checkRequest(r); err != nil {
		return nil, err
	}
	id, err := a.kernel.Identify(ctx, r.NetNS)
	if err != nil {
		return nil, failed("find the network namespace", "", err)
	}
	if own, err := a.kernel.Identify(ctx, ownNamespace); err == nil && own == id {
		return nil, failed("attach", r.NetNS, ErrOwnNamespace)
	}
	ns, err := a.kernel.Open(ctx, r.NetNS)
	if err != nil {
		return nil, failed("enter the network namespace", "", err)
	}
	in := &inside{Namespace: ns, path: r.NetNS, id: id, ifName: r.IfName}
	if err := in.checkFree(ctx); err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	return in, nil
}

// ownNamespace is the one that this program runs in.
const ownNamespace = "/proc/self/ns/net"

// checkFree makes sure that the interface's name is not in use.
func (in *inside) checkFree(ctx context.Context) error {
	_, err := in.Link(ctx, in.ifName)
	switch {
	case err == nil:
		return failed("make interface", in.ifName+" in "+in.path, ErrInterfaceTaken)
	case errors.Is(err, kernel.ErrNotFound):
		return nil
	}
	return failed("look for interface", in.ifName+" in "+in.path, err)
}

// take gives the request its lease, durably. Undoing it puts back what was
// there before: a failed Add frees nothing that another one holds.
func (a *Attacher) take(ctx context.Context, r Request, id kernel.NamespaceID, undo *undo) (ipam.Lease, error) {
	boot, err := a.kernel.BootID(ctx)
	if err != nil {
		return ipam.Lease{}, failed("read the boot id", "", err)
	}
	var lease, before ipam.Lease
	// Before the change itself: it may be on the disk and end in an error.
	undo.push(func(ctx context.Context) error { return a.giveBack(ctx, lease, before) })
	err = a.store.Update(ctx, func(s *ipam.State) ([]journal.Entry, error) {
		var held bool
		if before, held = s.Find(r.ContainerID, r.IfName); held {
			if err := a.clear(ctx, r.ID, before); err != nil {
				return nil, err
			}
			if err := a.unpublish(ctx, before); err != nil {
				return nil, err
			}
		}
		veth, err := a.chooseName(ctx, s, r.ID)
		if err != nil {
			return nil, err
		}
		var entries []journal.Entry
		lease, entries, err = ipam.Allocate(s, ipam.PoolOf(a.config), ipam.Request{
			ContainerID: r.ContainerID, Name: r.Name, IfName: r.IfName, IP: r.IP,
			NetNS: r.NetNS, NetNSID: id, BootID: boot, HostVeth: veth,
			By: byAdd, Witness: a.witness(ctx, boot),
		}, a.now())
		if err != nil {
			return nil, err
		}
		mac, err := chooseMAC(s, r.MAC, lease, a.witness(ctx, boot))
		if err != nil {
			return nil, err
		}
		lease.MAC, lease.Ports, lease.Aliases = mac.String(), ports.Text(r.Ports), aliasText(r.Aliases)
		s.Put(lease)
		return entries, nil
	})
	if err != nil {
		return ipam.Lease{}, err
	}
	return lease, nil
}

// clear makes way for a new attachment of the same container and interface.
// One that stands is left alone; what is left of one whose namespace is gone
// is taken away.
func (a *Attacher) clear(ctx context.Context, id ID, held ipam.Lease) error {
	link, err := a.hostLink(ctx, id, func() (ipam.Lease, error) { return held, nil })
	if errors.Is(err, kernel.ErrNotFound) {
		return nil // never finished, or gone with its namespace
	}
	if err != nil {
		return err
	}
	now, err := a.kernel.Identify(ctx, held.NetNS)
	if held.NetNSID == (kernel.NamespaceID{}) || err == nil && now == held.NetNSID {
		return failed("attach", id.String(), say.Errorf("%w at %s", ErrAttached, held.IP))
	}
	if err != nil && !errors.Is(err, kernel.ErrNoNamespace) {
		return failed("find the network namespace", "", err)
	}
	return a.deleteVeth(ctx, link.Name)
}

// giveBack undoes take. It leaves a lease alone that is not the one taken.
func (a *Attacher) giveBack(ctx context.Context, lease, before ipam.Lease) error {
	if !lease.IP.IsValid() {
		return nil
	}
	err := a.store.Update(ctx, func(s *ipam.State) ([]journal.Entry, error) {
		now, held := s.Lease(lease.IP)
		if !held || !now.AllocatedAt.Equal(lease.AllocatedAt) || now.ContainerID != lease.ContainerID {
			return nil, nil
		}
		if before.IP == lease.IP {
			s.Put(before)
			return nil, nil
		}
		return ipam.Release(s, lease.IP, byAddUndone, a.now())
	})
	if err != nil {
		return failed("give back", lease.IP.String(), err)
	}
	return nil
}

// connect makes bridge, veth pair and what is in the container.
func (a *Attacher) connect(ctx context.Context, in *inside, lease ipam.Lease, undo *undo) (Result, error) {
	br, err := a.ensureBridge(ctx, lease, undo)
	if err != nil {
		return Result{}, err
	}
	mac, err := net.ParseMAC(lease.MAC)
	if err != nil {
		return Result{}, failed("read the MAC address", lease.MAC, err)
	}
	id := ID{lease.ContainerID, lease.IfName}
	owner := Owner{Network: a.config.Network.Name, ID: id, IP: lease.IP, Name: lease.Name}
	// Before it is made: it may be there and have no alias yet when that fails.
	undo.push(func(ctx context.Context) error { return a.unplug(ctx, id) })
	err = a.kernel.AddVeth(ctx, kernel.Veth{
		Host: lease.HostVeth, Alias: owner.String(),
		Peer: in.ifName, PeerNS: in.Namespace, PeerMAC: mac, MTU: br.MTU,
	})
	if err != nil {
		return Result{}, failed("make the veth pair", lease.HostVeth, say.Errorf("%w: %w", ErrVeth, err))
	}
	if err := a.plug(ctx, lease.HostVeth); err != nil {
		return Result{}, err
	}
	address := netip.PrefixFrom(lease.IP, a.config.Network.Subnet.Bits())
	first, err := in.configure(ctx, address, a.config.Network.Gateway)
	if err != nil {
		return Result{}, err
	}
	host, err := a.kernel.Link(ctx, lease.HostVeth)
	if err != nil {
		return Result{}, failed("look for interface", lease.HostVeth, err)
	}
	return Result{
		Lease: lease, Address: address, Gateway: a.config.Network.Gateway, DefaultRoute: first, MTU: br.MTU,
		Bridge: Interface{br.Name, br.MAC},
		Host:   Interface{host.Name, host.MAC},
		Inside: Interface{in.ifName, mac},
	}, nil
}

// plug makes the host's end a port of the bridge.
func (a *Attacher) plug(ctx context.Context, veth string) error {
	n := a.config.Network
	if err := a.kernel.SetMaster(ctx, veth, n.Bridge, n.Hairpin); err != nil {
		return failed(say.F("put %s on bridge", veth), n.Bridge, err)
	}
	if err := a.kernel.SetUp(ctx, veth); err != nil {
		return failed("set up", veth, err)
	}
	return nil
}

// configure sets address, default route and loopback in the container. Where
// another network gave it a default route already, that one stays.
func (in *inside) configure(ctx context.Context, address netip.Prefix, gateway netip.Addr) (first bool, err error) {
	place := in.ifName + " in " + in.path
	if err := in.AddAddr(ctx, in.ifName, address); err != nil {
		return false, failed(say.F("set address %s on", address), place, err)
	}
	if err := in.SetUp(ctx, in.ifName); err != nil {
		return false, failed("set up", place, err)
	}
	err = in.AddRoute(ctx, kernel.Route{Dst: anywhere, Gateway: gateway, Link: in.ifName})
	if err != nil && !errors.Is(err, kernel.ErrExists) {
		return false, failed("set the default route on", place, err)
	}
	first = err == nil
	if err := in.SetUp(ctx, "lo"); err != nil {
		return false, failed("set up", "lo in "+in.path, err)
	}
	return first, nil
}

// anywhere is the default route's destination.
var anywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// ensureBridge sees to the bridge and gives its link. A bridge that this call
// made goes again with the undo, if nobody else has come to use it.
func (a *Attacher) ensureBridge(ctx context.Context, lease ipam.Lease, undo *undo) (kernel.Link, error) {
	name := a.config.Network.Bridge
	_, err := a.kernel.Link(ctx, name)
	missing := errors.Is(err, kernel.ErrNotFound)
	if err != nil && !missing {
		return kernel.Link{}, failed("look for bridge", name, err)
	}
	if err := bridge.Ensure(ctx, a.kernel, a.config.Network); err != nil {
		return kernel.Link{}, err
	}
	if missing {
		undo.push(func(ctx context.Context) error {
			return a.ifAlone(ctx, lease, func() error { return a.kernel.DeleteLink(ctx, name) })
		})
	}
	br, err := a.kernel.Link(ctx, name)
	if err != nil {
		return kernel.Link{}, failed("look for bridge", name, err)
	}
	return br, nil
}

// ensureRules sees to the packet filter. Where no iptables is installed and
// none was asked for by name the container still gets its network.
func (a *Attacher) ensureRules(ctx context.Context, lease ipam.Lease, undo *undo) error {
	want := firewall.WantOf(a.config)
	changed, err := a.rules.Ensure(ctx, a.kernel, want)
	if errors.Is(err, kernel.ErrNoProgram) && want.Backend == kernel.BackendAuto {
		a.log.Warn("the packet filter was left alone: no iptables program is installed")
		return nil
	}
	if changed {
		undo.push(func(ctx context.Context) error {
			return a.ifAlone(ctx, lease, func() error { return firewall.Remove(ctx, a.kernel, want) })
		})
	}
	return err
}

// ifAlone runs f if no other container holds a lease. It holds the state's
// lock meanwhile, and every Add takes its lease before it relies on the bridge
// or the rules, so nobody comes to need them while f takes them away.
func (a *Attacher) ifAlone(ctx context.Context, mine ipam.Lease, f func() error) error {
	return a.store.Update(ctx, func(s *ipam.State) ([]journal.Entry, error) {
		_, held := s.Lease(mine.IP)
		if s.Len() > 1 || s.Len() == 1 && !held {
			return nil, nil
		}
		return nil, f()
	})
}
