package resolver

import (
	"context"
	"net/netip"

	"github.com/miekg/dns"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/names"
)

// ForFuzz gives what answers a message, with a container on each of two
// networks and nobody to ask elsewhere.
func ForFuzz(dir string) func(client netip.Addr, m *dns.Msg) *dns.Msg {
	c := config.Default()
	c.IPAM.StateDir = dir
	s := &server{Resolver: New(Options{Config: c, ResolvConf: dir + "/none"})}
	table := names.NewTable([]names.Network{
		{Subnet: c.Network.Subnet, Gateway: c.Network.Gateway, Leases: []ipam.Lease{
			{IP: netip.MustParseAddr("10.87.1.2"), ContainerID: "a", Name: "web"},
		}},
		{Subnet: netip.MustParsePrefix("10.88.0.0/24"), Gateway: netip.MustParseAddr("10.88.0.1"), Leases: []ipam.Lease{
			{IP: netip.MustParseAddr("10.88.0.2"), ContainerID: "b", Name: "secret"},
		}},
	}, "")
	return func(client netip.Addr, m *dns.Msg) *dns.Msg {
		if r := s.zone.answer(table, table.For(client), m); r != nil {
			return r
		}
		return s.respond(context.Background(), client, m, false)
	}
}
