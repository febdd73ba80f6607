package ipam

import (
	"encoding/json"
	"time"

	"flatnet/core/journal"
)

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
