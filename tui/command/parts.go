package command

import (
	"context"
	"slices"
	"time"

	"flatnet/core/attach"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/host"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/leases"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/windows"
	"flatnet/probes"
	"flatnet/tui/monitor"
)

// Parts are the real things that one configuration asks for. Whoever needs
// only some of them takes those as arguments, not Parts.
type Parts struct {
	Version string
	Config  config.Config
	Now     func() time.Time
	Kernel  kernel.Kernel
	Store   ipam.Store
	Journal *journal.File
	Podman  podman.Client
	Windows *windows.System
	Gateway *gateway.Gateway
	Probers probes.Probers
	Monitor *monitor.Monitor // probes only while it is run
	Rules   firewall.Looker
	Host    host.Looker
	Limit   time.Duration // of each look of a command that looks once; 0: lookLimit

	ResolvConf string // whom this machine asks for names; "": /etc/resolv.conf
}

// leases gives what judging and releasing leases needs.
func (p *Parts) leases() repair.Leases {
	return repair.Leases{
		Store: p.Store, Kernel: p.Kernel, Journal: p.Journal,
		Sources: leases.Sources{
			Network: p.Config.Network.Name, Pool: ipam.PoolOf(p.Config),
			Store: p.Store, Kernel: p.Kernel, Podman: p.Podman, Now: p.Now,
		},
	}
}

// firewall gives the rules that the configuration asks for.
func (p *Parts) firewall() firewall.Want { return firewall.WantOf(p.Config) }

// rules gives the rules that the configuration and the containers' published
// ports ask for. Where the leases cannot be read the ports stay as they are.
func (p *Parts) rules(ctx context.Context) firewall.Want {
	w := p.firewall()
	if held, err := p.HeldLeases(ctx); err == nil {
		w.Published = attach.PublishedBy(held)
	}
	return w
}

// HeldLeases gives the leases as the state has them, unjudged.
func (p *Parts) HeldLeases(ctx context.Context) ([]ipam.Lease, error) {
	s, err := p.Store.Read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Collect(s.All()), nil
}
