package command

import (
	"context"
	"net/netip"

	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/tui"
)

// plans are the changes behind the console's keys: the same that the
// subcommands run.
func (p *Parts) plans() tui.Plans {
	return tui.Plans{
		ReleaseStale: p.planReleaseStale,
		Release: func(ctx context.Context, ips []netip.Addr) (repair.Plan, error) {
			return repair.Release(ctx, p.leases(), ips, false)
		},
		Firewall:    p.planFirewall,
		Bridge:      p.planBridge,
		Gateway:     p.planGateway,
		Rollback:    p.planRollback,
		Route:       p.planRoute,
		Maintenance: p.planMaintenance,
		Undo:        func(ctx context.Context) (repair.Plan, error) { return repair.Undo(ctx, p.leases(), p.Config.Path) },
		ByFinding:   p.planByFinding,
	}
}

// planByFinding gives the plan that a finding names (health.Finding.Repair).
func (p *Parts) planByFinding(ctx context.Context, id string) (repair.Plan, error) {
	byID := map[string]tui.Plan{
		repair.ReleaseStaleID: p.planReleaseStale,
		repair.FirewallID:     p.planFirewall,
		repair.BridgeID:       p.planBridge,
		repair.GatewayID:      p.planGateway,
		repair.RouteID:        p.planRoute,
	}
	plan, ok := byID[id]
	if !ok {
		return repair.Plan{}, say.Errorf("%w: %q", tui.ErrNoRepair, id)
	}
	return plan(ctx)
}

func (p *Parts) planReleaseStale(ctx context.Context) (repair.Plan, error) {
	return repair.ReleaseStale(ctx, p.leases())
}

func (p *Parts) planFirewall(ctx context.Context) (repair.Plan, error) {
	return repair.Firewall(ctx, p.Kernel, p.rules(ctx))
}

func (p *Parts) planBridge(ctx context.Context) (repair.Plan, error) {
	return repair.Bridge(ctx, p.Kernel, p.Config.Network)
}

func (p *Parts) planGateway(ctx context.Context) (repair.Plan, error) {
	return repair.Gateway(ctx, p.Gateway)
}

// planRollback goes back to the generation before the deployed one.
func (p *Parts) planRollback(ctx context.Context) (repair.Plan, error) {
	return repair.GatewayRollback(ctx, p.Gateway, 0)
}

func (p *Parts) planRoute(ctx context.Context) (repair.Plan, error) {
	return repair.Route(ctx, p.Windows)
}

// planMaintenance switches a site's maintenance to what it is not now.
func (p *Parts) planMaintenance(ctx context.Context, host string) (repair.Plan, error) {
	st, err := p.Gateway.Look(ctx)
	if err != nil {
		return repair.Plan{}, err
	}
	on := true
	for _, s := range st.Sites {
		if s.Host == host {
			on = !s.Maintenance
		}
	}
	return repair.GatewayMaintenance(ctx, p.Gateway, host, on)
}
