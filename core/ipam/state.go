package ipam

import (
	"encoding/json"
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

// SameAttachment tells whether two leases are of one address held by one
// attachment: neither given to another nor attached anew in between.
func (l Lease) SameAttachment(o Lease) bool {
	return l.IP == o.IP && l.ContainerID == o.ContainerID && l.IfName == o.IfName &&
		l.NetNSID == o.NetNSID && l.BootID == o.BootID && l.AllocatedAt.Equal(o.AllocatedAt)
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

// free takes a lease away and remembers whose it was.
func (s *State) free(l Lease, now time.Time) {
	s.drop(l.IP)
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
