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

// layout is what one chain of ours ought to have for one network, or for one
// container.
type layout struct {
	table string
	chain string          // our own, shared by all networks
	mine  func(rule) bool // which rules in chain this is about
	rules []rule          // these, each once
	jumps []jump          // from where chain is reached
}

// jump leads from a chain of the kernel's or of Docker's to ours.
type jump struct {
	from  string
	first bool // ahead of everyone else's rules
	match rule // for which packets; nil: all
}

// to is the jump as a rule.
func (j jump) to(chain string) rule { return append(slices.Clone(j.match), "-j", chain) }

// layouts gives what w needs, with Docker's chain if that is there.
func layouts(w Want, rs ruleset) []layout {
	mine := func(r rule) bool { return r.about(w.Bridge) }
	filter := layout{
		table: "filter", chain: ForwardChain, mine: mine,
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
		table: "nat", chain: PostroutingChain, mine: mine,
		jumps: []jump{{from: "POSTROUTING"}},
	}
	if w.Masquerade {
		nat.rules = []rule{{
			"-s", w.Subnet.Masked().String(), "!", "-d", "224.0.0.0/4", "!", "-o", w.Bridge, "-j", "MASQUERADE",
		}}
	}
	return append([]layout{filter, nat}, w.published()...)
}

// without is the same layouts with nothing in them.
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

// own gives the rules in our chain that l is about, and how many others there
// are.
func (l layout) own(t table) (mine []rule, others int) {
	c := t[l.chain]
	if c == nil {
		return nil, 0
	}
	for _, r := range c.rules {
		if l.mine(r) {
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
		to := j.to(l.chain)
		at := t.jumps(j.from, to)
		if len(at) == 1 && (!j.first || at[0] == 1) {
			continue
		}
		for range at {
			e.do("-D", j.from, to...)
		}
		if j.first {
			e.do("-I", j.from, append(rule{"1"}, to...)...)
		} else {
			e.do("-A", j.from, to...)
		}
	}
}

// dissolve takes away our chain, and from wherever it is reached.
func (l layout) dissolve(e *editor, t table) {
	for _, name := range t.names() {
		for _, r := range t[name].rules {
			if r.target() == l.chain {
				e.do("-D", name, r...)
			}
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

// jumps gives the places, from 1, where chain has this jump.
func (t table) jumps(chain string, to rule) []int {
	var at []int
	if t[chain] == nil {
		return nil
	}
	for i, r := range t[chain].rules {
		if slices.Equal(r, to) {
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
