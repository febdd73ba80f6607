// Package firewall keeps the rules that let the network's packets through:
// accepts for the bridge, first in FORWARD and in Docker's DOCKER-USER, and
// masquerading for what leaves it (seed 4.1). All of them stand in chains of
// our own name; nobody else's rule is touched. Several networks share the
// chains.
//
// It does not set ip_forward (core/bridge does) and starts no program itself
// (core/kernel does).
package firewall

import (
	"context"
	"net/netip"

	"flatnet/core/config"
	"flatnet/core/kernel"
)

// The chains of our own.
const (
	ForwardChain     = "FLATNET-FORWARD"
	PostroutingChain = "FLATNET-POSTROUTING"
)

// Want is what one network needs of the packet filter.
type Want struct {
	Bridge     string
	Subnet     netip.Prefix
	Masquerade bool
	Backend    kernel.Backend
}

// WantOf takes it out of the configuration.
func WantOf(c config.Config) Want {
	return Want{
		Bridge:     c.Network.Bridge,
		Subnet:     c.Network.Subnet.Masked(),
		Masquerade: c.Network.Masquerade,
		Backend:    kernel.Backend(c.Firewall.Backend),
	}
}

// Status is the packet filter as far as it touches this network.
type Status struct {
	Backend      kernel.Backend `json:"backend"`       // the one in use, never BackendAuto
	ForwardOK    bool           `json:"forward_ok"`    // every accept and jump is there, first and once
	MasqueradeOK bool           `json:"masquerade_ok"` // as configured: there, or absent

	// Have and Want are our rules as they are and as they ought to be, in
	// iptables-save form, without anyone else's.
	Have []string `json:"have"`
	Want []string `json:"want"`

	Missing    []string `json:"missing,omitempty"`     // of Want
	Extra      []string `json:"extra,omitempty"`       // of Have: doubled, or not wanted any more
	Doubled    bool     `json:"doubled"`               // one of our rules or jumps is there twice
	BehindDrop []string `json:"behind_drop,omitempty"` // foreign rules ahead of ours in FORWARD that drop or reject

	Policy       string         `json:"policy"`                // of FORWARD: "ACCEPT" or "DROP"
	Docker       bool           `json:"docker"`                // DOCKER-USER is there
	Other        kernel.Backend `json:"other,omitempty"`       // the other backend, where that one holds rules too (mixed)
	OtherDrops   bool           `json:"other_drops,omitempty"` // and its FORWARD drops what it does not know
	BridgeNFCall *bool          `json:"bridge_nf_call"`        // net.bridge.bridge-nf-call-iptables; nil: br_netfilter is not loaded
}

// OK tells whether Ensure would have nothing to do.
func (s Status) OK() bool { return s.ForwardOK && s.MasqueradeOK }

// Mixed tells whether both backends hold rules: a packet must pass both.
func (s Status) Mixed() bool { return s.Other != "" }

// Look reads the rules. kernel.ErrNoProgram where the backend's programs are
// not installed; it cannot be known then what the filter does.
func Look(ctx context.Context, k kernel.Kernel, w Want) (Status, error) {
	return Status{}, nil
}

// Ensure puts in what is missing, moves our jumps to the front and takes away
// what is doubled; where all is well it only reads. Concurrent calls, also
// from other processes, do not double a rule. kernel.ErrNoProgram as Look.
func Ensure(ctx context.Context, k kernel.Kernel, w Want) (changed bool, err error) {
	return false, nil
}

// Remove takes away this network's rules, and chains and jumps with the last
// of them. It is no error if they are gone.
func Remove(ctx context.Context, k kernel.Kernel, w Want) error { return nil }
