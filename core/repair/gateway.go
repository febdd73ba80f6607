package repair

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"flatnet/core/gateway"
	"flatnet/core/journal"
	"flatnet/core/say"
)

// The repairs of the gateway.
const (
	GatewayID            = "gateway"
	GatewayRollbackID    = "gateway-rollback"
	GatewayMaintenanceID = "gateway-maintenance"
)

// Gateway plans a regeneration of the gateway's configuration and its
// deployment: kept as a new generation, tested by nginx, swapped, reloaded and
// confirmed; or put back. Where nothing would change there are no steps.
func Gateway(ctx context.Context, g *gateway.Gateway) (Plan, error) {
	return gatewayPlan(ctx, g, GatewayID, "Regenerate the gateway's configuration", g.Prepare)
}

// GatewayRollback plans to go back to a kept generation; 0 is the one before
// the deployed one.
func GatewayRollback(ctx context.Context, g *gateway.Gateway, number int) (Plan, error) {
	prepare := func(ctx context.Context) (gateway.Change, error) { return g.PrepareRollback(ctx, number) }
	return gatewayPlan(ctx, g, GatewayRollbackID, "Roll the gateway back", prepare)
}

// GatewayUnasked is Gateway where no person asks for it. It refuses with
// gateway.ErrHeld while automatic changes are held.
func GatewayUnasked(ctx context.Context, g *gateway.Gateway) (Plan, error) {
	return gatewayPlan(ctx, g, GatewayID, "Regenerate the gateway's configuration", g.PrepareUnasked)
}

func gatewayPlan(ctx context.Context, g *gateway.Gateway, id string, title say.Text, prepare func(context.Context) (gateway.Change, error)) (Plan, error) {
	c, err := prepare(ctx)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Repair: id, Title: title, Notes: append(c.Notes, c.Unknown...)}
	for _, s := range c.Generation.SetAside {
		p.Notes = append(p.Notes, s.Say())
	}
	if c.Nothing {
		p.Notes = append([]say.Text{say.F("Generation %d is deployed and is what it ought to be.", c.Generation.Number)}, p.Notes...)
		return p, nil
	}
	p.Steps = []Step{{
		Text:    gatewayText(c),
		Command: g.Commands(),
		Diff:    c.MainDiff + c.Diff,
		Do:      deploy(g, c, id), Stoppable: true,
	}}
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return gatewayPlan(ctx, g, id, title, prepare) })
	p.Verify = g.Verify
	return p, nil
}

// gatewayText says what the one step does: it happens as a whole or not at
// all.
func gatewayText(c gateway.Change) say.Text {
	var parts []say.Text
	if len(c.Folders) > 0 {
		parts = append(parts, say.F("make %s", strings.Join(c.Folders, ", ")))
	}
	if c.Main != nil {
		parts = append(parts, "write nginx.conf")
	}
	switch {
	case !c.InPlace:
		parts = append(parts, say.F("test generation %d with nginx, put it in place, reload and ask what is served", c.Generation.Number))
	case c.Behind():
		parts = append(parts, say.F("have nginx reload: generation %d is in place and is not served", c.Generation.Number))
	}
	if c.Resumes() {
		parts = append(parts, "follow the containers again")
	}
	return say.Capital(say.Join("; ", parts...))
}

func deploy(g *gateway.Gateway, c gateway.Change, id string) func(context.Context) ([]journal.Entry, error) {
	return func(ctx context.Context) ([]journal.Entry, error) {
		out, err := g.Deploy(ctx, c)
		if errors.Is(err, gateway.ErrOvertaken) {
			err = say.Errorf("%w: %w", ErrChanged, err)
		}
		text := fmt.Sprintf("generation %d of the gateway, %s mode, %d sites", out.Generation, c.Generation.Mode, len(c.Generation.Sites))
		if len(out.Notes) > 0 {
			text += "; " + strings.Join(out.Notes, " ")
		}
		return []journal.Entry{{Action: id, Text: text, After: fmt.Sprint(out.Generation)}}, err
	}
}

// GatewayMaintenance plans to put a site into maintenance, or to end that, and
// to deploy it.
func GatewayMaintenance(ctx context.Context, g *gateway.Gateway, host string, on bool) (Plan, error) {
	site, err := lookSite(ctx, g, host)
	if err != nil {
		return Plan{}, err
	}
	return maintenancePlan(g, site, on), nil
}

// GatewayToggle is GatewayMaintenance to whichever state the site is not in.
func GatewayToggle(ctx context.Context, g *gateway.Gateway, host string) (Plan, error) {
	site, err := lookSite(ctx, g, host)
	if err != nil {
		return Plan{}, err
	}
	return maintenancePlan(g, site, !site.Maintenance), nil
}

func maintenancePlan(g *gateway.Gateway, site gateway.SiteStatus, on bool) Plan {
	host := site.Host
	p := Plan{Repair: GatewayMaintenanceID, Title: say.F("Put %s into maintenance", host)}
	if !on {
		p.Title = say.F("End the maintenance of %s", host)
	}
	if site.Maintenance == on {
		p.Notes = []say.Text{map[bool]say.Text{true: say.F("%s is in maintenance already.", host), false: say.F("%s is not in maintenance.", host)}[on]}
		return p
	}
	p.Steps = []Step{{
		Text:      say.Join("; ", maintenanceText(host, on), "regenerate the gateway's configuration and deploy it"),
		Command:   "flatnet-tui gateway maintenance " + host + " " + map[bool]string{true: "on", false: "off"}[on],
		Do:        func(ctx context.Context) ([]journal.Entry, error) { return maintain(ctx, g, host, on) },
		Stoppable: true,
	}}
	p.Verify = func(ctx context.Context) error {
		if site, err := lookSite(ctx, g, host); err == nil && site.Maintenance != on {
			return say.Errorf("the configuration says maintenance = true for %s; take it out there", host)
		}
		return g.Verify(ctx)
	}
	return p
}

// maintain keeps that the site is in maintenance, or not, and deploys it.
func maintain(ctx context.Context, g *gateway.Gateway, host string, on bool) ([]journal.Entry, error) {
	if err := g.SetMaintenance(ctx, host, on); err != nil {
		return nil, err
	}
	entries, err := deployNow(ctx, g)
	if err != nil { // nothing serves it: the next deployment would, unasked
		err = errors.Join(err, g.SetMaintenance(context.WithoutCancel(ctx), host, !on))
	}
	return entries, err
}

// deployNow deploys what ought to be served now.
func deployNow(ctx context.Context, g *gateway.Gateway) ([]journal.Entry, error) {
	c, err := g.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	return deploy(g, c, GatewayMaintenanceID)(ctx)
}

func maintenanceText(host string, on bool) say.Text {
	if on {
		return say.F("%s answers 503 with a page that says that it is being worked on", host)
	}
	return say.F("%s is served again", host)
}

func lookSite(ctx context.Context, g *gateway.Gateway, host string) (gateway.SiteStatus, error) {
	s, err := g.Look(ctx)
	if err != nil {
		return gateway.SiteStatus{}, err
	}
	for _, site := range s.Sites {
		if site.Host == strings.ToLower(host) {
			return site, nil
		}
	}
	return gateway.SiteStatus{}, say.Errorf("%s: %w", host, gateway.ErrNoSite)
}
