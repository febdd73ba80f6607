package windows

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"flatnet/core/kernel"
	"flatnet/core/say"
)

// errNoDefault says that WSL has no default route, and so no address of its own.
var errNoDefault = say.New("WSL has no default route")

// addresses gives WSL's own address, the source of its default route, and
// Windows as that route leads to it. The first word of `hostname -I` would be
// docker0's or the bridge's as often.
func addresses(ctx context.Context, r Router) (wsl, windows netip.Addr, err error) {
	routes, err := r.Routes(ctx)
	if err != nil {
		return wsl, windows, err
	}
	routes = slices.DeleteFunc(routes, func(r kernel.Route) bool { return r.Dst.Bits() != 0 })
	if len(routes) == 0 {
		return wsl, windows, errNoDefault
	}
	best := slices.MinFunc(routes, func(a, b kernel.Route) int { return cmp.Compare(a.Metric, b.Metric) })
	if best.Src.IsValid() {
		return best.Src, best.Gateway, nil
	}
	own, err := r.Addrs(ctx, best.Link)
	if err != nil {
		return wsl, best.Gateway, err
	}
	// The kernel takes the link's address on the gateway's network, else its first.
	own = slices.DeleteFunc(own, func(p netip.Prefix) bool { return !p.Addr().Is4() })
	if len(own) == 0 {
		return wsl, best.Gateway, errNoDefault
	}
	at := slices.IndexFunc(own, func(p netip.Prefix) bool { return p.Contains(best.Gateway) })
	return own[max(at, 0)].Addr(), best.Gateway, nil
}
