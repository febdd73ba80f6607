package pane

import (
	"testing"

	"flatnet/core/firewall"
	"flatnet/core/health"
	"flatnet/tui/text"
)

// Our rules may all be there, and what drops stands in our own chain.
func TestRulesAreNotGoodBehindADrop(t *testing.T) {
	all := text.English()
	b := bridgeFacts{t: &all.Bridge, all: all}
	f := b.rules(firewall.Status{ForwardOK: true, BehindDrop: []string{"-A FLATNET-FORWARD -j DROP"}})
	if f.severity != health.Fail || f.value != all.Bridge.BehindDrop {
		t.Errorf("%+v", f)
	}
}

// The rules of published ports masquerade too, and are not the network's.
func TestMasqueradeIsOffBesidePublishedPorts(t *testing.T) {
	all := text.English()
	b := bridgeFacts{t: &all.Bridge, all: all}
	f := b.masquerade(firewall.Status{MasqueradeOK: true, Want: []string{"-t nat -A FLATNET-HAIRPIN -d 10.87.1.2/32 -j MASQUERADE"}})
	if f.value != all.Bridge.NATOff {
		t.Errorf("%+v", f)
	}
}
