package command

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/firewall"
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
			return p.Rules.Look(ctx, p.Kernel, p.firewall())
		},
		Leases: func(ctx context.Context) ([]leases.Status, error) {
			return leases.Look(ctx, p.leases().Sources)
		},
		Names:   p.lookNames,
		Podman:  p.lookPodman,
		Windows: p.Windows.Look,
		Gateway: p.Gateway.Look,
		Host: func(ctx context.Context) (host.Status, error) {
			return p.Host.Look(ctx, host.Options{
				Config: p.Config, Version: p.Version, ContainersConf: os.Getenv("CONTAINERS_CONF"), Now: p.Now,
			}), nil
		},
		Probes: p.probeOnce,
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

// probeOnce asks everything that is to be probed, once.
func (p *Parts) probeOnce(ctx context.Context) ([]health.Probe, error) {
	return monitor.Once(ctx, p.Probers, p.Config.Probes, p.watched(ctx)), nil
}

// watched lists what is to be probed, as the surroundings are now.
func (p *Parts) watched(ctx context.Context) []monitor.Watched {
	g, _ := p.Gateway.Look(ctx) // what it knows of sites is there also where the deployed files are not
	a := monitor.Around{Sites: g.Sites, Windows: p.WindowsAddress(ctx)}
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
