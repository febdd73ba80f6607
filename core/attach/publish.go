package attach

import (
	"context"
	"strings"

	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/ports"
)

// PublishedBy gives the ports that leases publish, for the rules of a whole
// network. What a lease says and cannot be is passed over.
func PublishedBy(leases []ipam.Lease) []firewall.Published {
	var all []firewall.Published
	for _, l := range leases {
		if p := published(l); len(p.Ports) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func published(l ipam.Lease) firewall.Published {
	mappings, err := ports.Parse(l.Ports)
	if err != nil {
		mappings = nil
	}
	return firewall.Published{Owner: ruleOwner(l), IP: l.IP, Ports: mappings}
}

// ruleOwner tells a container's rules from all others.
func ruleOwner(l ipam.Lease) string { return l.ContainerID + " " + l.IfName }

// publish has this machine's ports lead to the container, if it asks for any.
func (a *Attacher) publish(ctx context.Context, l ipam.Lease, undo *undo) error {
	if l.Ports == "" {
		return nil
	}
	p := published(l)
	if answersOnLoopback(p.Ports) {
		// Without it the kernel keeps packets from 127.0.0.1 off the bridge.
		// A key has slashes for the dots of a name.
		key := "net.ipv4.conf." + strings.ReplaceAll(a.config.Network.Bridge, ".", "/") + ".route_localnet"
		if err := a.kernel.SetSysctl(ctx, key, "1"); err != nil {
			return failed("set", key, err)
		}
	}
	undo.push(func(ctx context.Context) error { return a.unpublish(ctx, l) })
	return firewall.Publish(ctx, a.kernel, firewall.WantOf(a.config), p)
}

// unpublish takes a lease's ports back, if it has any.
func (a *Attacher) unpublish(ctx context.Context, l ipam.Lease) error {
	if l.Ports == "" {
		return nil
	}
	return firewall.Unpublish(ctx, a.kernel, firewall.WantOf(a.config), ruleOwner(l))
}

func answersOnLoopback(all []ports.Mapping) bool {
	for _, m := range all {
		if !m.HostIP.IsValid() || m.HostIP.IsUnspecified() || m.HostIP.IsLoopback() {
			return true
		}
	}
	return false
}
