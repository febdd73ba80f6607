// Package leases says of each address what it is: in use, left behind,
// reserved, in quarantine, or not to be told. It brings together the state
// (core/ipam), Podman and the kernel's namespaces. It changes nothing; the
// plugin does not use it, because Podman waits for the plugin.
package leases

import (
	"context"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/podman"
)

// State is what an address is just now.
type State string

// The states. Stale needs two witnesses; where one of them cannot be asked a
// lease is Unknown, never stale.
const (
	Active      State = "active"
	Stale       State = "stale"
	Reserved    State = "reserved"
	Quarantined State = "quarantined"
	Unknown     State = "unknown"
)

// Status is one address. Of a reserved one only IP and Name are set; of one
// in quarantine they are those of its last owner.
type Status struct {
	ipam.Lease
	State  State     `json:"state"`
	Reason string    `json:"reason"`         // what was seen, in a sentence
	Until  time.Time `json:"until,omitzero"` // quarantined: its end
}

// Sources are where Look looks.
type Sources struct {
	Network string // its name, as Podman knows it
	Pool    ipam.Pool
	Store   ipam.Store
	Kernel  kernel.Kernel
	Podman  podman.Client
	Now     func() time.Time
}

// Look reads the state, asks both witnesses and judges. Podman not answering
// is no error: leases that need it are Unknown. An error means that the state
// itself could not be read.
func Look(ctx context.Context, s Sources) ([]Status, error) {
	panic("being written")
}
