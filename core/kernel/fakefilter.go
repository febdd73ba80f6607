package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// fakeFilter is one backend's rules: tables, in the order they came about.
type fakeFilter struct{ tables []*fakeTable }

type fakeTable struct {
	name   string
	order  []string // chains
	chains map[string]*fakeChain
}

type fakeChain struct {
	policy string // "-": not a hook of the kernel's
	rules  []string
}

// hooks are the kernel's own chains.
var hooks = map[string][]string{
	"filter": {"INPUT", "FORWARD", "OUTPUT"},
	"nat":    {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
}

// targets that are not chains.
var targets = []string{"ACCEPT", "DROP", "REJECT", "RETURN", "MASQUERADE", "SNAT", "DNAT", "LOG", "MARK"}

// filter gives a backend's rules, or ErrNoProgram.
func (f *Fake) filter(b Backend) (*fakeFilter, error) {
	if filter := f.machine.filters[b]; filter != nil {
		return filter, nil
	}
	return nil, fmt.Errorf("%s: %w", b, ErrNoProgram)
}

// ResolveBackend gives nft where that is there.
func (f *Fake) ResolveBackend(ctx context.Context, b Backend) (Backend, error) {
	err := f.do(ctx, func() error {
		if b == BackendAuto {
			b = BackendNFT
			if f.machine.filters[b] == nil {
				b = BackendLegacy
			}
		}
		_, err := f.filter(b)
		return err
	})
	if err != nil {
		return "", err
	}
	return b, nil
}

// SaveRules prints the rules.
func (f *Fake) SaveRules(ctx context.Context, b Backend) (string, error) {
	var out strings.Builder
	err := f.do(ctx, func() error {
		filter, err := f.filter(b)
		if err != nil {
			return err
		}
		for _, t := range filter.tables {
			t.save(&out)
		}
		return nil
	})
	return out.String(), err
}

func (t *fakeTable) save(w io.Writer) {
	_, _ = fmt.Fprintf(w, "*%s\n", t.name)
	for _, name := range t.order {
		_, _ = fmt.Fprintf(w, ":%s %s [0:0]\n", name, t.chains[name].policy)
	}
	for _, name := range t.order {
		for _, r := range t.chains[name].rules {
			_, _ = fmt.Fprintf(w, "-A %s %s\n", name, r)
		}
	}
	_, _ = fmt.Fprintln(w, "COMMIT")
}

// print gives chains that are not the kernel's, policies that are not ACCEPT,
// and rules.
func (f *fakeFilter) print(w io.Writer, program string) {
	for _, t := range f.tables {
		for _, name := range t.order {
			switch c := t.chains[name]; c.policy {
			case "-":
				_, _ = fmt.Fprintf(w, "%s -t %s -N %s\n", program, t.name, name)
			case "ACCEPT":
			default:
				_, _ = fmt.Fprintf(w, "%s -t %s -P %s %s\n", program, t.name, name, c.policy)
			}
		}
		for _, name := range t.order {
			for _, r := range t.chains[name].rules {
				_, _ = fmt.Fprintf(w, "%s -t %s -A %s %s\n", program, t.name, name, r)
			}
		}
	}
}

// RulesVersion cannot tell, as with the legacy tables.
func (f *Fake) RulesVersion(ctx context.Context, _ Backend) (string, error) { return "", ctx.Err() }

// RestoreRules applies each table of text whole or not at all.
func (f *Fake) RestoreRules(ctx context.Context, b Backend, text string) error {
	return f.do(ctx, func() error {
		filter, err := f.filter(b)
		if err != nil {
			return err
		}
		var t *fakeTable
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || line[0] == '#':
			case line[0] == '*':
				t = filter.copyOf(line[1:])
			case t == nil:
				return fmt.Errorf("%q stands outside of a table", line)
			case line == "COMMIT":
				filter.put(t)
				t = nil
			default:
				if err := t.apply(line); err != nil {
					return fmt.Errorf("%s: %w", line, err)
				}
			}
		}
		return nil
	})
}

