// Package windows is the Windows side as WSL sees it: it runs Windows'
// programs without ever waiting long for them, reads Windows' IPv4 table,
// judges the route to the Flatnet subnet (seed 4.1), and holds the ways to
// mend it.
//
// It decides nothing for the person: plans are made in core/repair, findings
// in core/health. It does not speak to nginx (core/gateway).
package windows

import (
	"context"
	"net/netip"
	"time"

	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// State is how good something is: "ok", "warn", "fail" or "unknown", the
// words of the status document. What could not be looked at is unknown.
type State string

// The states.
const (
	OK      State = "ok"
	Warn    State = "warn"
	Fail    State = "fail"
	Unknown State = "unknown"
)

// Mode is WSL's networking mode as `wslinfo --networking-mode` prints it.
// More may come; the empty Mode is one that could not be read.
type Mode string

// The modes that make a difference here.
const (
	ModeNAT      Mode = "nat"
	ModeBridged  Mode = "bridged"
	ModeMirrored Mode = "mirrored"
	ModeWSL1     Mode = "wsl1"
	ModeNone     Mode = "none"
)

// Route is the route to the subnet as Windows' table says.
type Route struct {
	Destination netip.Prefix `json:"destination"`
	Gateway     netip.Addr   `json:"gateway"` // "" : directly connected
	Interface   netip.Addr   `json:"interface"`
	Metric      int          `json:"metric"`     // the route's and its interface's together; lower wins
	Persistent  bool         `json:"persistent"` // also in the table that outlives a restart
}

// Status is one look at the Windows side.
type Status struct {
	// Enabled: there is a Windows to ask. Where not, Reason says why and
	// everything below is empty.
	Enabled bool     `json:"enabled"`
	State   State    `json:"state"`
	Reason  say.Text `json:"reason,omitempty"` // why State is not ok, one line

	Mode       Mode       `json:"mode"`
	WSLAddress netip.Addr `json:"wsl_address"` // source of WSL's default route; "" if unknown
	// WindowsAddress is Windows as WSL reaches it in NAT mode: the default
	// route's gateway; "" if unknown.
	WindowsAddress netip.Addr `json:"windows_address"`
	// Facing is the address of Windows' interface towards WSL; "" if unknown.
	Facing netip.Addr `json:"facing"`
	// Route is what the table says for the subnet itself, the cheapest where
	// there are several; nil if it says nothing. Given also where it cannot be
	// judged.
	Route *Route `json:"route"`
	// ReadAt is when the table was read: older than this look where Windows
	// did not answer now (then State is unknown). Zero: never.
	ReadAt  time.Time `json:"read_at,omitzero"`
	Verdict Verdict   `json:"verdict"`
	// Changes is what route.exe would have to do for one route by way of WSL;
	// none where nothing would help or nothing is known.
	Changes []Change `json:"-"`
	// Trouble is why Windows' programs could not be run; nil if they could.
	Trouble *Trouble `json:"trouble,omitempty"`
	// Reach holds the last checks of whether a good route carries anything.
	Reach []Reach `json:"reach,omitempty"`
}

// Options of New. Config and Network are checked already.
type Options struct {
	Config  config.Windows
	Network config.Network
	Kernel  Router
	Now     func() time.Time // nil: time.Now
	Environ []string         // of the programs; nil: this process's own
	// FirstLimit bounds the first call: whoever opens the console where
	// Windows hangs shall not wait long to hear it. 0: 3 s.
	FirstLimit time.Duration
	// Targets gives what a good route is tried with besides the bridge; nil: nothing.
	Targets func(context.Context) []Target
	// ReachLimit bounds one trial of all of them. 0: 3 s.
	ReachLimit time.Duration
	// TaskLimit bounds the wait for a started task. 0: 30 s.
	TaskLimit time.Duration
}

// Router is the part of kernel.Kernel that finds WSL's own address.
type Router interface {
	Routes(ctx context.Context) ([]kernel.Route, error)
	Addrs(ctx context.Context, link string) ([]netip.Prefix, error)
}
