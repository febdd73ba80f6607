package bridge

import (
	"context"
	"errors"
	"slices"
	"strings"

	"flatnet/core/config"
	"flatnet/core/kernel"
)

// Status is the bridge as it is, beside what it ought to be.
type Status struct {
	Name      string   `json:"name"`
	Exists    bool     `json:"exists"` // a link of that name is there
	IsBridge  bool     `json:"is_bridge"`
	Kind      string   `json:"kind,omitempty"` // of the link, "bridge" where all is well
	Up        bool     `json:"up"`             // administratively
	Running   bool     `json:"running"`        // carrier: at least one port is up
	Addresses []string `json:"addresses"`      // IPv4, as prefixes
	Want      string   `json:"want_address"`   // the gateway's, as a prefix
	MTU       int      `json:"mtu"`            // bytes; 0 where there is no link
	WantMTU   int      `json:"want_mtu"`       // configured, or the default route's link's; 0: there is none, any will do
	Subnet    string   `json:"subnet"`         // of the network, as configured
	Ports     []Port   `json:"ports"`          // by name
	IPForward bool     `json:"ip_forward"`     // net.ipv4.ip_forward now

	// Detached are links that were made for this network and are on no
	// bridge: what is left when the bridge was deleted under them.
	Detached []Port `json:"detached,omitempty"`
	// Overlaps are routes of other links that cover addresses of the subnet.
	Overlaps []string `json:"overlaps,omitempty"`
}

// Port is one link on the bridge.
type Port struct {
	Name    string `json:"name"`
	Type    string `json:"type"`    // "veth" and the like
	Enabled bool   `json:"enabled"` // administratively up
	Up      bool   `json:"up"`      // and with carrier: the other end is up too
	MAC     string `json:"mac"`
	MTU     int    `json:"mtu"` // bytes
	Hairpin bool   `json:"hairpin"`
	Alias   string `json:"alias,omitempty"` // whose it is, see core/attach
}

// AddressOK tells whether the gateway's address is there and no other.
func (s Status) AddressOK() bool { return len(s.Addresses) == 1 && s.Addresses[0] == s.Want }

// OK tells whether Ensure would have nothing to do.
func (s Status) OK() bool {
	return s.IsBridge && s.Up && s.AddressOK() && s.MTUOK() && s.IPForward
}

// MTUOK tells whether the MTU is the wanted one, or any will do.
func (s Status) MTUOK() bool { return s.WantMTU == 0 || s.MTU == s.WantMTU }

// Obstacle is the error with which Ensure would refuse, nil if it would not:
// something that belongs to others is in the way, and no repair of ours takes
// it away.
func (s Status) Obstacle() error {
	if s.Exists && !s.IsBridge {
		return notBridge(s.Name, s.Kind)
	}
	for _, a := range s.Addresses {
		if a != s.Want {
			return foreignAddress(s.Name, a, s.Want)
		}
	}
	if len(s.Overlaps) > 0 && !s.AddressOK() {
		return overlap(s.Name, s.Subnet, s.Overlaps[0])
	}
	return nil
}

// Look reads the bridge of n. A missing bridge is no error.
func Look(ctx context.Context, k kernel.Kernel, n config.Network) (Status, error) {
	s := Status{
		Name: n.Bridge, Want: address(n).String(), Subnet: n.Subnet.Masked().String(),
		Addresses: []string{}, Ports: []Port{},
	}
	forwarding, err := k.Sysctl(ctx, ForwardKey)
	if err != nil {
		return s, failed("read", ForwardKey, err)
	}
	s.IPForward = forwarding == "1"
	if s.WantMTU, err = wantMTU(ctx, k, n); err != nil {
		return s, err
	}
	routes, err := k.Routes(ctx)
	if err != nil {
		return s, failed("read the routes for", n.Bridge, err)
	}
	for _, r := range Overlaps(routes, n) {
		s.Overlaps = append(s.Overlaps, routeText(r))
	}
	links, err := k.Links(ctx)
	if err != nil {
		return s, failed("read the links for", n.Bridge, err)
	}
	s.readLinks(links, n)
	if !s.Exists {
		return s, nil
	}
	addrs, err := k.Addrs(ctx, n.Bridge)
	if err != nil && !errors.Is(err, kernel.ErrNotFound) {
		return s, failed("read the addresses of", n.Bridge, err)
	}
	for _, a := range addrs {
		s.Addresses = append(s.Addresses, a.String())
	}
	return s, nil
}

// readLinks takes the bridge and its ports out of all links.
func (s *Status) readLinks(links []kernel.Link, n config.Network) {
	for _, l := range links {
		switch {
		case l.Name == n.Bridge:
			s.Exists, s.Kind, s.IsBridge = true, l.Type, l.Type == "bridge"
			s.Up, s.Running, s.MTU = l.Up, l.Running, l.MTU
		case l.Master == n.Bridge:
			s.Ports = append(s.Ports, port(l))
		case l.Master == "" && strings.HasPrefix(l.Alias, aliasPrefix(n)):
			s.Detached = append(s.Detached, port(l))
		}
	}
	byName := func(a, b Port) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(s.Ports, byName)
	slices.SortFunc(s.Detached, byName)
}

// aliasPrefix is how the alias of this network's links begins (core/attach).
func aliasPrefix(n config.Network) string { return "flatnet " + n.Name + " " }

func port(l kernel.Link) Port {
	return Port{
		Name: l.Name, Type: l.Type, Enabled: l.Up, Up: l.Up && l.Running, MAC: l.MAC.String(),
		MTU: l.MTU, Hairpin: l.Hairpin, Alias: l.Alias,
	}
}
