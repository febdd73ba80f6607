package firewall

import (
	"fmt"
	"strings"

	"flatnet/core/say"
)

// errCutOff says that a listing ended within a table. Rules that it lacks
// would look missing, so it is not used.
var errCutOff = say.New("the listing of the rules is cut off")

// ruleset is what iptables-save printed: tables by name.
type ruleset map[string]table

// table has its chains by name.
type table map[string]*chain

// chain is a list of rules, and what happens at its end: "ACCEPT" or "DROP",
// "-" for a chain that is no hook of the kernel's.
type chain struct {
	policy string
	rules  []rule
}

// rule is the words of one rule, without "-A" and the chain.
type rule []string

// parse reads iptables-save text. What it does not know it passes over:
// comments, counters, tables and matches of others.
func parse(text string) (ruleset, error) {
	rs := ruleset{}
	var current table
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '*':
			if current != nil {
				return nil, errCutOff
			}
			current = table{}
			rs[line[1:]] = current
		case current == nil: // outside of a table: a warning, say
		case line == "COMMIT":
			current = nil
		case line[0] == ':':
			current.declare(line[1:])
		default:
			current.add(line)
		}
	}
	if current != nil {
		return nil, errCutOff
	}
	return rs, nil
}

// declare reads "FORWARD DROP [12:34]".
func (t table) declare(line string) {
	name, rest, _ := strings.Cut(line, " ")
	policy, _, _ := strings.Cut(rest, " ")
	t.chain(name).policy = policy
}

// add reads "-A CHAIN …", perhaps after counters "[12:34]".
func (t table) add(line string) {
	if line[0] == '[' {
		_, line, _ = strings.Cut(line, "] ")
	}
	words := split(line)
	if len(words) < 2 || words[0] != "-A" {
		return
	}
	c := t.chain(words[1])
	c.rules = append(c.rules, words[2:])
}

func (t table) chain(name string) *chain {
	if t[name] == nil {
		t[name] = &chain{policy: "-"}
	}
	return t[name]
}

// split cuts a line into words as iptables-restore does: double quotes hold a
// word together, and a backslash in them keeps the next character.
func split(line string) []string {
	var words []string
	var word strings.Builder
	quoted, escaped, open := false, false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted, open = !quoted, true
		case !quoted && (r == ' ' || r == '\t'):
			if open {
				words = append(words, word.String())
				word.Reset()
			}
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

// String gives the rule as iptables-save prints it.
func (r rule) String() string {
	words := make([]string, len(r))
	for i, w := range r {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

func quote(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\"\\'") {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}

// about tells whether the rule names the link as a packet's way in or out.
func (r rule) about(link string) bool {
	for i, w := range r[:max(len(r)-1, 0)] {
		if (w == "-i" || w == "-o") && r[i+1] == link {
			return true
		}
	}
	return false
}

// target is where the rule sends a packet: "ACCEPT", a chain, "" for nowhere.
func (r rule) target() string {
	for i, w := range r[:max(len(r)-1, 0)] {
		if w == "-j" || w == "-g" {
			return r[i+1]
		}
	}
	return ""
}

// elsewhere tells whether no packet to or from link can match: the rule asks
// for other links on both sides.
func (r rule) elsewhere(link string) bool {
	in, out := false, false
	for i, w := range r[:max(len(r)-1, 0)] {
		if i > 0 && r[i-1] == "!" || r[i+1] == link || strings.HasSuffix(r[i+1], "+") {
			continue
		}
		in = in || w == "-i"
		out = out || w == "-o"
	}
	return in && out
}

// isJump tells whether the rule does nothing but go to chain.
func (r rule) isJump(chain string) bool {
	return len(r) == 2 && r[0] == "-j" && r[1] == chain
}

// line is the rule as a command that appends it.
func (r rule) line(chain string) string { return fmt.Sprintf("-A %s %s", chain, r) }
