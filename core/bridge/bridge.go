// Package bridge brings the network's bridge into being and keeps it as
// configured: there, up, with the gateway's address and the right MTU. Ports
// are put on it by core/attach, packet filter rules by core/firewall.
package bridge

import (
	"context"
	"errors"

	"flatnet/core/config"
	"flatnet/core/kernel"
)

// Sentinels of Ensure, wrapped in a core.OpError with a hint.
var (
	// ErrNotBridge: the name is taken by a link of another kind.
	ErrNotBridge = errors.New("the name is taken by something that is not a bridge")
	// ErrForeignAddress: the bridge has an IPv4 address that is not ours.
	ErrForeignAddress = errors.New("there is another address on the bridge")
	// ErrOverlap: a route elsewhere covers addresses of the subnet.
	ErrOverlap = errors.New("the subnet overlaps an existing route")
)

// MaxPorts is how many ports a Linux bridge takes (kernel BR_MAX_PORTS is
// 1,024, and port number 0 is not used).
const MaxPorts = 1023

// Port is one link on the bridge.
type Port struct {
	Name  string `json:"name"`
	Up    bool   `json:"up"` // administratively up and with carrier
	MAC   string `json:"mac"`
	Alias string `json:"alias,omitempty"` // whose it is, see core/attach
	Type  string `json:"type"`            // "veth" and the like
}

// Status is the bridge as it is, beside what it ought to be.
type Status struct {
	Name      string   `json:"name"`
	Exists    bool     `json:"exists"` // a link of that name is there
	IsBridge  bool     `json:"is_bridge"`
	Kind      string   `json:"kind,omitempty"`     // of the link, "bridge" where all is well
	Up        bool     `json:"up"`                 // administratively
	Running   bool     `json:"running"`            // carrier: at least one port is up
	Addresses []string `json:"addresses"`          // IPv4, as prefixes
	Want      string   `json:"want_address"`       // the gateway's, as a prefix
	MTU       int      `json:"mtu"`                // bytes; 0 where there is no link
	WantMTU   int      `json:"want_mtu"`           // configured, or the default route's link's; 0: no such link, any will do
	Ports     []Port   `json:"ports"`              // sorted by name
	IPForward bool     `json:"ip_forward"`         // net.ipv4.ip_forward now
	Overlaps  []string `json:"overlaps,omitempty"` // routes of other links that cover addresses of the subnet
}

// Look reads the bridge of n. A missing bridge is no error.
func Look(ctx context.Context, k kernel.Kernel, n config.Network) (Status, error) {
	return Status{}, nil
}

// Ensure makes the bridge of n if it is missing, and sets what differs:
// address, MTU, up, ip_forward. Where all is well it only reads. It refuses
// with ErrNotBridge, ErrForeignAddress or ErrOverlap before it changes
// anything, and takes away a bridge that it made and could not finish.
func Ensure(ctx context.Context, k kernel.Kernel, n config.Network) error {
	return nil
}
