package firewall

import (
	"fmt"
	"slices"
)

// comparison is this network's rules in one table as they are and as they
// ought to be, as iptables commands.
type comparison struct {
	have, want                []string
	missing, extra, misplaced []string
	doubled                   bool
}

// compare sets what t has beside what l wants.
func (l layout) compare(t table) comparison {
	var c comparison
	mine, others := l.own(t)
	for _, j := range l.jumps {
		l.compareJump(&c, j, t.jumps(j.from, j.to(l.chain)), len(l.rules)+others > 0)
	}
	missing := slices.Clone(l.rules)
	for i, r := range mine {
		line := l.line("-A " + l.chain + " " + r.String())
		c.have = append(c.have, line)
		same := func(o rule) bool { return slices.Equal(o, r) }
		c.doubled = c.doubled || slices.ContainsFunc(mine[:i], same)
		if at := slices.IndexFunc(missing, same); at >= 0 {
			missing = slices.Delete(missing, at, at+1)
		} else {
			c.extra = append(c.extra, line)
		}
	}
	for _, r := range l.rules {
		c.want = append(c.want, l.line("-A "+l.chain+" "+r.String()))
	}
	for _, r := range missing {
		c.missing = append(c.missing, l.line("-A "+l.chain+" "+r.String()))
	}
	return c
}

// compareJump looks at one way to our chain, which is there at the places at.
// It carries its place where that matters, so that a moved one shows.
func (l layout) compareJump(c *comparison, j jump, at []int, needed bool) {
	line := func(place int) string {
		if j.first {
			return l.line(fmt.Sprintf("-I %s %d %s", j.from, place, j.to(l.chain)))
		}
		return l.line("-A " + j.from + " " + j.to(l.chain).String())
	}
	for i, place := range at {
		c.have = append(c.have, line(place))
		if i > 0 || !needed {
			c.extra = append(c.extra, line(place))
		}
	}
	c.doubled = c.doubled || len(at) > 1
	if !needed {
		return
	}
	c.want = append(c.want, line(1))
	switch {
	case len(at) == 0:
		c.missing = append(c.missing, line(1))
	case j.first && at[0] != 1:
		c.misplaced = append(c.misplaced, line(at[0]))
	}
}

// line adds the table where it is not the one that iptables works on if not
// told otherwise.
func (l layout) line(command string) string {
	if l.table == "filter" {
		return command
	}
	return "-t " + l.table + " " + command
}
