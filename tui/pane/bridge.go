package pane

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/firewall"
	"flatnet/core/health"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// BridgeID is the bridge pane's.
const BridgeID ID = "bridge"

// NewBridge makes the pane of the bridge and the packet filter around it.
func NewBridge(look Source[BridgeView], d Deps) Pane {
	b := bridgeFacts{&d.Text.Bridge, d.Text}
	return newList(kind[BridgeView]{
		id: BridgeID, title: d.Text.Panes.Bridge, columns: factColumns(), empty: d.Text.State.Empty, look: look,
		rows: func(v BridgeView, _ time.Time) []widget.Row { return factRows(b.facts(v)) },
		judge: func(v BridgeView) judgement {
			return judgeFacts(b.facts(v), fmt.Sprintf(b.t.Sum, len(v.Bridge.Ports)))
		},
		detail: func(v BridgeView, key string) Detail { return factDetail(b.facts(v), key) },
	}, d)
}

// bridgeFacts turns what was seen into lines.
type bridgeFacts struct {
	t   *text.Bridge
	all *text.Texts
}

func (b bridgeFacts) facts(v BridgeView) []fact {
	facts := []fact{b.link(v.Bridge)}
	if v.Bridge.Exists && v.Bridge.IsBridge {
		facts = append(facts, b.addresses(v.Bridge)...)
		facts = append(facts, b.mtu(v.Bridge))
	}
	facts = append(facts, b.forwarding(v.Bridge))
	facts = append(facts, b.filter(v.Firewall)...)
	for _, o := range v.Bridge.Overlaps {
		facts = append(facts, fact{key: "overlap " + o, label: b.t.Address, severity: health.Warn, value: fmt.Sprintf(b.t.Overlap, text.Line(o))})
	}
	return append(facts, b.ports(v.Bridge)...)
}

func (b bridgeFacts) link(s bridge.Status) fact {
	f := fact{key: "link", label: b.t.Link, severity: health.OK, value: b.t.Up, note: s.Name, fields: field(b.t.Kinds, text.Line(s.Kind))}
	switch {
	case !s.Exists:
		f.severity, f.value = health.Fail, b.t.Missing
	case !s.IsBridge:
		f.severity, f.value = health.Fail, fmt.Sprintf(b.t.NotBridge, s.Name, text.Line(s.Kind))
	case !s.Up:
		f.severity, f.value = health.Fail, b.t.Down
	case !s.Running:
		f.value = b.t.NoPorts
	}
	return f
}

func (b bridgeFacts) addresses(s bridge.Status) []fact {
	first := fact{key: "address", label: b.t.Address, severity: health.OK, value: s.Want}
	if !slices.Contains(s.Addresses, s.Want) {
		first.severity, first.value = health.Fail, fmt.Sprintf(b.t.AddressMissing, s.Want)
	}
	facts := []fact{first}
	for _, a := range s.Addresses {
		if a != s.Want {
			facts = append(facts, fact{
				key: "address " + a, label: b.t.Address, severity: health.Warn,
				value: fmt.Sprintf(b.t.AddressForeign, text.Line(a)),
			})
		}
	}
	return facts
}

func (b bridgeFacts) mtu(s bridge.Status) fact {
	f := fact{key: "mtu", label: b.t.MTU, severity: health.OK, value: strconv.Itoa(s.MTU)}
	if s.WantMTU != 0 && s.MTU != s.WantMTU {
		f.severity, f.value = health.Warn, fmt.Sprintf(b.t.MTUDiffers, s.MTU, s.WantMTU)
	}
	return f
}

func (b bridgeFacts) forwarding(s bridge.Status) fact {
	f := fact{key: "forwarding", label: b.t.Forwarding, severity: health.OK, value: b.t.On, note: "net.ipv4.ip_forward"}
	if !s.IPForward {
		f.severity, f.value = health.Fail, b.t.Off
	}
	return f
}

// filter is the packet filter, which may be unknown where the bridge is not.
func (b bridgeFacts) filter(seen health.Seen[firewall.Status]) []fact {
	if !seen.Known() {
		return []fact{{key: "rules", label: b.t.Rules, severity: health.Unknown, value: b.all.Say(seen.Err)}}
	}
	s := seen.Value
	facts := []fact{b.rules(s), b.masquerade(s), b.policy(s)}
	if s.Mixed() {
		facts = append(facts, fact{
			key: "mixed", label: b.t.Backend, severity: health.Warn,
			value: fmt.Sprintf(b.t.Mixed, s.Other), note: string(s.Backend),
		})
	}
	return facts
}

func (b bridgeFacts) rules(s firewall.Status) fact {
	f := fact{
		key: "rules", label: b.t.Rules, severity: health.OK, value: b.t.Present, note: string(s.Backend),
		fields: slices.Concat(field(b.t.Have, block(s.Have)), field(b.t.Want, block(s.Want))),
	}
	switch {
	case s.ForwardOK && len(s.BehindDrop) == 0:
	case len(s.BehindDrop) > 0:
		f.severity, f.value = health.Fail, b.t.BehindDrop
		f.fields = append(field(b.t.BehindDrop, block(s.BehindDrop)), f.fields...)
	case len(s.Missing) > 0:
		f.severity, f.value = health.Fail, fmt.Sprintf(b.t.RulesMissing, len(s.Missing))
	case s.Doubled:
		f.severity, f.value = health.Warn, b.t.Doubled
	default:
		f.severity, f.value = health.Warn, fmt.Sprintf(b.t.RulesExtra, len(s.Extra))
	}
	return f
}

func block(lines []string) string { return text.Block(strings.Join(lines, "\n")) }

func (b bridgeFacts) masquerade(s firewall.Status) fact {
	f := fact{key: "nat", label: b.t.NAT, severity: health.OK, value: b.t.Present}
	wanted := slices.ContainsFunc(s.Want, func(r string) bool {
		return strings.Contains(r, "MASQUERADE") && !strings.Contains(r, firewall.HairpinChain)
	})
	switch {
	case !s.MasqueradeOK:
		f.severity, f.value = health.Fail, b.t.Missing
		if !wanted {
			f.severity, f.value = health.Warn, fmt.Sprintf(b.t.RulesExtra, len(s.Extra))
		}
	case !wanted:
		f.value = b.t.NATOff
	}
	return f
}

func (b bridgeFacts) policy(s firewall.Status) fact {
	f := fact{key: "policy", label: b.t.Policy, value: s.Policy}
	if s.Docker {
		f.value = fmt.Sprintf(b.t.PolicyDocker, s.Policy)
	}
	return f
}

func (b bridgeFacts) ports(s bridge.Status) []fact {
	facts := make([]fact, 0, len(s.Ports))
	for _, p := range s.Ports {
		f := fact{
			key: "port " + p.Name, label: text.Line(p.Name), severity: health.OK, value: b.t.PortUp, note: owner(p.Alias),
			fields: slices.Concat(field(b.t.MAC, text.Line(p.MAC)), field(b.t.Alias, text.Line(p.Alias))),
		}
		if !p.Up {
			f.severity, f.value = health.Warn, b.t.PortDown
		}
		facts = append(facts, f)
	}
	return facts
}

// owner is the short form of a port's alias, which core/attach writes as
// "flatnet <network> <container id> <ifname> <ip> [name]".
func owner(alias string) string {
	words := strings.Fields(text.Line(alias))
	if len(words) < 5 || words[0] != "flatnet" {
		return text.Line(alias)
	}
	return strings.Join(words[4:], " ")
}
