package attach

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// Check compares lease and kernel with what Add made, and with what the
// caller was told then. The error names every part that is missing
// (ErrMissing) or differs (ErrDiffers).
func (a *Attacher) Check(ctx context.Context, id ID, netns string, want Expected) error {
	if err := id.check(); err != nil {
		return err
	}
	lease, err := a.leaseOf(ctx, id)
	if err != nil {
		return err
	}
	if !lease.IP.IsValid() {
		return errors.Join(missing("lease", id.String()), a.checkInside(ctx, id, netns, want))
	}
	want.Addresses = append(want.Addresses, netip.PrefixFrom(lease.IP, a.config.Network.Subnet.Bits()))
	want.Routes = append(want.Routes, kernel.Route{Dst: anywhere}) // through whichever network
	return errors.Join(a.checkHost(ctx, id, lease), a.checkInside(ctx, id, netns, want))
}

// checkHost looks at the host's end.
func (a *Attacher) checkHost(ctx context.Context, id ID, lease ipam.Lease) error {
	link, err := a.hostLink(ctx, id, func() (ipam.Lease, error) { return lease, nil })
	if errors.Is(err, kernel.ErrNotFound) {
		return missing("interface", cmp.Or(lease.HostVeth, vethNames(a.config.Network.Name, id)[0]))
	}
	if err != nil {
		return err
	}
	var errs []error
	if link.Master != a.config.Network.Bridge {
		errs = append(errs, differs("bridge membership of", link.Name, link.Master, a.config.Network.Bridge))
	}
	if !link.Up {
		errs = append(errs, differs("state of", link.Name, "down", "up"))
	}
	return errors.Join(errs...)
}

// checkInside looks into the container.
func (a *Attacher) checkInside(ctx context.Context, id ID, netns string, want Expected) (err error) {
	ns, err := a.kernel.Open(ctx, netns)
	if err != nil {
		return failed("enter the network namespace", "", err)
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	place := id.IfName + " in " + netns
	link, err := ns.Link(ctx, id.IfName)
	if errors.Is(err, kernel.ErrNotFound) {
		return missing("interface", place)
	}
	if err != nil {
		return failed("look for interface", place, err)
	}
	var errs []error
	if !link.Up {
		errs = append(errs, differs("state of", place, "down", "up"))
	}
	if len(want.MAC) > 0 && link.MAC.String() != want.MAC.String() {
		errs = append(errs, differs("MAC address of", place, link.MAC.String(), want.MAC.String()))
	}
	errs = append(errs, checkAddresses(ctx, ns, id.IfName, place, want.Addresses), checkRoutes(ctx, ns, place, want.Routes))
	return errors.Join(errs...)
}

func checkAddresses(ctx context.Context, ns kernel.Namespace, ifName, place string, want []netip.Prefix) error {
	if len(want) == 0 {
		return nil
	}
	have, err := ns.Addrs(ctx, ifName)
	if err != nil {
		return failed("read the addresses of", place, err)
	}
	var errs []error
	for i, w := range want {
		if !slices.Contains(have, w) && !slices.Contains(want[:i], w) {
			errs = append(errs, missing(say.F("address %s on", w), place))
		}
	}
	return errors.Join(errs...)
}

func checkRoutes(ctx context.Context, ns kernel.Namespace, place string, want []kernel.Route) error {
	if len(want) == 0 {
		return nil
	}
	have, err := ns.Routes(ctx)
	if err != nil {
		return failed("read the routes of", place, err)
	}
	var errs []error
	for i, w := range want {
		same := func(r kernel.Route) bool {
			return r.Dst == w.Dst && (!w.Gateway.IsValid() || r.Gateway == w.Gateway)
		}
		if !slices.ContainsFunc(have, same) && !slices.ContainsFunc(want[:i], same) {
			errs = append(errs, missing(say.F("route %s on", routeText(w)), place))
		}
	}
	return errors.Join(errs...)
}

func routeText(r kernel.Route) string {
	if !r.Gateway.IsValid() {
		return r.Dst.String()
	}
	return r.Dst.String() + " via " + r.Gateway.String()
}

// remedy is the same for all that Check finds.
const remedy = "restart the container, so that it is attached anew"

func missing(what say.Text, where string) error {
	return failedWith(say.F("find %s", what), where, ErrMissing, remedy)
}

func differs(what say.Text, where, is, want string) error {
	return failedWith(say.F("confirm the %s", what), where, say.Errorf("%w: it is %q, and was %q", ErrDiffers, is, want), remedy)
}
