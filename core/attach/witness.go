package attach

import (
	"context"
	"errors"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// witness gives the one for a full pool. It calls a lease's container Gone only
// when that is sure without Podman: when the lease is from an earlier boot, or
// when both its namespace and its veth are gone. Alive is one of which either
// is there. A lease that says too little is Unclear.
func (a *Attacher) witness(ctx context.Context, boot string) ipam.Witness {
	return func(l ipam.Lease) ipam.Testimony {
		if l.BootID != "" && l.BootID != boot {
			return ipam.Testimony{Says: ipam.Gone, Text: "it is from an earlier boot"}
		}
		ns, veth := a.seeNamespace(ctx, l), a.seeVeth(ctx, l)
		switch {
		case ns == ipam.Alive || veth == ipam.Alive:
			return ipam.Testimony{Says: ipam.Alive, Text: "its namespace or its interface is there"}
		case ns == ipam.Gone && veth == ipam.Gone && l.BootID != "":
			return ipam.Testimony{
				Says: ipam.Gone,
				Text: say.F("its namespace %s and its interface %s are gone", l.NetNS, l.HostVeth),
			}
		}
		return ipam.Testimony{}
	}
}

func (a *Attacher) seeNamespace(ctx context.Context, l ipam.Lease) ipam.Sight {
	if l.NetNS == "" || l.NetNSID == (kernel.NamespaceID{}) {
		return ipam.Unclear
	}
	id, err := a.kernel.Identify(ctx, l.NetNS)
	switch {
	case err == nil && id == l.NetNSID:
		return ipam.Alive
	case err == nil || errors.Is(err, kernel.ErrNoNamespace):
		return ipam.Gone
	}
	return ipam.Unclear
}

func (a *Attacher) seeVeth(ctx context.Context, l ipam.Lease) ipam.Sight {
	if l.HostVeth == "" {
		return ipam.Unclear
	}
	_, err := a.kernel.Link(ctx, l.HostVeth)
	switch {
	case err == nil:
		return ipam.Alive
	case errors.Is(err, kernel.ErrNotFound):
		return ipam.Gone
	}
	return ipam.Unclear
}
