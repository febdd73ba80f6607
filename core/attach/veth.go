package attach

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// vethNames gives the names that the host's end of an attachment may have:
// "fn-" and the container id's first 8 characters, and for the case that
// another attachment has that one, "fn-" and 12 hex digits of a hash. That is
// what any network but the configured one has: two of them may attach one
// container at the same time, and neither knows what the other is about to make.
func vethNames(network string, id ID) [2]string {
	short := id.ContainerID
	if len(short) > 8 {
		short = short[:8]
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{network, id.ContainerID, id.IfName}, "\x00")))
	return [2]string{"fn-" + short, "fn-" + hex.EncodeToString(sum[:6])}
}

// chooseName gives a name for the host's end that no lease and no link has.
func (a *Attacher) chooseName(ctx context.Context, s *ipam.State, id ID) (string, error) {
	names := vethNames(a.config.Network.Name, id)
	if a.other {
		return names[1], nil
	}
	for _, l := range s.OfHostVeth(names[0]) {
		if l.ContainerID != id.ContainerID || l.IfName != id.IfName {
			return names[1], nil
		}
	}
	_, err := a.kernel.Link(ctx, names[0])
	switch {
	case err == nil:
		return names[1], nil
	case errors.Is(err, kernel.ErrNotFound):
		return names[0], nil
	}
	return "", failed("look for interface", names[0], err)
}

// hostLink finds the host's end of an attachment; ErrNotFound if there is
// none. A link of the right name is this attachment's if its alias says so. If
// it has no alias the lease decides, which held gives: the Add that made it
// was killed before it could set one, or an older program made it.
func (a *Attacher) hostLink(ctx context.Context, id ID, held func() (ipam.Lease, error)) (kernel.Link, error) {
	network := a.config.Network.Name
	for _, name := range vethNames(network, id) {
		l, err := a.kernel.Link(ctx, name)
		if errors.Is(err, kernel.ErrNotFound) {
			continue
		}
		if err != nil {
			return kernel.Link{}, failed("look for interface", name, err)
		}
		if l.Alias != "" {
			if owner, ours := ParseAlias(l.Alias); ours && owner.Network == network && owner.ID == id {
				return l, nil
			}
			continue
		}
		lease, err := held()
		if err != nil {
			return kernel.Link{}, err
		}
		if lease.IP.IsValid() && (lease.HostVeth == name || lease.HostVeth == "") {
			return l, nil
		}
	}
	return kernel.Link{}, say.Errorf("the veth of %s: %w", id, kernel.ErrNotFound)
}

// leaseOf reads an attachment's lease; the zero Lease if it has none.
func (a *Attacher) leaseOf(ctx context.Context, id ID) (ipam.Lease, error) {
	state, err := a.store.Read(ctx)
	if err != nil {
		return ipam.Lease{}, err
	}
	lease, _ := state.Find(id.ContainerID, id.IfName)
	return lease, nil
}

// deleteVeth takes a pair away; it is no error if it is gone.
func (a *Attacher) deleteVeth(ctx context.Context, name string) error {
	err := a.kernel.DeleteLink(ctx, name)
	if err == nil || errors.Is(err, kernel.ErrNotFound) {
		return nil
	}
	return failed("take away the veth pair", name, say.Errorf("%w: %w", ErrVeth, err))
}
