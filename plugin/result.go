package plugin

import (
	"net"
	"net/netip"
	"slices"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"

	"flatnet/core/attach"
	"flatnet/core/kernel"
	"flatnet/core/names"
)

// cniResult is the answer to an ADD, in the newest form; it is converted when
// it is printed.
func cniResult(r attach.Result, netns string, dns types.DNS) *current.Result {
	const inside = 2 // position in Interfaces
	result := &current.Result{
		CNIVersion: current.ImplementedSpecVersion,
		Interfaces: []*current.Interface{
			{Name: r.Bridge.Name, Mac: r.Bridge.MAC.String()},
			{Name: r.Host.Name, Mac: r.Host.MAC.String(), Mtu: r.MTU},
			{Name: r.Inside.Name, Mac: r.Inside.MAC.String(), Mtu: r.MTU, Sandbox: netns},
		},
		IPs: []*current.IPConfig{{
			Interface: current.Int(inside),
			Address:   ipNet(r.Address),
			Gateway:   r.Gateway.AsSlice(),
		}},
		DNS: dns,
	}
	if r.DefaultRoute {
		result.Routes = []*types.Route{{Dst: ipNet(netip.PrefixFrom(netip.IPv4Unspecified(), 0)), GW: r.Gateway.AsSlice()}}
	}
	return result
}

// withNames adds whom to ask for names to what the network list says of DNS.
// Name servers of the network list itself are the only ones then. Podman lets
// those follow that this machine asks.
func withNames(dns types.DNS, told names.Told) types.DNS {
	if told.Server.IsValid() && len(dns.Nameservers) == 0 {
		dns.Nameservers = []string{told.Server.String()}
		dns.Search = append([]string{told.Domain}, dns.Search...)
	}
	return dns
}

func ipNet(p netip.Prefix) net.IPNet {
	return net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// summary is the result in the log's line.
func (c *cniCall) summary() string {
	if r, ok := c.result.(*current.Result); ok {
		return r.IPs[0].Address.IP.String()
	}
	return "ok"
}

// expected takes out of a CHECK's prevResult what is said there about the
// interface in the container.
func expected(n netConf, args *skel.CmdArgs) (attach.Expected, error) {
	var want attach.Expected
	if n.RawPrevResult == nil {
		return want, nil
	}
	if err := version.ParsePrevResult(&n.PluginConf); err != nil {
		return want, types.NewError(types.ErrDecodingFailure, "cannot read prevResult: "+err.Error(), "")
	}
	prev, err := current.GetResult(n.PrevResult)
	if err != nil {
		return want, types.NewError(types.ErrDecodingFailure, "cannot read prevResult: "+err.Error(), "")
	}
	if slices.Contains(prev.Interfaces, nil) || slices.Contains(prev.IPs, nil) || slices.Contains(prev.Routes, nil) {
		return want, types.NewError(types.ErrDecodingFailure, "cannot read prevResult: null among its interfaces, ips or routes", "")
	}
	at := -1
	for i, f := range prev.Interfaces {
		if f.Name == args.IfName && f.Sandbox != "" {
			at = i
			want.MAC, _ = net.ParseMAC(f.Mac)
		}
	}
	for _, ip := range prev.IPs {
		if ip.Interface != nil && *ip.Interface != at {
			continue
		}
		if p, ok := prefixOf(ip.Address); ok {
			want.Addresses = append(want.Addresses, p)
		}
	}
	for _, r := range prev.Routes {
		if p, ok := prefixOf(r.Dst); ok {
			gateway, _ := netip.AddrFromSlice(r.GW)
			want.Routes = append(want.Routes, kernel.Route{Dst: p, Gateway: gateway.Unmap()})
		}
	}
	return want, nil
}

// prefixOf converts an IPv4 net; others are not ours to check.
func prefixOf(n net.IPNet) (netip.Prefix, bool) {
	ip, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	ip = ip.Unmap()
	return netip.PrefixFrom(ip, ones), ok && ip.Is4()
}
