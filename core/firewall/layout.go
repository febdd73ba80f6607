package firewall

import (
	"slices"
	"strings"
)

// The chains of our own.
const (
	ForwardChain     = "FLATNET-FORWARD"
	PostroutingChain = "FLATNET-POSTROUTING"
)

// dockerChain is where Docker wants other people's rules.
const dockerChain = "DOCKER-USER"

// layout is what one table ought to have for one network.
type layout struct {
	table  string
	chain  string // our own, shared by all networks
	bridge string // rules in chain that name it are this network's
	rules  []rule // this network's, each once
	jumps  []jump // from where chain is reached
}

// jump leads from a chain of the kernel's or of Docker's to ours.
type jump struct {
	from  string
	first bool // ahead of everyone else's rules
}

// layouts gives what w needs, with Docker's chain if that is there.
func layouts(w Want, rs ruleset) []layout {
	filter := layout{
		table: "filter", chain: ForwardChain, bridge: w.Bridge,
		rules: []rule{
			{"-i", w.Bridge, "-j", "ACCEPT"},
			{"-o", w.Bridge, "-j", "ACCEPT"},
		},
		jumps: []jump{{from: "FORWARD", first: true}},
	}
	if rs["filter"][dockerChain] != nil {
		filter.jumps = append(filter.jumps, jump{from: dockerChain, first: true})
	}
	// Behind others' rules: a source address that the user chose stays.
	nat := layout{
		table: "nat", chain: PostroutingChain, bridge: w.Bridge,
		jumps: []jump{{from: "POSTROUTING"}},
	}
	if w.Masquerade {
		nat.rules = []rule{{
			"-s", w.Subnet.Masked().String(), "!", "-d", "224.0.0.0/4", "!", "-o", w.Bridge, "-j", "MASQUERADE",
		}}
	}
	return []layout{filter, nat}
}

// without is the same layout with nothing of this network in it.
func without(ls []layout) []layout {
	for i := range ls {
		ls[i].rules = nil
	}
	return ls
}

// edit is one iptables command, without the program.
type edit struct {
	table string
	args  rule
}

func (e edit) String() string {
	return layout{table: e.table}.line(e.args.String())
}

// own gives this network's rules in our chain, and how many others there are.
func (l layout) own(t table) (mine []rule, others int) {
	c := t[l.chain]
	if c == nil {
		return nil, 0
	}
	for _, r := range c.rules {
		if r.about(l.bridge) {
			mine = append(mine, r)
		}
	}
	return mine, len(c.rules) - len(mine)
}

// edits gives the commands that turn t into what l wants.
func (l layout) edits(t table) []edit {
	e := editor{table: l.table}
	if t[l.chain] == nil {
		if len(l.rules) == 0 {
			return nil
		}
		e.do("-N", l.chain)
	}
	mine, others := l.own(t)
	l.editRules(&e, mine)
	if len(l.rules)+others > 0 {
		l.editJumps(&e, t)
	} else {
		l.dissolve(&e, t)
	}
	return e.edits
}

// editRules takes away what is doubled or not wanted, and adds what is missing.
func (l layout) editRules(e *editor, mine []rule) {
	missing := slices.Clone(l.rules)
	for _, r := range mine {
		i := slices.IndexFunc(missing, func(m rule) bool { return slices.Equal(m, r) })
		if i >= 0 {
			missing = slices.Delete(missing, i, i+1)
		} else {
			e.do("-D", l.chain, r...)
		}
	}
	for _, r := range missing {
		e.do("-A", l.chain, r...)
	}
}

// editJumps sees to one jump from each chain, first where it ought to be.
func (l layout) editJumps(e *editor, t table) {
	for _, j := range l.jumps {
		at := t.jumps(j.from, l.chain)
		if len(at) == 1 && (!j.first || at[0] == 1) {
			continue
		}
		for range at {
			e.do("-D", j.from, "-j", l.chain)
		}
		if j.first {
			e.do("-I", j.from, "1", "-j", l.chain)
		} else {
			e.do("-A", j.from, "-j", l.chain)
		}
	}
}

// dissolve takes away our chain, and from wherever it is reached.
func (l layout) dissolve(e *editor, t table) {
	for _, name := range t.names() {
		for range t.jumps(name, l.chain) {
			e.do("-D", name, "-j", l.chain)
		}
	}
	e.do("-X", l.chain)
}

// editor collects the edits of one table.
type editor struct {
	table string
	edits []edit
}

func (e *editor) do(verb, chain string, words ...string) {
	e.edits = append(e.edits, edit{e.table, append(rule{verb, chain}, words...)})
}

// jumps gives the places, from 1, where chain has a jump to target.
func (t table) jumps(chain, target string) []int {
	var at []int
	if t[chain] == nil {
		return nil
	}
	for i, r := range t[chain].rules {
		if r.isJump(target) {
			at = append(at, i+1)
		}
	}
	return at
}

// names gives the chains' names in order.
func (t table) names() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// restoreText gives edits the form that iptables-restore reads.
func restoreText(edits []edit) string {
	var b strings.Builder
	for i, e := range edits {
		if i == 0 || edits[i-1].table != e.table {
			b.WriteString("*" + e.table + "\n")
		}
		b.WriteString(e.args.String() + "\n")
		if i == len(edits)-1 || edits[i+1].table != e.table {
			b.WriteString("COMMIT\n")
		}
	}
	return b.String()
}
