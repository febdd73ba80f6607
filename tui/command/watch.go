package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/ipam"
	"flatnet/core/repair"
	"flatnet/tui/text"
)

// watchCommand follows the containers until it is stopped; it is what a unit
// of the system runs.
func (a *App) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Keep bridge, rules, route and gateway right, and answer names, until stopped",
		Long: `Mend the bridge, the packet filter's rules and Windows' route when they are not
as configured, answer containers that ask for each other by name (unless [dns]
enabled is false), and regenerate and deploy the gateway's configuration whenever a
container comes, goes or moves, a server stops answering or answers again, or
the configuration changes. Of several, one at a time sees to the gateway; the
open console is one of them. The gateway's first deployment is a person's:
sudo flatnet-tui gateway apply. Under systemd it says when the network is ready, and
that it is alive.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.parts()
			if err != nil {
				return err
			}
			var one sync.Mutex // keeper and follower report at the same time
			report := func(line string) {
				one.Lock()
				defer one.Unlock()
				fmt.Fprintln(a.Out, a.Now().Format("2006-01-02 15:04:05"), text.Line(line))
			}
			f := follower{app: a, by: by(cmd), probes: true, names: true, report: report, keeper: newKeeper(a, by(cmd), report, keptByWatch()...)}
			return f.run(cmd.Context(), p)
		},
	}
}

// follower keeps the gateway in step with the containers.
type follower struct {
	app    *App
	by     string // for the journal
	probes bool   // probes the upstreams itself; else someone else runs the Monitor
	report func(line string)
	keeper *keeper       // sees to what is not the gateway
	quiet  time.Duration // as in gateway.FollowOptions
	names  bool          // answers containers' names
}

// run follows with the parts of one configuration after the other, until ctx
// ends. A configuration that has become wrong is reported, and the last right
// one goes on.
func (f follower) run(ctx context.Context, p *Parts) error {
	for {
		err := f.follow(ctx, p)
		if !errors.Is(err, gateway.ErrReconfigured) {
			return err
		}
		next, err := f.app.parts()
		if err != nil {
			f.report("The changed configuration is not used: " + err.Error())
			continue
		}
		f.report("The configuration has changed and was read again.")
		p, f.probes = next, true
	}
}

// follow goes on until the configuration changes.
func (f follower) follow(ctx context.Context, p *Parts) error {
	ctx, cancel := context.WithCancel(ctx)
	var probing sync.WaitGroup
	defer probing.Wait()
	defer cancel()
	if f.probes {
		probing.Go(func() { p.Monitor.Run(ctx) })
	}
	probing.Go(func() { f.keeper.run(ctx, p) })
	if f.names {
		probing.Go(func() { p.answerNames(ctx, f.report) })
	}
	return p.Gateway.Follow(ctx, gateway.FollowOptions{
		Config:     cmp.Or(p.Config.Path, f.app.configPath, config.Lookup()),
		Files:      []string{filepath.Join(p.Config.IPAM.StateDir, ipam.FileName)},
		Events:     p.Podman.Events,
		Regenerate: func(ctx context.Context) error { return f.regenerate(ctx, p) },
		Report:     f.report,
		Quiet:      f.quiet,
	})
}

// regenerate deploys what has changed, by the same plan as the key and the
// command.
func (f follower) regenerate(ctx context.Context, p *Parts) error {
	p.ask(ctx)
	plan, err := repair.GatewayUnasked(ctx, p.Gateway)
	if err != nil || len(plan.Steps) == 0 {
		return err
	}
	_, err = repair.Apply(ctx, plan, repair.Options{By: f.by, Journal: p.Journal, Now: p.Now})
	if errors.Is(err, repair.ErrChanged) || errors.Is(err, gateway.ErrBusy) {
		return nil // what changed it has been noticed too
	}
	if err == nil {
		f.report("Done: " + plan.Steps[0].Text.String() + ".")
	}
	return err
}
