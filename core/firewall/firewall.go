// Package firewall keeps the rules that let the network's packets through:
// accepts for the bridge, first in FORWARD and in Docker's DOCKER-USER, and
// masquerading for what leaves it (seed 4.1). All of them stand in chains of
// our own name; nobody else's rule is touched. Several networks share the
// chains. It also publishes containers' ports where Podman leaves that to a
// network's plugin (netavark).
//
// It does not set ip_forward (core/bridge does) and starts no program itself
// (core/kernel does).
package firewall

import (
	"context"
	"errors"
	"net/netip"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// ErrRestless says that the rules were set again and again, and each time
// another program had changed them before they could be looked at.
var ErrRestless = say.New("another program keeps changing these rules")

// tries is how often rules are set before that is given up.
const tries = 4

// Want is what one network needs of the packet filter.
type Want struct {
	Bridge     string
	Subnet     netip.Prefix
	Masquerade bool
	Backend    kernel.Backend
	// Published are containers with ports whose rules are seen to as well.
	// Rules of other containers are left alone.
	Published []Published
}

// WantOf takes it out of the configuration.
func WantOf(c config.Config) Want {
	return Want{
		Bridge:     c.Network.Bridge,
		Subnet:     c.Network.Subnet.Masked(),
		Masquerade: c.Network.Masquerade,
		Backend:    kernel.Backend(c.Firewall.Backend),
	}
}

// Ensure puts in what is missing, moves our jumps to the front and takes away
// what is doubled; where all is well it only reads. Concurrent calls, also
// from other processes, do not double a rule. kernel.ErrNoProgram where the
// backend's programs are not installed.
func Ensure(ctx context.Context, k kernel.Kernel, w Want) (changed bool, err error) {
	changed, err = settle(ctx, k, w.Backend, func(rs ruleset) []layout { return layouts(w, rs) })
	return changed, failed("set the packet filter rules for", w.Bridge, err)
}

// Remove takes away this network's rules, and chains and jumps with the last
// of them. It is no error if they are gone.
func Remove(ctx context.Context, k kernel.Kernel, w Want) error {
	_, err := settle(ctx, k, w.Backend, func(rs ruleset) []layout {
		return without(append(layouts(w, rs), portLayouts(isOf(w.Bridge))...))
	})
	return failed("remove the packet filter rules for", w.Bridge, err)
}

// settle brings the rules to what want says. The first look needs no lock:
// most calls find all well and are done.
func settle(ctx context.Context, k kernel.Kernel, b kernel.Backend, want func(ruleset) []layout) (changed bool, err error) {
	if b, err = k.ResolveBackend(ctx, b); err != nil {
		return false, err
	}
	edits, err := pending(ctx, k, b, want)
	if err != nil || len(edits) == 0 {
		return false, err
	}
	unlock, err := k.LockRules(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	return setLocked(ctx, k, b, want)
}

// setLocked looks and sets until a look finds all well. More than once only
// where another program changes rules meanwhile.
func setLocked(ctx context.Context, k kernel.Kernel, b kernel.Backend, want func(ruleset) []layout) (changed bool, err error) {
	var last error
	for range tries {
		edits, err := pending(ctx, k, b, want)
		if err != nil || len(edits) == 0 {
			return changed, err
		}
		if last = k.RestoreRules(ctx, b, restoreText(edits)); last == nil {
			changed = true
		}
	}
	if last == nil {
		last = ErrRestless
	}
	return changed, last
}

// pending reads the rules and gives the edits that they need.
func pending(ctx context.Context, k kernel.Kernel, b kernel.Backend, want func(ruleset) []layout) ([]edit, error) {
	rs, err := read(ctx, k, b)
	if err != nil {
		return nil, err
	}
	var edits []edit
	for _, l := range want(rs) {
		edits = append(edits, l.edits(rs[l.table])...)
	}
	return edits, nil
}

func read(ctx context.Context, k kernel.Kernel, b kernel.Backend) (ruleset, error) {
	text, err := k.SaveRules(ctx, b)
	if err != nil {
		return nil, err
	}
	return parse(text)
}

func failed(op say.Text, target string, err error) error {
	if err == nil {
		return nil
	}
	e := &core.OpError{Op: op, Target: target, Err: err}
	switch {
	case errors.Is(err, kernel.ErrPermission):
		e.Hint = "run it as root"
	case errors.Is(err, kernel.ErrNoProgram):
		e.Hint = "install iptables (sudo apt install iptables), or choose another [firewall] backend"
	}
	return e
}
