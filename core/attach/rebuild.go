package attach

import (
	"context"
	"errors"
	"time"

	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/ports"
)

// Rebuild gives a function for ipam.Options: the leases of network n as the
// kernel alone shows them, from the aliases of the veth pairs. Namespace and
// MAC address are found where the namespace has a name.
func Rebuild(k kernel.Kernel, n config.Network, now func() time.Time) func(context.Context) ([]ipam.Lease, error) {
	return func(ctx context.Context) ([]ipam.Lease, error) {
		links, err := k.Links(ctx)
		if err != nil {
			return nil, failed("list the interfaces", "", err)
		}
		boot, err := k.BootID(ctx)
		if err != nil {
			return nil, failed("read the boot id", "", err)
		}
		var leases []ipam.Lease
		pairs := map[pair]int{} // to position in leases
		for _, l := range links {
			owner, ours := ParseAlias(l.Alias)
			if !ours || owner.Network != n.Name || !n.Subnet.Contains(owner.IP) {
				continue
			}
			pairs[pair{host: l.Index, inside: l.PeerIndex}] = len(leases)
			leases = append(leases, ipam.Lease{
				IP: owner.IP, ContainerID: owner.ContainerID, Name: owner.Name, IfName: owner.IfName,
				BootID: boot, HostVeth: l.Name, AllocatedAt: now(),
			})
		}
		if len(leases) == 0 {
			return nil, nil
		}
		if err := findPorts(ctx, k, n.Bridge, leases); err != nil {
			return nil, err
		}
		return leases, findNamespaces(ctx, k, leases, pairs)
	}
}

// findPorts adds to each lease what its container publishes, so that Del takes
// that away.
func findPorts(ctx context.Context, k kernel.Kernel, bridge string, leases []ipam.Lease) error {
	all, err := firewall.Recover(ctx, k, bridge)
	if err != nil {
		return err
	}
	for _, p := range all {
		for i, l := range leases {
			if ruleOwner(l) == p.Owner && l.IP == p.IP {
				leases[i].Ports = ports.Text(p.Ports)
			}
		}
	}
	return nil
}

// pair is the link indexes of both ends of a veth pair, each in its namespace.
type pair struct{ host, inside int }

// findNamespaces adds to each lease where its container is. A namespace that
// cannot be looked into is left out: its lease is whole without.
func findNamespaces(ctx context.Context, k kernel.Kernel, leases []ipam.Lease, pairs map[pair]int) error {
	paths, err := k.Namespaces(ctx)
	if err != nil {
		return failed("list the network namespaces", "", err)
	}
	for _, path := range paths {
		links, err := linksAt(ctx, k, path)
		if err != nil {
			continue
		}
		id, err := k.Identify(ctx, path)
		if err != nil {
			continue
		}
		for _, l := range links {
			if at, ok := pairs[pair{host: l.PeerIndex, inside: l.Index}]; ok && l.Name == leases[at].IfName {
				leases[at].NetNS, leases[at].NetNSID, leases[at].MAC = path, id, l.MAC.String()
			}
		}
	}
	return nil
}

func linksAt(ctx context.Context, k kernel.Kernel, path string) (_ []kernel.Link, err error) {
	ns, err := k.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	return ns.Links(ctx)
}
