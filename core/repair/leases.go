package repair

import (
	"context"
	"net/netip"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/leases"
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
	panic("being written")
}

// Release plans to release these addresses. One whose container lives or
// cannot be judged is refused with ErrHarm, unless force is set.
func Release(ctx context.Context, l Leases, ips []netip.Addr, force bool) (Plan, error) {
	panic("being written")
}
