// Package bridge brings the network's bridge into being and keeps it as
// configured: there, up, with the gateway's address and the right MTU, and
// ip_forward on (seed 4.1). Ports are put on it by core/attach, packet filter
// rules by core/firewall.
package bridge

import (
	"context"
	"errors"
	"net/netip"

	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// MaxPorts is how many ports a Linux bridge takes: kernel BR_MAX_PORTS is
// 1,024, and number 0 is not given to a port.
const MaxPorts = 1023

// ForwardKey is the sysctl without which the host passes nothing on.
const ForwardKey = "net.ipv4.ip_forward"

// Ensure makes the bridge of n if it is missing, and sets what differs:
// address, MTU, up, ip_forward. Where all is well it only reads. It refuses
// with ErrNotBridge, ErrForeignAddress or ErrOverlap before it changes
// anything, and takes away a bridge that it made and could not finish.
func Ensure(ctx context.Context, k kernel.Kernel, n config.Network) error {
	mtu, err := wantMTU(ctx, k, n)
	if err != nil {
		return err
	}
	link, err := k.Link(ctx, n.Bridge)
	if err == nil {
		return adopt(ctx, k, n, link, mtu)
	}
	if !errors.Is(err, kernel.ErrNotFound) {
		return failed("look for the bridge", n.Bridge, err)
	}
	if err := refuseOverlap(ctx, k, n); err != nil {
		return err
	}
	err = k.AddBridge(ctx, n.Bridge, mtu)
	if errors.Is(err, kernel.ErrExists) { // another call was faster
		if link, err = k.Link(ctx, n.Bridge); err == nil {
			return adopt(ctx, k, n, link, mtu)
		}
	}
	if err != nil {
		return failed("make the bridge", n.Bridge, err)
	}
	if err := finish(ctx, k, n); err != nil {
		return errors.Join(err, k.DeleteLink(context.WithoutCancel(ctx), n.Bridge))
	}
	return nil
}

// finish gives a new bridge what it needs.
func finish(ctx context.Context, k kernel.Kernel, n config.Network) error {
	if err := addAddress(ctx, k, n); err != nil {
		return err
	}
	if err := k.SetUp(ctx, n.Bridge); err != nil {
		return failed("switch on the bridge", n.Bridge, err)
	}
	return Forward(ctx, k)
}

// adopt sets what differs on a link that is there already.
func adopt(ctx context.Context, k kernel.Kernel, n config.Network, link kernel.Link, mtu int) error {
	if link.Type != "bridge" {
		return notBridge(n.Bridge, link.Type)
	}
	addrs, err := k.Addrs(ctx, n.Bridge)
	if err != nil {
		return failed("read the addresses of", n.Bridge, err)
	}
	here, err := ourAddress(n, addrs)
	if err != nil {
		return err
	}
	if !here {
		if err := refuseOverlap(ctx, k, n); err != nil {
			return err
		}
		if err := addAddress(ctx, k, n); err != nil {
			return err
		}
	}
	if mtu != 0 && link.MTU != mtu {
		if err := k.SetMTU(ctx, n.Bridge, mtu); err != nil {
			return failed("set the MTU of", n.Bridge, err)
		}
	}
	if !link.Up {
		if err := k.SetUp(ctx, n.Bridge); err != nil {
			return failed("switch on the bridge", n.Bridge, err)
		}
	}
	return Forward(ctx, k)
}

// ourAddress tells whether the gateway's address is among addrs; any other
// one is refused.
func ourAddress(n config.Network, addrs []netip.Prefix) (here bool, err error) {
	for _, a := range addrs {
		if a != address(n) {
			return here, foreignAddress(n.Bridge, a.String(), address(n).String())
		}
		here = true
	}
	return here, nil
}

func addAddress(ctx context.Context, k kernel.Kernel, n config.Network) error {
	err := k.AddAddr(ctx, n.Bridge, address(n))
	if err != nil && !errors.Is(err, kernel.ErrExists) {
		return failed(say.F("give the bridge its address %s,", address(n)), n.Bridge, err)
	}
	return nil
}

// Forward switches ip_forward on, and reads first: writing it makes the
// kernel reset other settings of every link.
func Forward(ctx context.Context, k kernel.Kernel) error {
	now, err := k.Sysctl(ctx, ForwardKey)
	if err == nil && now == "1" {
		return nil
	}
	if err := k.SetSysctl(ctx, ForwardKey, "1"); err != nil {
		return failed("switch on", ForwardKey, err)
	}
	return nil
}

// everywhere is the prefix length below which a route stands for "everything
// else" (a VPN's 0.0.0.0/1, say) and not for a network.
const everywhere = 8

// Overlaps lists the routes of other links that cover addresses of n.
func Overlaps(routes []kernel.Route, n config.Network) []kernel.Route {
	var found []kernel.Route
	for _, r := range routes {
		if r.Link != n.Bridge && r.Dst.Bits() >= everywhere && r.Dst.Overlaps(n.Subnet) {
			found = append(found, r)
		}
	}
	return found
}

func refuseOverlap(ctx context.Context, k kernel.Kernel, n config.Network) error {
	routes, err := k.Routes(ctx)
	if err != nil {
		return failed("read the routes for", n.Bridge, err)
	}
	if found := Overlaps(routes, n); len(found) > 0 {
		return overlap(n.Bridge, n.Subnet.Masked().String(), routeText(found[0]))
	}
	return nil
}

func routeText(r kernel.Route) string {
	text := r.Dst.String()
	if r.Gateway.IsValid() {
		text += " via " + r.Gateway.String()
	}
	if r.Link != "" {
		text += " dev " + r.Link
	}
	return text
}

// wantMTU is the configured MTU, or that of the default route's link; 0 where
// there is neither. Of several default routes the one with the lowest metric
// counts, as for the kernel.
func wantMTU(ctx context.Context, k kernel.Kernel, n config.Network) (int, error) {
	if n.MTU != 0 {
		return n.MTU, nil
	}
	routes, err := k.Routes(ctx)
	if err != nil {
		return 0, failed("read the default route for", n.Bridge, err)
	}
	var best *kernel.Route
	for i, r := range routes {
		if r.Dst.Bits() == 0 && r.Link != "" && r.Link != n.Bridge && (best == nil || r.Metric < best.Metric) {
			best = &routes[i]
		}
	}
	if best == nil {
		return 0, nil
	}
	link, err := k.Link(ctx, best.Link)
	if errors.Is(err, kernel.ErrNotFound) { // gone since
		return 0, nil
	}
	if err != nil {
		return 0, failed("read the MTU of", best.Link, err)
	}
	return link.MTU, nil
}

// address is the gateway's, with the subnet's length.
func address(n config.Network) netip.Prefix {
	return netip.PrefixFrom(n.Gateway, n.Subnet.Bits())
}
