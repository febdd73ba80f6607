// Package attach puts one container's interface on the bridge and takes it
// off again: lease, veth pair, address and routes, in an order that a crash at
// any instant leaves mendable. Everything is checked before anything is made,
// and a failed Add takes back what it made, last first.
//
// It decides nothing about addresses (core/ipam), the bridge (core/bridge) or
// the rules (core/firewall); it knows neither CNI nor Podman.
package attach

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/ports"
	"flatnet/core/say"
)

// Sentinels, always in a core.OpError with target and hint.
var (
	// ErrAttached: this container already has this interface on the network.
	ErrAttached = say.New("it is attached already")
	// ErrInterfaceTaken: the namespace has an interface of that name.
	ErrInterfaceTaken = say.New("the container has an interface of that name already")
	// ErrOwnNamespace: the namespace is the one that this program runs in.
	ErrOwnNamespace = say.New("it is the host's own network namespace")
	// ErrVeth: the veth pair could not be made or taken away.
	ErrVeth = say.New("the veth pair failed")
	// ErrRequest: the request itself is wrong.
	ErrRequest = say.New("the request is wrong")
	// ErrMissing: Check did not find a part of the attachment.
	ErrMissing = say.New("it is not there")
	// ErrDiffers: Check found a part that is not as it was made.
	ErrDiffers = say.New("it is not as it was made")
	// ErrNotReady: Status found that an Add could not succeed.
	ErrNotReady = say.New("not ready")
)

// Options are the parts that an Attacher works with.
type Options struct {
	Kernel kernel.Kernel
	Store  ipam.Store // opened with Rebuild
	Config config.Config
	Rules  firewall.Memo // beside the state; the zero Memo will do
	Log    *slog.Logger  // what does not fail a call and is still worth knowing
	Now    func() time.Time
	Other  bool // the network is not the configured one

	// Alone gives an error if another network gives out this one's addresses
	// too (ipam.Alone); boot is the running kernel's. nil: there is no other.
	Alone func(ctx context.Context, boot string) error
}

// Attacher puts containers on one network.
type Attacher struct {
	kernel kernel.Kernel
	store  ipam.Store
	config config.Config
	rules  firewall.Memo
	log    *slog.Logger
	now    func() time.Time
	other  bool
	alone  func(ctx context.Context, boot string) error
}

// New gives an Attacher of these parts.
func New(o Options) *Attacher {
	a := &Attacher{kernel: o.Kernel, store: o.Store, config: o.Config, rules: o.Rules, log: o.Log, now: o.Now, other: o.Other, alone: o.Alone}
	if a.alone == nil {
		a.alone = func(context.Context, string) error { return nil }
	}
	return a
}

// ID tells one attachment of a network from all others.
type ID struct {
	ContainerID string
	IfName      string // in the container
}

// Request is one interface that is to be put on the network.
type Request struct {
	ID
	Name  string           // of the container; "" if unknown. Cut at MaxName
	NetNS string           // path of its network namespace
	IP    netip.Addr       // asked for; zero: any
	MAC   net.HardwareAddr // asked for; nil: made from the address
	Ports []ports.Mapping  // to publish here, where the runtime leaves that to the network

	Aliases []string // further names; those beyond MaxAliases are passed over
}

// Result is what Add made.
type Result struct {
	Lease   ipam.Lease
	Address netip.Prefix // of the container, with the subnet's length
	Gateway netip.Addr
	// DefaultRoute tells whether the container's default route goes through
	// this network; with two networks the first one keeps it.
	DefaultRoute bool
	MTU          int // of all three, in bytes
	Bridge       Interface
	Host         Interface // the veth's end on the bridge
	Inside       Interface // the veth's end in the container
}

// Interface is one link of a Result.
type Interface struct {
	Name string
	MAC  net.HardwareAddr
}

// Expected is what a caller of Check was told by Add. Zero fields are not
// compared.
type Expected struct {
	Addresses []netip.Prefix
	Routes    []kernel.Route // Dst and Gateway count
	MAC       net.HardwareAddr
}
