package ipam

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"flatnet/core"
	"flatnet/core/say"
)

// Check tells whether ip can be a container's address: nil, ErrOutside,
// ErrEdge or ErrGateway.
func (p Pool) Check(ip netip.Addr) error {
	switch {
	case !p.Subnet.Contains(ip):
		return say.Errorf("%w %s", ErrOutside, p.Subnet)
	case ip == p.Gateway:
		return ErrGateway
	case p.edge(ip):
		return ErrEdge
	}
	return nil
}

// edge tells whether ip is the network or broadcast address. A subnet of two
// addresses or one has neither (RFC 3021).
func (p Pool) edge(ip netip.Addr) bool {
	if p.Subnet.Bits() >= ip.BitLen()-1 {
		return false
	}
	return !p.Subnet.Contains(ip.Prev()) || !p.Subnet.Contains(ip.Next())
}

func (p Pool) inRange(ip netip.Addr) bool {
	return ip.IsValid() && p.RangeStart.Compare(ip) <= 0 && ip.Compare(p.RangeEnd) <= 0
}

// InQuarantine tells whether a freed address is still kept out of use. A clock
// that was set back far does not keep it there for longer.
func (p Pool) InQuarantine(f Freed, now time.Time) bool {
	return now.Sub(f.FreedAt).Abs() < p.Quarantine
}

// follow brings the state to the configured network. Where that has another
// subnet than the leases are of, ErrOtherSubnet: containers with addresses of
// the old one run, and none of the new can speak with them.
func (a *allocation) follow() error {
	s, p := a.s, a.p
	if s.Subnet == p.Subnet && s.Gateway == p.Gateway && s.RangeStart == p.RangeStart && s.RangeEnd == p.RangeEnd {
		return nil
	}
	var strangers []string
	for l := range s.All() {
		if p.Check(l.IP) != nil && !a.reclaim(l) {
			strangers = append(strangers, fmt.Sprintf("%s (%s)", l.IP, l.Owner()))
		}
	}
	if len(strangers) > 0 {
		return otherSubnet(s, p, strangers)
	}
	s.Subnet, s.Gateway, s.RangeStart, s.RangeEnd = p.Subnet, p.Gateway, p.RangeStart, p.RangeEnd
	s.forgetWhere(func(k kept[Freed]) bool { return p.Check(k.ip) != nil })
	return nil
}

// otherSubnet names the first few of the leases that are in the way.
func otherSubnet(s *State, p Pool, strangers []string) error {
	const shown = 3
	list := strings.Join(strangers[:min(shown, len(strangers))], ", ")
	if more := len(strangers) - shown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return &core.OpError{
		Op:   say.F("change the network from %s to %s", s.Subnet, p.Subnet),
		Err:  say.Errorf("%w: %s", ErrOtherSubnet, list),
		Hint: "stop these containers, or put network.subnet and network.gateway back as they were",
	}
}
