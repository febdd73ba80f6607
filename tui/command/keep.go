package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"flatnet/core/repair"
	"flatnet/tui/text"
)

// How often watch looks, and how long one look may take. The unit's watchdog
// waits for a minute.
const (
	keepEvery      = 5 * time.Second
	keepRouteEvery = time.Minute
	keepNamesEvery = time.Minute
	keepLimit      = 20 * time.Second
)

// kept is one thing that watch sees to, by the plan of its repair.
type kept struct {
	name   string
	every  time.Duration // between two looks; twice that after each repair that did not last
	rarest time.Duration // but never more
	plan   planner

	next  time.Time
	tries int    // repairs in a row that were needed
	said  string // what was reported last: once is enough
}

// keeper sees to what it is given while watch or the console runs, and tells
// systemd that it does.
type keeper struct {
	app    *App
	by     string
	report func(line string)
	things []*kept
}

func newKeeper(a *App, by string, report func(string), things ...*kept) *keeper {
	return &keeper{app: a, by: by, report: report, things: things}
}

// keptByWatch is what watch sees to.
func keptByWatch() []*kept {
	return []*kept{
		{name: "bridge", every: keepEvery, rarest: 5 * time.Minute, plan: func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Bridge(ctx, p.Kernel, p.Config.Network)
		}},
		{name: "rules", every: keepEvery, rarest: 5 * time.Minute, plan: keepRules},
		{name: "route", every: keepRouteEvery, rarest: time.Hour, plan: func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Route(ctx, p.Windows)
		}},
		keptNames(),
	}
}

// keepRules looks without a program while the rules have not changed, and plans
// only when something is wrong with them.
func keepRules(ctx context.Context, p *Parts) (repair.Plan, error) {
	want := p.rules(ctx)
	if s, err := p.Rules.Look(ctx, p.Kernel, want); err != nil || s.OK() {
		return repair.Plan{}, err
	}
	return repair.Firewall(ctx, p.Kernel, want)
}

// keptNames is that leases have names, which changes nothing that anybody uses
// just now: the console sees to it too.
func keptNames() *kept {
	return &kept{name: "list of names", every: keepNamesEvery, rarest: time.Hour, plan: func(ctx context.Context, p *Parts) (repair.Plan, error) {
		return repair.Names(ctx, p.leases())
	}}
}

// run looks until ctx ends. The first look comes before systemd is told that
// the network is ready.
func (k *keeper) run(ctx context.Context, p *Parts) {
	ticks := time.NewTicker(keepEvery)
	defer ticks.Stop()
	state := daemon.SdNotifyReady
	for {
		k.look(ctx, p)
		notify(state)
		state = daemon.SdNotifyWatchdog
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// notify tells systemd; where there is none it says nothing.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// look sees to everything that is due.
func (k *keeper) look(ctx context.Context, p *Parts) {
	for _, t := range k.things {
		now := k.app.Now()
		if ctx.Err() != nil || now.Before(t.next) {
			continue
		}
		mended, err := k.see(ctx, p, t)
		switch {
		case mended:
			t.tries = min(t.tries+1, 6)
		case err == nil:
			t.tries = 0
		}
		t.next = now.Add(min(t.every<<t.tries, t.rarest)).Add(-keepEvery / 2) // a tick is never quite on time
		k.say(t, err)
	}
}

// see looks at one thing, and mends it if it needs that.
func (k *keeper) see(ctx context.Context, p *Parts, t *kept) (mended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, keepLimit)
	defer cancel()
	plan, err := t.plan(ctx, p)
	if err != nil || len(plan.Steps) == 0 {
		return false, err
	}
	_, err = repair.Apply(ctx, plan, repair.Options{By: k.by, Journal: p.Journal, Now: p.Now})
	if errors.Is(err, repair.ErrChanged) {
		return false, nil // somebody else was quicker
	}
	if err == nil {
		for _, s := range plan.Steps {
			k.report("Done: " + text.Line(s.Text.String()) + ".")
		}
	}
	return true, err
}

// say reports an error that is not the one reported last, and its end.
func (k *keeper) say(t *kept, err error) {
	said := ""
	if err != nil {
		said = fmt.Sprintf("The %s cannot be kept right: %v", t.name, err)
	}
	if said == t.said {
		return
	}
	if said == "" {
		k.report("The " + t.name + " can be kept right again.")
	} else {
		k.report(said)
	}
	t.said = said
}
