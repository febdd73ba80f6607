package command

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"slices"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/host"
	"flatnet/core/leases"
	"flatnet/core/say"
	"flatnet/tui/monitor"
)

// lookLimit bounds each look of a command that looks once.
const lookLimit = 6 * time.Second

// limit is how long each look may take.
func (p *Parts) limit() time.Duration { return cmp.Or(p.Limit, lookLimit) }

// gather looks at everything once, side by side.
func (p *Parts) gather(ctx context.Context) health.Facts {
	return health.Gather(ctx, health.Request{
		Version: p.Version, Config: p.Config, Looks: p.looks(), Limit: p.limit(), Now: p.Now,
	})
}

// looks are the ways to see each part.
func (p *Parts) looks() health.Looks {
	return health.Looks{
		Bridge: func(ctx context.Context) (bridge.Status, error) {
			return bridge.Look(ctx, p.Kernel, p.Config.Network)
		},
		Firewall: func(ctx context.Context) (firewall.Status, error) {
			return p.Rules.Look(ctx, p.Kernel, p.rules(ctx))
		},
		Leases: func(ctx context.Context) ([]leases.Status, error) {
			return leases.Look(ctx, p.leases().Sources)
		},
		Names:   p.lookNames,
		Podman:  p.lookPodman,
		Windows: p.Windows.Look,
		Gateway: p.lookGateway,
		Host: func(ctx context.Context) (host.Status, error) {
			return p.Host.Look(ctx, host.Options{
				Config: p.Config, Version: p.Version, ContainersConf: os.Getenv("CONTAINERS_CONF"), Now: p.Now,
			}), nil
		},
		Probes: p.probed,
	}
}

func (p *Parts) lookPodman(ctx context.Context) (health.Podman, error) {
	all, err := p.Podman.Containers(ctx)
	if err != nil {
		return health.Podman{}, err
	}
	seen := health.Podman{Containers: all}
	if seen.Info, err = p.Podman.Info(ctx); err != nil { // it is slow where the machine is; the containers are known all the same
		seen.InfoErr = say.Of(err)
	}
	return seen, nil
}

// lookGateway looks at the gateway with its servers asked. Where it is not
// known what belongs there, or nginx hangs, they are not waited for again.
func (p *Parts) lookGateway(ctx context.Context) (gateway.Status, error) {
	g, err := p.Gateway.Look(ctx)
	if err != nil || g.Unknown != "" || g.Silent {
		return g, err
	}
	p.ask(ctx)
	return p.Gateway.Look(ctx)
}

// ask has everything asked once that is to be probed and was not yet, so that
// the gateway is judged and planned with what is known of its servers. What
// takes longer than most of a look's limit stays unknown.
func (p *Parts) ask(ctx context.Context) { p.askOf(ctx, func(monitor.Watched) bool { return true }) }

// askServers is ask for the servers behind sites alone.
func (p *Parts) askServers(ctx context.Context) {
	p.askOf(ctx, func(w monitor.Watched) bool { return w.Server.IsValid() })
}

func (p *Parts) askOf(ctx context.Context, wanted func(monitor.Watched) bool) {
	ctx, cancel := context.WithTimeout(ctx, p.limit()*2/3)
	defer cancel()
	all := p.watched(ctx)
	p.Monitor.Ask(ctx, slices.DeleteFunc(all, func(w monitor.Watched) bool { return !wanted(w) }))
}

// probed gives what is known then of everything that is to be probed.
func (p *Parts) probed(ctx context.Context) ([]health.Probe, error) {
	p.ask(ctx)
	var all []health.Probe
	for _, s := range p.Monitor.Seen() {
		all = append(all, s.Probe)
	}
	return all, nil
}

// watched lists what is to be probed, as the surroundings are now.
func (p *Parts) watched(ctx context.Context) []monitor.Watched {
	sites, _ := p.Gateway.Sites(ctx) // what is known of them is there also where the deployed files are not
	a := monitor.Around{Sites: sites, Windows: p.WindowsAddress(ctx)}
	a.HealthURL = p.Config.Gateway.HealthAt(a.Windows)
	return monitor.Targets(p.Config, a)
}

// WindowsAddress is the other end of WSL's default route, where there is a
// Windows at all.
func (p *Parts) WindowsAddress(ctx context.Context) netip.Addr {
	if !p.Windows.Enabled(ctx) {
		return netip.Addr{}
	}
	routes, err := p.Kernel.Routes(ctx)
	if err != nil {
		return netip.Addr{}
	}
	for _, r := range routes {
		if r.Dst.Bits() == 0 && r.Gateway.IsValid() {
			return r.Gateway
		}
	}
	return netip.Addr{}
}
