package repair

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"flatnet/core"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/leases"
	"flatnet/core/say"
)

// Ids of the repairs of leases.
const (
	ReleaseStaleID = "release-stale"
	ReleaseID      = "release"
	UndoID         = "undo"
)

// Leases are the parts that repairs of leases work with.
type Leases struct {
	Store   ipam.Store
	Kernel  kernel.Kernel // to take away what a dead container left on the bridge
	Sources leases.Sources
	Journal *journal.File
}

// ReleaseStale plans to release every lease that both witnesses call stale.
// Leases that cannot be judged are left alone and noted.
func ReleaseStale(ctx context.Context, l Leases) (Plan, error) {
	all, err := leases.Look(ctx, l.Sources)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Repair: ReleaseStaleID, Title: "Release stale leases"}
	for _, s := range all {
		switch s.State {
		case leases.Stale:
			p.Steps = append(p.Steps, l.release(s, false))
		case leases.Unknown:
			p.Notes = append(p.Notes, say.F("%s (%s) is left alone: %s.", s.IP, s.Owner(), s.Reason))
		}
	}
	if len(p.Steps) == 0 {
		p.Notes = append(p.Notes, "No lease is known to be stale.")
		return p, nil
	}
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return ReleaseStale(ctx, l) })
	p.Verify = func(ctx context.Context) error {
		left, err := ReleaseStale(ctx, l)
		if err == nil && len(left.Steps) > 0 {
			err = say.Errorf("%d leases are stale", len(left.Steps))
		}
		return err
	}
	return p, nil
}

// Release plans to release these addresses. One whose container lives or
// cannot be judged is refused with ErrHarm, unless force is set; one that
// nobody holds is ipam.ErrNoLease.
func Release(ctx context.Context, l Leases, ips []netip.Addr, force bool) (Plan, error) {
	all, err := leases.Look(ctx, l.Sources)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Repair: ReleaseID, Title: "Release leases"}
	for _, ip := range ips {
		s, held := find(all, ip)
		if !held {
			return Plan{}, &core.OpError{
				Op: "release", Target: ip.String(), Err: ipam.ErrNoLease,
				Hint: "sudo flatnet-tui leases list shows which addresses are held",
			}
		}
		if s.State != leases.Stale && !force {
			return Plan{}, refusal(s)
		}
		p.Steps = append(p.Steps, l.release(s, force))
		if s.State == leases.Active {
			p.Notes = append(p.Notes, say.F("%s is running and loses its network.", s.Owner()))
		}
	}
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return Release(ctx, l, ips, force) })
	return p, nil
}

func find(all []leases.Status, ip netip.Addr) (leases.Status, bool) {
	for _, s := range all {
		if s.IP == ip && s.Held() {
			return s, true
		}
	}
	return leases.Status{}, false
}

func refusal(s leases.Status) error {
	return &core.OpError{
		Op: "release", Target: fmt.Sprintf("%s (%s)", s.IP, s.Owner()),
		Err:  say.Errorf("%w: %s", ErrHarm, s.Reason),
		Hint: say.F("stop the container first; or release the address all the same, which takes the container's interface away: sudo flatnet-tui leases release --force %s", s.IP),
	}
}

// release makes the step that releases one lease: first what its container
// left on the bridge, then the address, so that nobody else gets it before.
// Both happen under the state's lock, and only to the lease that was judged: a
// container that is started again meanwhile brings its lease up to date.
func (l Leases) release(s leases.Status, force bool) Step {
	return Step{
		Text:    say.F("Release %s from %s: %s", s.IP, s.Owner(), s.Reason),
		Command: "flatnet-tui leases release " + s.IP.String(),
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			return []journal.Entry{}, l.Store.Update(ctx, func(state *ipam.State) ([]journal.Entry, error) {
				now, held := state.Lease(s.IP)
				if !held {
					return nil, nil // done already
				}
				if !now.SameAttachment(s.Lease) || !force && l.lives(ctx, now) {
					return nil, say.Errorf("%w: %s is in use again", ErrChanged, s.IP)
				}
				if err := l.deleteVeth(ctx, now); err != nil {
					return nil, err
				}
				if now.Name == "" && s.Name != "" { // for the container of that name that comes next
					now.Name = s.Name
					state.Put(now)
				}
				run := runOf(ctx)
				return ipam.Release(state, s.IP, run.by, run.at)
			})
		},
	}
}

// lives asks the kernel, the one witness that can be asked under the state's
// lock: Podman may be waiting for a plugin that waits for that lock.
func (l Leases) lives(ctx context.Context, lease ipam.Lease) bool {
	return leases.LookAtKernel(ctx, l.Kernel).See(ctx, lease).Says != ipam.Gone
}

// deleteVeth takes away the host's end of the lease's veth pair, if it is there.
func (l Leases) deleteVeth(ctx context.Context, lease ipam.Lease) error {
	links, err := l.Kernel.Links(ctx)
	if err != nil {
		return say.Errorf("look for the interface of %s: %w", lease.Owner(), err)
	}
	for _, link := range links {
		if link.Type != "veth" || !leases.OfLease(link, lease) {
			continue
		}
		if err := l.Kernel.DeleteLink(ctx, link.Name); err != nil && !errors.Is(err, kernel.ErrNotFound) {
			return say.Errorf("take away %s: %w", link.Name, err)
		}
	}
	return nil
}
