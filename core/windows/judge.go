package windows

import (
	"cmp"
	"net/netip"
	"slices"

	"flatnet/core/say"
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

// State is how good a route of this kind is.
func (k Kind) State() State {
	switch k {
	case Good:
		return OK
	case Duplicate, PersistentDisagrees:
		return Warn
	case Missing, OldAddress, OtherGateway, Shadowed, Mirrored:
		return Fail
	case Undecided:
		return Unknown
	}
	return Unknown
}

// Verdict is the judgement on the effective route to the subnet.
type Verdict struct {
	Kind   Kind     `json:"kind"`
	Text   say.Text `json:"text"`             // what is so, one line
	Remedy say.Text `json:"remedy,omitempty"` // what to do; "" when good
	// Effective is the route that Windows takes now; nil: only the default
	// route, or not known.
	Effective *Entry `json:"effective,omitempty"`
	// By is the entry at fault, where it is another than Effective.
	By *Entry `json:"by,omitempty"`
}

// Mendable tells whether changing Windows' routes to the subnet mends it.
func (v Verdict) Mendable() bool { return v.Remedy == remedyApply }

// What to do about a verdict.
const (
	remedyApply  say.Text = "Repair the route: key W, or sudo flatnet-tui route apply."
	remedyMayRun say.Text = "Looking needs no administrator: see with ls -l that you may execute the program, and the mount options (fmask) under [automount] in /etc/wsl.conf."
	remedyNoWSL  say.Text = "WSL needs a default route: see ip route; wsl --shutdown in Windows starts its network anew."
	remedyVPN    say.Text = "Ask whoever runs that network or VPN to leave the subnet out, or give Flatnet another subnet ([network] subnet)."
	remedyHome   say.Text = "Give Flatnet another subnet ([network] subnet): without its own route Windows is cut off from that network."
	// In mirrored mode Windows itself listens for a published port.
	remedyMirrored say.Text = `Set networkingMode=nat under [wsl2] in %UserProfile%\.wslconfig and run wsl --shutdown, ` +
		"or publish the containers' ports (podman run -p) and let the gateway use those."
)

// Judge says whether Windows, with this table, sends everything for subnet to
// WSL at wsl. Windows takes the longest prefix, then the lowest metric. It
// only looks at what it is given; a mode that could not be read is judged
// like NAT, unless WSL's address is one of Windows' own.
func Judge(t Table, subnet netip.Prefix, wsl netip.Addr, mode Mode) Verdict {
	subnet = subnet.Masked()
	j := judge{table: t, subnet: subnet, wsl: wsl}
	j.sort()
	if v, decided := j.mode(mode); decided {
		return v
	}
	switch {
	case !wsl.IsValid():
		return j.withoutWSL()
	case len(j.exact) == 0:
		return j.withoutOwn()
	}
	return j.own()
}

// judge holds one table, seen from one subnet.
type judge struct {
	table    Table
	subnet   netip.Prefix
	wsl      netip.Addr
	exact    []Entry // to the subnet itself, cheapest first
	wider    []Entry // around it, without the default route; longest first, then cheapest
	narrower []Entry // within it and not by way of WSL, which has no cheaper one; longest first
}

func (j *judge) sort() {
	for _, e := range j.table.Active {
		switch d := e.Destination; {
		case d == j.subnet:
			j.exact = append(j.exact, e)
		case d.Bits() > 0 && d.Bits() < j.subnet.Bits() && d.Contains(j.subnet.Addr()):
			j.wider = append(j.wider, e)
		case d.Bits() > j.subnet.Bits() && j.subnet.Contains(d.Addr()) && e.Gateway != j.wsl && !j.beaten(e):
			j.narrower = append(j.narrower, e)
		}
	}
	// Of two with one metric Windows may take either: ours counts last.
	ours := func(e Entry) int {
		if e.Gateway == j.wsl {
			return 1
		}
		return 0
	}
	for _, list := range [][]Entry{j.exact, j.wider, j.narrower} {
		slices.SortStableFunc(list, func(a, b Entry) int {
			return cmp.Or(cmp.Compare(b.Destination.Bits(), a.Destination.Bits()), cmp.Compare(a.Metric, b.Metric), ours(a)-ours(b))
		})
	}
}

// beaten tells whether a cheaper route by way of WSL leads to the same place.
func (j *judge) beaten(e Entry) bool {
	return slices.ContainsFunc(j.table.Active, func(o Entry) bool {
		return o.Destination == e.Destination && o.Gateway == j.wsl && o.Metric < e.Metric
	})
}

// mode decides what the networking mode alone decides.
func (j *judge) mode(m Mode) (Verdict, bool) {
	switch m {
	case ModeNAT, ModeBridged:
		return Verdict{}, false
	case ModeMirrored:
		return j.mirrored("WSL runs in mirrored mode"), true
	case "":
		if j.isWindows(j.wsl) {
			return j.mirrored(say.F("WSL has Windows' own address %s, as in mirrored mode", j.wsl)), true
		}
		return Verdict{}, false
	case ModeWSL1, ModeNone:
		return Verdict{
			Kind: Undecided, Text: say.F("WSL's networking mode is %q: there is no network between Windows and WSL to route over", m),
			Remedy: `Flatnet needs WSL 2 with networkingMode=nat under [wsl2] in %UserProfile%\.wslconfig.`,
		}, true
	}
	return Verdict{
		Kind: Undecided, Text: say.F("WSL's networking mode is %q: whether a route works there is not known", m),
		Remedy: `networkingMode=nat under [wsl2] in %UserProfile%\.wslconfig is the mode that Flatnet is made for.`,
	}, true
}

func (j *judge) mirrored(why say.Text) Verdict {
	return Verdict{Kind: Mirrored, Text: say.F("%s: it has no address of its own that a route could lead to", why), Remedy: remedyMirrored}
}

// isWindows tells whether a is the address of one of Windows' interfaces.
func (j *judge) isWindows(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(j.table.Active, func(e Entry) bool { return e.Interface == a })
}

// withoutWSL judges where WSL's own address is not known: only that nothing
// leads to the subnet can be told.
func (j *judge) withoutWSL() Verdict {
	found := slices.Concat(j.narrower, j.exact, j.wider)
	if len(found) == 0 {
		return Verdict{Kind: Missing, Remedy: remedyNoWSL, Text: say.F("Windows has no route to %s, and WSL's own address is not known", j.subnet)}
	}
	e := found[0]
	return Verdict{
		Kind: Undecided, Effective: &e, Remedy: remedyNoWSL,
		Text: say.F("the route to %s goes by way of %s; WSL's own address is not known", e.Destination, by(e)),
	}
}

// withoutOwn judges a table that has no route to the subnet itself.
func (j *judge) withoutOwn() Verdict {
	if len(j.narrower) > 0 {
		e := j.narrower[0]
		return Verdict{
			Kind: OtherGateway, Effective: &e, Remedy: remedyVPN,
			Text: say.F("%s, a part of %s, goes by way of %s", e.Destination, j.subnet, by(e)),
		}
	}
	if len(j.wider) == 0 {
		text := say.F("Windows has no route to %s", j.subnet)
		if p := j.persistent(); p != nil {
			text = say.F("%s; the persistent one by way of %s is not active", text, p.Gateway)
		}
		return Verdict{Kind: Missing, Text: text, Remedy: remedyApply}
	}
	e := j.wider[0]
	if e.Gateway == j.wsl {
		return j.good(e)
	}
	return Verdict{
		Kind: OtherGateway, Effective: &e, Remedy: remedyApply,
		Text: say.F("%s goes by way of %s with the route to %s (a VPN?), and no route of its own is there", j.subnet, by(e), e.Destination),
	}
}

// own judges the routes to the subnet itself; there is at least one.
func (j *judge) own() Verdict {
	if home := j.table.home(j.subnet); home != nil {
		return Verdict{
			Kind: OtherGateway, Effective: home, Remedy: remedyHome,
			Text: say.F("Windows itself is on a network %s, with the address %s", j.subnet, home.Interface),
		}
	}
	best := j.exact[0]
	ours := slices.IndexFunc(j.exact, func(e Entry) bool { return e.Gateway == j.wsl })
	rival := slices.IndexFunc(j.exact, func(e Entry) bool { return e.Gateway != j.wsl })
	v := Verdict{Effective: &best}
	switch {
	case ours < 0 && j.isOld(best):
		v.Kind, v.Remedy = OldAddress, remedyApply
		v.Text = say.F("the route to %s goes to WSL's old address %s: it is %s now", j.subnet, best.Gateway, j.wsl)
	case ours < 0:
		v.Kind, v.Remedy = OtherGateway, remedyApply
		v.Text = say.F("the route to %s goes by way of %s, not to WSL at %s", j.subnet, by(best), j.wsl)
	case rival >= 0 && j.exact[rival].Metric <= j.exact[ours].Metric:
		other := j.exact[rival]
		v.Effective, v.Kind, v.By, v.Remedy = &other, Shadowed, &other, remedyApply
		v.Text = say.F("the route to WSL has metric %d; the one by way of %s has %d and wins", j.exact[ours].Metric, by(other), other.Metric)
		if other.Metric == j.exact[ours].Metric {
			v.Text = say.F("the route to WSL has metric %d; the one by way of %s has %d and may win", j.exact[ours].Metric, by(other), other.Metric)
		}
	case len(j.narrower) > 0:
		v.Effective, v.Kind, v.By, v.Remedy = &j.exact[ours], Shadowed, &j.narrower[0], remedyVPN
		v.Text = say.F("the more specific route to %s by way of %s wins over the one to WSL", j.narrower[0].Destination, by(j.narrower[0]))
	case len(j.exact) > 1:
		other := j.exact[(ours+1)%len(j.exact)]
		v.Effective, v.Kind, v.By, v.Remedy = &j.exact[ours], Duplicate, &other, remedyApply
		v.Text = say.F("besides the route to WSL there is one to %s by way of %s", j.subnet, by(other))
	default:
		return j.good(best)
	}
	return v
}

func (j *judge) good(best Entry) Verdict {
	if p := j.persistent(); p != nil && p.Gateway != j.wsl {
		return Verdict{
			Kind: PersistentDisagrees, Effective: &best, By: p, Remedy: remedyApply,
			Text: say.F("the persistent route to %s goes to %s: after a restart of Windows that one may win", j.subnet, by(*p)),
		}
	}
	text := say.F("%s goes to WSL at %s", j.subnet, j.wsl)
	if best.Destination != j.subnet {
		text = say.F("%s with the wider route to %s", text, best.Destination)
	}
	return Verdict{Kind: Good, Effective: &best, Text: text}
}

// persistent gives a persistent route to the subnet: one that does not lead to
// WSL before one that does; nil if there is none.
func (j *judge) persistent() *Entry {
	var found *Entry
	for i, p := range j.table.Persistent {
		if p.Destination != j.subnet {
			continue
		}
		if p.Gateway != j.wsl {
			return &j.table.Persistent[i]
		}
		found = &j.table.Persistent[i]
	}
	return found
}

// isOld tells whether e leads to an address that WSL had before: it is on the
// interface that faces WSL, or nowhere that Windows has a network and in the
// range that WSL takes its networks from (172.16.0.0/12 in NAT mode).
func (j *judge) isOld(e Entry) bool {
	if e.OnLink() {
		return false
	}
	if facing, ok := j.table.Facing(j.wsl); ok && e.Interface == facing {
		return true
	}
	if _, ok := j.table.Facing(e.Gateway); ok {
		return false
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16}), 12).Contains(e.Gateway)
}

// home is the route to a network of Windows' own that is the subnet; nil: it is
// on none. A route without next hop that was left over has an interface
// elsewhere.
func (t Table) home(subnet netip.Prefix) *Entry {
	for i, e := range t.Active {
		if e.Destination == subnet && e.OnLink() && e.Interface.IsValid() && subnet.Contains(e.Interface) {
			return &t.Active[i]
		}
	}
	return nil
}

// Facing gives the address of Windows' interface on the network that a is on.
func (t Table) Facing(a netip.Addr) (netip.Addr, bool) {
	var best Entry
	for _, e := range t.Active {
		bits := e.Destination.Bits()
		if e.OnLink() && bits > best.Destination.Bits() && bits > 0 && bits < 32 && a.IsValid() && e.Destination.Contains(a) {
			best = e
		}
	}
	return best.Interface, best.Interface.IsValid()
}

// by names where an entry leads.
func by(e Entry) say.Text {
	if !e.Interface.IsValid() {
		return say.Data(e.Gateway.String())
	}
	if e.OnLink() {
		return say.F("the interface %s", e.Interface)
	}
	return say.F("%s (interface %s)", e.Gateway, e.Interface)
}
