package firewall

import (
	"context"
	"errors"
	"maps"
	"slices"

	"flatnet/core/kernel"
	"flatnet/core/say"
)

// bridgeNFKey says whether packets between two ports of one bridge pass
// through iptables too.
const bridgeNFKey = "net.bridge.bridge-nf-call-iptables"

// Status is the packet filter as far as it touches this network.
type Status struct {
	Backend      kernel.Backend `json:"backend"`       // the one in use, never BackendAuto
	ForwardOK    bool           `json:"forward_ok"`    // every accept and jump is there, first and once
	MasqueradeOK bool           `json:"masquerade_ok"` // as configured: there, or absent
	PortsOK      bool           `json:"ports_ok"`      // of Want.Published, all are there

	// Have and Want are this network's rules as they are and as they ought to
	// be, as iptables commands, without anyone else's.
	Have []string `json:"have"`
	Want []string `json:"want"`

	Missing   []string `json:"missing,omitempty"`   // of Want: not there at all
	Misplaced []string `json:"misplaced,omitempty"` // jumps of Have that are not first any more
	Extra     []string `json:"extra,omitempty"`     // of Have: doubled, or not wanted any more
	Doubled   bool     `json:"doubled"`             // one of our rules or jumps is there twice
	Changes   []string `json:"changes,omitempty"`   // what Ensure would do, as iptables commands without the program

	Policy     string   `json:"policy"`                // of FORWARD: "ACCEPT" or "DROP"
	Docker     bool     `json:"docker"`                // DOCKER-USER is there
	BehindDrop []string `json:"behind_drop,omitempty"` // others' rules ahead of ours in FORWARD or in ForwardChain that drop or reject

	Other        kernel.Backend `json:"other,omitempty"`       // the other backend, where that one holds rules too
	OtherDrops   bool           `json:"other_drops,omitempty"` // and may drop this network's packets
	EmptyOther   []string       `json:"empty_other,omitempty"` // the commands that empty it
	OtherError   say.Text       `json:"other_error,omitempty"` // why it is unknown whether it does
	BridgeNFCall *bool          `json:"bridge_nf_call"`        // net.bridge.bridge-nf-call-iptables; nil: br_netfilter is not loaded
}

// OK tells whether Ensure would have nothing to do.
func (s Status) OK() bool { return s.ForwardOK && s.MasqueradeOK && s.PortsOK }

// Mixed tells whether both backends hold rules: a packet must pass both.
func (s Status) Mixed() bool { return s.Other != "" }

// Look reads the rules. kernel.ErrNoProgram where the backend's programs are
// not installed; what the filter does is then unknown.
func Look(ctx context.Context, k kernel.Kernel, w Want) (Status, error) {
	return new(Looker).Look(ctx, k, w)
}

// Look does what the function of that name does.
func (l *Looker) Look(ctx context.Context, k kernel.Kernel, w Want) (Status, error) {
	s := Status{Have: []string{}, Want: []string{}}
	b, err := k.ResolveBackend(ctx, w.Backend)
	if err != nil {
		return s, failed("look at the packet filter for", w.Bridge, err)
	}
	s.Backend = b
	rs, err := l.read(ctx, k, b)
	if err != nil {
		return s, failed("look at the packet filter for", w.Bridge, err)
	}
	s.compare(w, rs)
	s.Policy = policy(rs)
	s.Docker = rs["filter"][dockerChain] != nil
	s.BehindDrop = dropsAhead(rs["filter"], w.Bridge)
	s.lookAtOther(w, func(other kernel.Backend) (ruleset, error) { return l.read(ctx, k, other) })
	nf, err := k.Sysctl(ctx, bridgeNFKey)
	if err != nil && !errors.Is(err, kernel.ErrNotFound) {
		return s, failed("read", bridgeNFKey, err)
	}
	if err == nil {
		on := nf == "1"
		s.BridgeNFCall = &on
	}
	return s, nil
}

