package attach

import (
	"context"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
)

// Add puts the container's interface on the network.
func (a *Attacher) Add(ctx context.Context, r Request) (Result, error) { panic("being written") }

// Del takes it off again and frees its address. It is no error if any of it
// is gone, the namespace included.
func (a *Attacher) Del(ctx context.Context, id ID) error { panic("being written") }

// Check compares the kernel and the lease with what Add made; the error names
// every part that is missing or differs.
func (a *Attacher) Check(ctx context.Context, id ID, netns string, want Expected) error {
	panic("being written")
}

// Status tells whether an Add could succeed: nil, or ErrNotReady with all
// reasons.
func (a *Attacher) Status(ctx context.Context) error { panic("being written") }

// GC takes away the attachments of this network that are not in valid, and
// veth pairs of this network without a lease.
func (a *Attacher) GC(ctx context.Context, valid []ID) error { panic("being written") }

// Rebuild gives a function for ipam.Options: the leases of network n as the
// kernel alone shows them, from the aliases of the veth pairs.
func Rebuild(k kernel.Kernel, n config.Network) func(context.Context) ([]ipam.Lease, error) {
	panic("being written")
}
