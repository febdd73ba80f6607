package ipam

import (
	"fmt"
	"net/netip"
	"time"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/say"
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

	// Witness is asked only when nothing else is free, when the address asked
	// for is held, or of one that holds an address under the request's own
	// name. A lease that it calls Gone is taken from its owner, so
	// it has to be sure of that; nil: no lease ever is.
	Witness Witness
}

// Allocate gives the request an address and writes its lease into s. The same
// container and interface asking again keep their address; their lease is
// brought up to date. Errors: ErrExhausted, ErrTaken, ErrOutside, ErrEdge,
// ErrGateway, ErrReserved, ErrQuarantined, ErrHolds, ErrOtherSubnet, each in a
// core.OpError with a hint. After an error s is not to be kept.
//
// Without an address asked for the order is: the one reserved for the name;
// the last one of this container or, after it, of this name (seed 4.4), which
// a container of that name may still hold if it is surely gone; the
// lowest that was not in use lately; the one freed longest ago; one whose
// owner is surely gone.
func Allocate(s *State, p Pool, r Request, now time.Time) (Lease, []journal.Entry, error) {
	a := newAllocation(s, p, r, now)
	if err := a.follow(); err != nil {
		return Lease{}, nil, err
	}
	if held, ok := s.Find(r.ContainerID, r.IfName); ok {
		l, err := a.again(held)
		return l, a.entries, err
	}
	ip, err := a.choose()
	if err != nil {
		return Lease{}, nil, err
	}
	l := a.lease(ip, now)
	s.Put(l)
	s.prune(p, now)
	a.journal("allocate", l, fmt.Sprintf("%s given to %s", ip, l.Owner()))
	return l, a.entries, nil
}

// Release frees the lease of ip. ErrNoLease if there is none.
func Release(s *State, ip netip.Addr, by string, now time.Time) ([]journal.Entry, error) {
	l, ok := s.Lease(ip)
	if !ok {
		return nil, &core.OpError{Op: "release", Target: ip.String(), Err: ErrNoLease}
	}
	s.free(l, now)
	text := fmt.Sprintf("%s released from %s", ip, l.Owner())
	return []journal.Entry{entry("release", l, by, text, now)}, nil
}

// ReleaseAttachment frees what a container's interface holds, or all that the
// container holds where ifName is "". That it holds nothing is no error.
func ReleaseAttachment(s *State, containerID, ifName, by string, now time.Time) []journal.Entry {
	var entries []journal.Entry
	for _, l := range s.OfContainer(containerID) {
		if ifName != "" && !l.attachedAs(ifName) {
			continue
		}
		s.free(l, now)
		text := fmt.Sprintf("%s released from %s", l.IP, l.Owner())
		entries = append(entries, entry("release", l, by, text, now))
	}
	return entries
}

// again brings the lease of an attachment that asks once more up to date: a
// container started again after a crash, or a runtime repeating itself.
func (a *allocation) again(held Lease) (Lease, error) {
	if a.r.IP.IsValid() && a.r.IP != held.IP {
		return Lease{}, &core.OpError{
			Op: say.F("give %s to", a.r.IP), Target: held.Owner(),
			Err:  say.Errorf("%w: %s", ErrHolds, held.IP),
			Hint: say.F("release %s first: sudo flatnet-tui leases release %s", held.IP, held.IP),
		}
	}
	l := a.lease(held.IP, held.AllocatedAt)
	if l.Name == "" {
		l.Name = held.Name
	}
	if l.NetNSID != held.NetNSID || l.BootID != held.BootID {
		l.AllocatedAt = a.now
		a.journal("allocate", l, fmt.Sprintf("%s kept by %s, attached anew", l.IP, l.Owner()))
	}
	a.s.Put(l)
	return l, nil
}

// lease is what the request holds once it has ip.
func (a *allocation) lease(ip netip.Addr, since time.Time) Lease {
	return Lease{
		IP: ip, ContainerID: a.r.ContainerID, Name: a.r.Name, IfName: a.r.IfName,
		NetNS: a.r.NetNS, NetNSID: a.r.NetNSID, BootID: a.r.BootID,
		HostVeth: a.r.HostVeth, MAC: a.r.MAC, AllocatedAt: since,
	}
}