// compare sets what is there beside what ought to be.
func (s *Status) compare(w Want, rs ruleset) {
	s.PortsOK = true
	for _, l := range layouts(w, rs) {
		t := rs[l.table]
		c := l.compare(t)
		s.Have, s.Want = append(s.Have, c.have...), append(s.Want, c.want...)
		s.Missing, s.Extra = append(s.Missing, c.missing...), append(s.Extra, c.extra...)
		s.Misplaced = append(s.Misplaced, c.misplaced...)
		s.Doubled = s.Doubled || c.doubled
		edits := l.edits(t)
		for _, e := range edits {
			s.Changes = append(s.Changes, e.String())
		}
		switch l.chain {
		case ForwardChain:
			s.ForwardOK = len(edits) == 0
		case PostroutingChain:
			s.MasqueradeOK = len(edits) == 0
		default:
			s.PortsOK = s.PortsOK && len(edits) == 0
		}
	}
}

// lookAtOther reads the backend that is not in use.
func (s *Status) lookAtOther(w Want, read func(kernel.Backend) (ruleset, error)) {
	other := kernel.BackendLegacy
	if s.Backend == kernel.BackendLegacy {
		other = kernel.BackendNFT
	}
	rs, err := read(other)
	if errors.Is(err, kernel.ErrNoProgram) {
		return
	}
	if err != nil {
		s.OtherError = say.Of(err)
		return
	}
	if rs.empty() {
		return
	}
	var there Status
	there.compare(w, rs)
	s.Other, s.EmptyOther = other, rs.emptying(other)
	s.OtherDrops = policy(rs) == "DROP" && !there.ForwardOK || len(dropsAhead(rs["filter"], w.Bridge)) > 0
}

// emptying gives the commands after which nothing in rs does anything to a
// packet. Policies come first: flushing keeps them, and what they drop then
// may be the way in of whoever flushes.
func (rs ruleset) emptying(b kernel.Backend) []string {
	var policies, flushes []string
	for _, name := range slices.Sorted(maps.Keys(rs)) {
		program := string(b)
		if name != "filter" {
			program += " -t " + name
		}
		rules := 0
		for _, c := range slices.Sorted(maps.Keys(rs[name])) {
			rules += len(rs[name][c].rules)
			if rs[name][c].policy == "DROP" {
				policies = append(policies, program+" -P "+c+" ACCEPT")
			}
		}
		if rules > 0 {
			flushes = append(flushes, program+" -F")
		}
	}
	return append(policies, flushes...)
}

// empty tells whether nothing in rs can do anything to a packet.
func (rs ruleset) empty() bool {
	for _, t := range rs {
		for _, c := range t {
			if len(c.rules) > 0 || c.policy == "DROP" {
				return false
			}
		}
	}
	return true
}

// policy is FORWARD's; a table that is not there accepts.
func policy(rs ruleset) string {
	if c := rs["filter"]["FORWARD"]; c != nil {
		return c.policy
	}
	return "ACCEPT"
}

// dropsAhead lists the rules that a forwarded packet may meet before ours and
// that drop or reject, also in chains that are called there, and in our own
// chain ahead of our accepts. Rules that are only about other links do not
// count.
func dropsAhead(t table, bridge string) []string {
	w := walker{t: t, bridge: bridge, seen: map[string]bool{}}
	w.walk("FORWARD")
	return w.drops
}

// walker follows a packet through chains until it would meet our rules.
type walker struct {
	t      table
	bridge string
	seen   map[string]bool
	drops  []string
}

// walk tells whether every packet that goes through the chain meets our rules
// in it.
func (w *walker) walk(name string) bool {
	if w.t[name] == nil || w.seen[name] {
		return false
	}
	w.seen[name] = true
	for _, r := range w.t[name].rules {
		target := r.target()
		switch {
		case r.isJump(ForwardChain):
			w.ours()
			return true
		case r.elsewhere(w.bridge):
		case target == "DROP" || target == "REJECT":
			w.drops = append(w.drops, r.line(name))
		case w.walk(target) && r.isJump(target):
			return true
		}
	}
	return false
}

// ours goes through our own chain until both of the bridge's accepts were met.
func (w *walker) ours() {
	if w.t[ForwardChain] == nil || w.seen[ForwardChain] {
		return
	}
	w.seen[ForwardChain] = true
	accepts := 0
	for _, r := range w.t[ForwardChain].rules {
		target := r.target()
		switch {
		case accepts == 2:
			return
		case r.elsewhere(w.bridge):
		case target == "DROP" || target == "REJECT":
			w.drops = append(w.drops, r.line(ForwardChain))
		case target == "ACCEPT" && r.about(w.bridge):
			accepts++
		}
	}
}
