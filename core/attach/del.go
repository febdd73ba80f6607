package attach

import (
	"context"
	"errors"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
)

// Del takes a container's interface off the network and frees its address. It
// is no error if any of it is gone, the namespace included. The address is
// freed only after the veth pair is gone; where that fails it stays held, and
// Del can be called again.
func (a *Attacher) Del(ctx context.Context, id ID) error {
	if err := id.check(); err != nil {
		return err
	}
	if err := a.unplug(ctx, id); err != nil {
		return err
	}
	return a.release(ctx, byDel, []ID{id}, func(ipam.Lease) bool { return true })
}

// unplug takes away the veth pair of an attachment, whichever name it has.
func (a *Attacher) unplug(ctx context.Context, id ID) error {
	link, err := a.hostLink(ctx, id, func() (ipam.Lease, error) { return a.leaseOf(ctx, id) })
	if errors.Is(err, kernel.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.deleteVeth(ctx, link.Name)
}

// release frees the leases of these attachments for which still says so; none
// is no error.
func (a *Attacher) release(ctx context.Context, by string, ids []ID, still func(ipam.Lease) bool) error {
	return a.store.Update(ctx, func(s *ipam.State) ([]journal.Entry, error) {
		var entries []journal.Entry
		for _, id := range ids {
			l, held := s.Find(id.ContainerID, id.IfName)
			if !held || !still(l) {
				continue
			}
			if err := a.unpublish(ctx, l); err != nil {
				return nil, err
			}
			e, err := ipam.Release(s, l.IP, by, a.now())
			if err != nil {
				return nil, err
			}
			entries = append(entries, e...)
		}
		return entries, nil
	})
}
