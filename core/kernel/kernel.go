// Package kernel is the only place that speaks to the Linux kernel: links,
// addresses and routes by netlink, sysctls by /proc, packet filter rules by
// the iptables programs. It does what it is told and decides nothing; what
// ought to be there is decided in core/bridge, core/firewall and core/attach.
//
// New gives the real kernel, NewFake one in memory, and Hooked one that fails
// where a test wants it to. One contract suite runs on the first two.
package kernel

import (
	"context"
	"net"
	"net/netip"

	"flatnet/core/say"
)

// Sentinels, always wrapped with the object that they are about.
var (
	ErrNotFound    = say.New("not found")
	ErrExists      = say.New("already there")
	ErrPermission  = say.New("not permitted")
	ErrNoNamespace = say.New("no network namespace at this path")
	// ErrBridgeFull: a Linux bridge takes 1,023 ports (kernel BR_MAX_PORTS).
	ErrBridgeFull = say.New("the bridge has no free port")
	// ErrNoProgram: the program for this firewall backend is not installed.
	ErrNoProgram = say.New("program not installed")
)

// Link is one network interface as the kernel reports it.
type Link struct {
	Index     int
	Name      string
	Type      string // "bridge", "veth", "loopback", "device", …
	MTU       int
	MAC       net.HardwareAddr
	Up        bool   // administratively up (IFF_UP)
	Running   bool   // has carrier (IFF_RUNNING / operstate up)
	Master    string // name of the bridge it is a port of, "" if none
	PeerIndex int    // veth: index of the other end, in its own namespace; else 0
	Hairpin   bool   // bridge port: may send a frame back where it came from
	Alias     string // ifalias, up to 255 bytes
}

// Veth describes a pair to make: Host here, Peer in another namespace. The
// kernel makes both ends in one step, so there is never half a pair.
type Veth struct {
	Host    string
	Alias   string           // of the host end: who it belongs to
	Peer    string           // name inside
	PeerNS  Namespace        // where the peer goes; opened by the same Kernel
	PeerMAC net.HardwareAddr // nil: the kernel chooses
	MTU     int              // of both ends, 68 to 65535
}

// Route is one IPv4 route of the main table.
type Route struct {
	Dst     netip.Prefix // 0.0.0.0/0 for the default route
	Gateway netip.Addr   // zero: directly connected
	Link    string
	Src     netip.Addr // preferred source, zero if none
	Metric  int
}

// Namespace is one network namespace. Names that are not there give
// ErrNotFound, names that are there already ErrExists, missing rights
// ErrPermission.
type Namespace interface {
	// Links lists all links, by index.
	Links(ctx context.Context) ([]Link, error)
	Link(ctx context.Context, name string) (Link, error)
	// AddBridge makes a bridge, down and without address, with a MAC address
	// that does not change with its ports. MTU 0: the kernel's.
	AddBridge(ctx context.Context, name string, mtu int) error
	AddVeth(ctx context.Context, v Veth) error
	DeleteLink(ctx context.Context, name string) error
	SetUp(ctx context.Context, name string) error
	SetMTU(ctx context.Context, name string, mtu int) error
	// SetMaster makes link a port of bridge, with or without hairpin.
	SetMaster(ctx context.Context, link, bridge string, hairpin bool) error

	Addrs(ctx context.Context, link string) ([]netip.Prefix, error)
	AddAddr(ctx context.Context, link string, addr netip.Prefix) error
	Routes(ctx context.Context) ([]Route, error)
	AddRoute(ctx context.Context, r Route) error

	// Sysctl reads a key with dots, "net.ipv4.ip_forward", without the newline.
	Sysctl(ctx context.Context, key string) (string, error)
	SetSysctl(ctx context.Context, key, value string) error

	// Do runs f on a thread that is in the namespace: a socket that f opens
	// stays there. Goroutines that f starts are elsewhere.
	Do(ctx context.Context, f func() error) error

	Close() error
}

// NamespaceID tells one namespace from another for as long as this boot
// lasts: a path may be reused, device and inode together are not while it
// lives. The zero value is no namespace.
type NamespaceID struct {
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`
}

// Backend is which of the two kernels' filters the iptables programs drive.
type Backend string

// The two backends; Auto is what `iptables` stands for on this machine.
const (
	BackendAuto   Backend = "auto"
	BackendNFT    Backend = "iptables-nft"
	BackendLegacy Backend = "iptables-legacy"
)

// Filter is the packet filter, read and written as iptables-save text. All
// calls give ErrNoProgram where the backend's program is missing.
type Filter interface {
	// ResolveBackend turns BackendAuto into the one that `iptables` is here.
	ResolveBackend(ctx context.Context, b Backend) (Backend, error)
	// SaveRules gives all tables in iptables-save form.
	SaveRules(ctx context.Context, b Backend) (string, error)
	// RestoreRules applies text as iptables-restore --noflush does: each
	// table whole or not at all.
	RestoreRules(ctx context.Context, b Backend, text string) error
	// RulesVersion gives a text that is the same again only if no rule has
	// changed meanwhile; "" where that cannot be told.
	RulesVersion(ctx context.Context, b Backend) (string, error)
	// LockRules waits until no other process of ours is between reading and
	// writing the rules of this namespace. The lock ends with the process at
	// the latest.
	LockRules(ctx context.Context) (unlock func(), err error)
}

// Kernel is one machine: its own network namespace, its packet filter, and
// the way into other namespaces.
type Kernel interface {
	Namespace
	Filter
	// Open enters the namespace at path ("/run/netns/…", "/proc/7/ns/net").
	// ErrNoNamespace where there is nothing, or something else, at path.
	Open(ctx context.Context, path string) (Namespace, error)
	// Identify gives the namespace at path its identity; ErrNoNamespace as Open.
	Identify(ctx context.Context, path string) (NamespaceID, error)
	// Namespaces lists the named namespaces (/run/netns/*), as paths.
	Namespaces(ctx context.Context) ([]string, error)
	// BootID gives the kernel's random id of this boot.
	BootID(ctx context.Context) (string, error)
}
