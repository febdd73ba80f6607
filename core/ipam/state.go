package ipam

import (
	"encoding/json"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"

	"flatnet/core/journal"
)

// recentLimit is how many freed addresses are remembered. Those in quarantine
// are remembered beyond it.
const recentLimit = 1024

// Owner names the lease's container for people: its name, or the first twelve
// characters of its id, as Podman shows it.
func (l Lease) Owner() string {
	switch {
	case l.Name != "":
		return l.Name
	case len(l.ContainerID) > 12:
		return l.ContainerID[:12]
	}
	return l.ContainerID
}

// attachedAs tells whether the lease is of this interface. The old form of
// the file did not keep interfaces: such a lease is of any.
func (l Lease) attachedAs(ifName string) bool { return l.IfName == ifName || l.IfName == "" }

// Find gives the lease that a container's interface holds.
func (s *State) Find(containerID, ifName string) (Lease, bool) {
	for _, l := range s.OfContainer(containerID) {
		if l.attachedAs(ifName) {
			return l, true
		}
	}
	return Lease{}, false
}

// OfContainer gives all leases of a container, by address.
func (s *State) OfContainer(containerID string) []Lease {
	var held []Lease
	for _, l := range s.Leases {
		if l.ContainerID == containerID {
			held = append(held, l)
		}
	}
	slices.SortFunc(held, func(a, b Lease) int { return a.IP.Compare(b.IP) })
	return held
}

// Lease gives the lease of an address.
func (s *State) Lease(ip netip.Addr) (Lease, bool) {
	l, ok := s.Leases[ip]
	return l, ok
}

// All gives every lease, in the order of addresses.
func (s *State) All() iter.Seq[Lease] {
	return func(yield func(Lease) bool) {
		for _, ip := range s.addresses() {
			if !yield(s.Leases[ip]) {
				return
			}
		}
	}
}

// Len gives the number of leases.
func (s *State) Len() int { return len(s.Leases) }

// OfHostVeth gives the lease whose host veth has this name.
func (s *State) OfHostVeth(name string) (Lease, bool) {
	for l := range s.All() {
		if l.HostVeth == name {
			return l, true
		}
	}
	return Lease{}, false
}

// addresses gives the held addresses in order.
func (s *State) addresses() []netip.Addr {
	return slices.SortedFunc(maps.Keys(s.Leases), netip.Addr.Compare)
}

// Put writes a lease in place of whatever holds its address, which is then no
// longer a freed one. It checks nothing: Allocate gives addresses out.
func (s *State) Put(l Lease) {
	if s.Leases == nil {
		s.Leases = make(map[netip.Addr]Lease)
	}
	s.Leases[l.IP] = l
	s.forget(l.IP)
}

// free takes a lease away and remembers whose it was.
func (s *State) free(l Lease, now time.Time) {
	delete(s.Leases, l.IP)
	s.forget(l.IP)
	s.Recent = slices.Insert(s.Recent, 0, Freed{
		IP: l.IP, ContainerID: l.ContainerID, Name: l.Name, IfName: l.IfName, FreedAt: now,
	})
}

func (s *State) forget(ip netip.Addr) {
	s.Recent = slices.DeleteFunc(s.Recent, func(f Freed) bool { return f.IP == ip })
}

// prune forgets the oldest freed addresses beyond the limit.
func (s *State) prune(p Pool, now time.Time) {
	for n := len(s.Recent) - 1; n >= recentLimit && !p.InQuarantine(s.Recent[n], now); n-- {
		s.Recent = s.Recent[:n]
	}
}

// entry makes a journal entry about a lease, with what undoing it needs.
func entry(action string, l Lease, by, text string, now time.Time) journal.Entry {
	e := journal.Entry{
		Time: now, Action: action, By: by, IP: l.IP.String(),
		ContainerID: l.ContainerID, Name: l.Name, IfName: l.IfName, Text: text,
	}
	if action != "allocate" {
		before, _ := json.Marshal(l) // a Lease always can be
		e.Before = string(before)
	}
	return e
}
