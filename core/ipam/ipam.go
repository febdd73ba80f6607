// Package ipam decides who gets which address and keeps that on disk. Policy
// is pure: a State goes in and is changed, with the clock handed to it. The
// Store holds the State whole at every instant, under a lock that the kernel
// frees when its holder dies.
//
// It knows nothing of Podman, links or the gateway: whether a lease is stale
// is judged in core/leases.
package ipam

import (
	"context"
	"net/netip"
	"time"

	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// Sentinels of the policy and the store.
var (
	ErrExhausted   = say.New("no free address in the pool")
	ErrTaken       = say.New("the address is taken")
	ErrOutside     = say.New("the address is outside the subnet")
	ErrGateway     = say.New("the address is the gateway's")
	ErrLocked      = say.New("the state is locked")
	ErrUnreadable  = say.New("the state cannot be read")
	ErrNotReadable = say.New("the state directory cannot be used")
	ErrNoLease     = say.New("no such lease")
	ErrReserved    = say.New("the address is reserved for another container")
	ErrEdge        = say.New("the address is the subnet's network or broadcast address")
	ErrQuarantined = say.New("the address is in quarantine")
	ErrHolds       = say.New("the container holds another address already")
	ErrOtherSubnet = say.New("addresses are held outside the configured subnet")
	ErrNoSpace     = say.New("the disk is full")
	ErrShared      = say.New("another network gives out addresses of the same subnet")
)

// Lease is one held address. Owner is the pair ContainerID and IfName. The
// JSON form is the one of the journal and of the commands' output; in the file
// the address is the key.
type Lease struct {
	IP          netip.Addr         `json:"ip"`
	ContainerID string             `json:"container_id"`
	Name        string             `json:"name,omitempty"`
	IfName      string             `json:"ifname,omitempty"`
	NetNS       string             `json:"netns,omitempty"`
	NetNSID     kernel.NamespaceID `json:"netns_id,omitzero"`
	BootID      string             `json:"boot_id,omitempty"`
	HostVeth    string             `json:"host_veth,omitempty"`
	MAC         string             `json:"mac,omitempty"`
	Ports       string             `json:"ports,omitempty"`   // published, as core/ports writes them
	Aliases     string             `json:"aliases,omitempty"` // further names, separated by spaces
	AllocatedAt time.Time          `json:"allocated_at,omitzero"`
}

// Freed is an address that was held, for stickiness and quarantine.
type Freed struct {
	IP          netip.Addr `json:"ip"`
	ContainerID string     `json:"container_id"`
	Name        string     `json:"name,omitempty"`
	IfName      string     `json:"ifname,omitempty"`
	FreedAt     time.Time  `json:"freed_at"`
}

// State is everything that the store keeps, in memory. Its leases are reached
// through methods. A copy of a State shares its leases: change only one of them.
type State struct {
	Subnet     netip.Prefix
	Gateway    netip.Addr
	RangeStart netip.Addr
	RangeEnd   netip.Addr

	held    []kept[Lease] // by address
	recent  []kept[Freed] // newest first
	text    []byte        // has the lines of both
	changed bool          // they are not what was read
}

// Store keeps one network's State. Every method takes the lock, Read a shared
// one; waiting ends with ctx, and ErrLocked then says who holds it.
type Store interface {
	Read(ctx context.Context) (State, error)
	// Update reads, lets change alter the state, writes it durably and
	// appends the entries that change returned to the journal. An error of
	// change leaves everything as it was.
	Update(ctx context.Context, change func(*State) ([]journal.Entry, error)) error
	// Try tells whether Update with this change would succeed now, and leaves
	// everything as it is.
	Try(ctx context.Context, change func(*State) ([]journal.Entry, error)) error
}
