package ipam

import (
	"net/netip"
	"time"

	"flatnet/core/config"
	"flatnet/core/journal"
	"flatnet/core/kernel"
)

// Pool is the part of the configuration that the policy follows.
type Pool struct {
	Subnet       netip.Prefix
	Gateway      netip.Addr
	RangeStart   netip.Addr // inclusive
	RangeEnd     netip.Addr // inclusive
	Reservations []config.Reservation
	Sticky       bool
	Quarantine   time.Duration
}

// PoolOf takes the pool out of a configuration.
func PoolOf(c config.Config) Pool {
	return Pool{
		Subnet:       c.Network.Subnet,
		Gateway:      c.Network.Gateway,
		RangeStart:   c.Network.RangeStart,
		RangeEnd:     c.Network.RangeEnd,
		Reservations: c.IPAM.Reservations,
		Sticky:       c.IPAM.Sticky,
		Quarantine:   c.IPAM.Quarantine,
	}
}

// Request is what an attachment asks for, and what its lease is to remember.
type Request struct {
	ContainerID string
	Name        string // the container's name; "" if unknown
	IfName      string
	IP          netip.Addr // asked for (podman run --ip); zero: any
	NetNS       string
	NetNSID     kernel.NamespaceID
	BootID      string
	HostVeth    string
	MAC         string
	By          string // for the journal: "plugin ADD"

	// Heal tells whether a lease's container is surely gone, and by what that
	// was seen. It is asked only when nothing else is free, or when the
	// address asked for is held; nil: no lease is ever taken from its owner.
	Heal func(Lease) (gone bool, why string)
}

// Allocate gives the request an address and writes its lease into s. The same
// container and interface asking again keep their address; their lease is
// brought up to date. Errors: ErrExhausted, ErrTaken, ErrOutside, ErrEdge,
// ErrGateway, ErrReserved, ErrHolds, ErrOtherSubnet, each in a core.OpError
// with a hint.
func Allocate(s *State, p Pool, r Request, now time.Time) (Lease, []journal.Entry, error) {
	panic("being written")
}

// Release frees the lease of ip. ErrNoLease if there is none.
func Release(s *State, ip netip.Addr, by string, now time.Time) ([]journal.Entry, error) {
	panic("being written")
}

// Find gives the lease that a container's interface holds.
func (s *State) Find(containerID, ifName string) (Lease, bool) {
	panic("being written")
}

// OfContainer gives all leases of a container, by address.
func (s *State) OfContainer(containerID string) []Lease {
	panic("being written")
}
