package windows

import (
	"net/netip"
)

// Kind is what a verdict says about the route.
type Kind string

// The kinds, in the order in which they are looked for.
const (
	// Mirrored: WSL shares Windows' addresses, so no route can lead to it.
	Mirrored Kind = "mirrored"
	// Undecided: something needed for judging is not known.
	Undecided Kind = "unknown"
	// Missing: nothing but the default route leads there.
	Missing Kind = "missing"
	// OldAddress: it leads to an address that WSL had before.
	OldAddress Kind = "old-address"
	// OtherGateway: it leads somewhere else, through a VPN for example.
	OtherGateway Kind = "other-gateway"
	// Shadowed: ours is there, and a more specific or cheaper one wins.
	Shadowed Kind = "shadowed"
	// Duplicate: ours wins, and a second one to the same subnet is left over.
	Duplicate Kind = "duplicate"
	// PersistentDisagrees: ours wins now, and after a restart another will.
	PersistentDisagrees Kind = "persistent-disagrees"
	// Good: everything for the subnet goes to WSL.
	Good Kind = "good"
)

// Verdict is the judgement on the effective route to the subnet.
type Verdict struct {
	Kind   Kind   `json:"kind"`
	Text   string `json:"text"`             // what is so, one line
	Remedy string `json:"remedy,omitempty"` // what to do; "" when good
	// Effective is the route that Windows takes now; nil: only the default
	// route, or not known.
	Effective *Entry `json:"effective,omitempty"`
	// By is the entry at fault, where it is another than Effective.
	By *Entry `json:"by,omitempty"`
}

// Judge says whether Windows, with this table, sends everything for subnet to
// WSL at wsl. Windows takes the longest prefix, then the lowest metric. It
// only looks at what it is given. An unknown mode is judged like NAT.
func Judge(t Table, subnet netip.Prefix, wsl netip.Addr, mode Mode) Verdict {
	_, _, _, _ = t, subnet, wsl, mode
	return Verdict{Kind: Undecided}
}
