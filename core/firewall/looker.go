package firewall

import (
	"context"
	"sync"

	"flatnet/core/kernel"
)

// Looker looks again and again at the rules of one kernel. As long as they
// have not changed it starts no program to read them, but goes by what it read
// last: what it gives is as true as a fresh look. The zero Looker is ready.
type Looker struct {
	mu   sync.Mutex
	last map[kernel.Backend]reading
}

// reading is what was read, and the version of the rules then.
type reading struct {
	version string
	rules   ruleset
}

// read gives the rules of a backend. They are not to be changed.
func (l *Looker) read(ctx context.Context, k kernel.Kernel, b kernel.Backend) (ruleset, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Asked before the rules are read: a change in between makes it an old one.
	version, err := k.RulesVersion(ctx, b)
	if err != nil {
		version = ""
	}
	if last := l.last[b]; version != "" && last.version == version {
		return last.rules, nil
	}
	rules, err := read(ctx, k, b)
	if err != nil {
		return nil, err
	}
	if l.last == nil {
		l.last = map[kernel.Backend]reading{}
	}
	l.last[b] = reading{version, rules}
	return rules, nil
}