func (f *fakeFilter) copyOf(name string) *fakeTable {
	t := &fakeTable{name: name, chains: map[string]*fakeChain{}}
	for _, old := range f.tables {
		if old.name == name {
			t.order = slices.Clone(old.order)
			for n, c := range maps.All(old.chains) {
				t.chains[n] = &fakeChain{c.policy, slices.Clone(c.rules)}
			}
			return t
		}
	}
	for _, hook := range hooks[name] {
		t.addChain(hook, "ACCEPT")
	}
	return t
}

func (f *fakeFilter) put(t *fakeTable) {
	i := slices.IndexFunc(f.tables, func(o *fakeTable) bool { return o.name == t.name })
	if i < 0 {
		f.tables = append(f.tables, t)
		return
	}
	f.tables[i] = t
}

func (t *fakeTable) addChain(name, policy string) {
	t.order = append(t.order, name)
	t.chains[name] = &fakeChain{policy: policy}
}

// apply carries out one line of iptables-restore.
func (t *fakeTable) apply(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	name, spec, _ := strings.Cut(rest, " ")
	c := t.chains[name]
	switch {
	case line[0] == ':':
		return t.declare(verb[1:], name)
	case verb == "-N" && c != nil:
		return errors.New("chain already exists")
	case verb == "-N":
		t.addChain(name, "-")
		return nil
	case c == nil:
		return errors.New("no chain by that name")
	}
	switch verb {
	case "-P":
		c.policy = spec
	case "-F":
		c.rules = nil
	case "-X":
		return t.removeChain(name)
	case "-D":
		i := slices.Index(c.rules, spec)
		if i < 0 {
			return errors.New("no such rule in that chain")
		}
		c.rules = slices.Delete(c.rules, i, i+1)
	case "-A":
		return t.insert(c, len(c.rules)+1, spec)
	case "-I":
		place, rest, _ := strings.Cut(spec, " ")
		if n, err := strconv.Atoi(place); err == nil {
			return t.insert(c, n, rest)
		}
		return t.insert(c, 1, spec)
	default:
		return fmt.Errorf("unknown command %q", verb)
	}
	return nil
}

// declare makes a chain, sets a hook's policy, or empties a chain that is
// there, as iptables-restore does.
func (t *fakeTable) declare(name, policy string) error {
	c := t.chains[name]
	switch {
	case c == nil:
		t.addChain(name, policy)
	case policy == "-":
		c.rules = nil
	default:
		c.policy = policy
	}
	return nil
}

func (t *fakeTable) insert(c *fakeChain, place int, spec string) error {
	if place < 1 || place > len(c.rules)+1 {
		return errors.New("index of insertion too big")
	}
	_, target, found := strings.Cut(" "+spec, " -j ")
	target, _, _ = strings.Cut(target, " ")
	if found && t.chains[target] == nil && !slices.Contains(targets, target) {
		return fmt.Errorf("no target by the name %s", target)
	}
	c.rules = slices.Insert(c.rules, place-1, spec)
	return nil
}

func (t *fakeTable) removeChain(name string) error {
	if len(t.chains[name].rules) > 0 {
		return errors.New("directory not empty")
	}
	for _, c := range t.chains {
		for _, r := range c.rules {
			if strings.HasSuffix(r, "-j "+name) {
				return errors.New("device or resource busy")
			}
		}
	}
	delete(t.chains, name)
	t.order = slices.DeleteFunc(t.order, func(n string) bool { return n == name })
	return nil
}

// LockRules waits for the one lock that a Fake has.
func (f *Fake) LockRules(ctx context.Context) (func(), error) {
	select {
	case f.machine.rulesLock <- struct{}{}:
		return func() { <-f.machine.rulesLock }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the lock on the rules: %w", ctx.Err())
	}
}
