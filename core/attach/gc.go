package attach

import (
	"context"
	"errors"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
)

// GC takes away the attachments of this network that are not in valid, and
// veth pairs of this network that no lease stands for (CNI 1.1, GC). What is
// in valid is never touched, nor is a lease that was made after GC began. One
// that cannot be taken away does not stop the others.
func (a *Attacher) GC(ctx context.Context, valid []ID) error {
	begin := a.now()
	keep := make(map[ID]bool, 2*len(valid))
	for _, id := range valid {
		keep[id] = true
		keep[ID{ContainerID: id.ContainerID}] = true // leases of the old form name no interface
	}
	// Links first: whatever has one of them had its lease before.
	links, err := a.kernel.Links(ctx)
	if err != nil {
		return failed("list the interfaces", "", err)
	}
	state, err := a.store.Read(ctx)
	if err != nil {
		return err
	}
	return errors.Join(a.dropLeases(ctx, state, keep, begin), a.dropOrphans(ctx, links, state, keep))
}

// dropLeases takes away the attachments whose lease is not to be kept.
func (a *Attacher) dropLeases(ctx context.Context, state ipam.State, keep map[ID]bool, begin time.Time) error {
	older := func(l ipam.Lease) bool { return !l.AllocatedAt.After(begin) }
	var errs []error
	var gone []ID
	for l := range state.All() {
		id := ID{l.ContainerID, l.IfName}
		if keep[id] || !older(l) {
			continue
		}
		if err := a.unplug(ctx, id); err != nil {
			errs = append(errs, err)
			continue
		}
		gone = append(gone, id)
	}
	return errors.Join(append(errs, a.release(ctx, byGC, gone, older))...)
}

// dropOrphans takes away the veth pairs of this network without a lease.
func (a *Attacher) dropOrphans(ctx context.Context, links []kernel.Link, state ipam.State, keep map[ID]bool) error {
	var errs []error
	for _, l := range links {
		owner, ours := ParseAlias(l.Alias)
		if !ours || owner.Network != a.config.Network.Name || keep[owner.ID] {
			continue
		}
		if _, held := state.Find(owner.ContainerID, owner.IfName); held {
			continue
		}
		errs = append(errs, a.deleteVeth(ctx, l.Name))
	}
	return errors.Join(errs...)
}
