package tui

import (
	"context"
	"net/netip"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/repair"
	"flatnet/tui/action"
)

// repairs are the actions that change something. All of them go one way: make
// a plan, show it, apply it if the person says so, look again.
func (m *Model) repairs() []action.Action {
	t, plans := &m.t.Actions, m.o.Plans
	change := func(id, key, name, short string, there bool, why func() string, plan func() Plan) action.Action {
		a := action.Action{ID: id, Keys: []string{key}, Name: name, Short: short, Group: action.Repair, Changes: true}
		a.Why = func() string { return m.whyNot(there, why) }
		a.Run = func() tea.Cmd { return m.plan(name, key, plan()) }
		return a
	}
	stop := action.Action{
		ID: "stop", Keys: []string{"x"}, Name: t.Cancel, Short: t.ShortStop, Group: action.Repair,
		Why: need(m.job != nil, m.t.Why.NoJob), Run: m.stopJob,
	}
	return []action.Action{
		change("release", "R", t.Release, t.ShortRelease, plans.ReleaseStale != nil, m.needLease, m.releasePlan),
		change("firewall", "F", t.Firewall, t.ShortFirewall, plans.Firewall != nil, nil, is(plans.Firewall)),
		change("gateway", "G", t.Gateway, t.ShortGateway, plans.Gateway != nil, nil, is(plans.Gateway)),
		change("mend", "A", t.Mend, t.ShortMend, plans.ByFinding != nil, m.needMendable, m.mendPlan),
		change("bridge", "B", t.Bridge, "", plans.Bridge != nil, nil, is(plans.Bridge)),
		change("route", "W", t.Route, t.ShortRoute, plans.Route != nil, nil, is(plans.Route)),
		change("maintenance", "M", t.Maintenance, "", plans.Maintenance != nil, m.needSite, m.maintenancePlan),
		change("rollback", "V", t.Rollback, "", plans.Rollback != nil, nil, is(plans.Rollback)),
		change("undo", "U", t.Undo, "", plans.Undo != nil, nil, is(plans.Undo)),
		stop,
	}
}

// is makes a plan that depends on nothing chosen on the screen.
func is(p Plan) func() Plan { return func() Plan { return p } }

// whyNot says why a change cannot be made now, "" if it can.
func (m *Model) whyNot(there bool, why func() string) string {
	switch {
	case m.o.ReadOnly:
		return m.t.Why.ReadOnly
	case !there:
		return m.t.Why.NotHere
	case m.busy():
		return m.t.Why.Busy
	case why != nil:
		return why()
	}
	return ""
}

// leaseHolder is a pane of leases, siter one of sites: what a repair is about
// is asked of whichever pane knows it.
type (
	leaseHolder interface {
		Stale() int
		HasMarks() bool
		MarkedAddresses() []netip.Addr
	}
	siter interface{ Site() string }
)

// held gives the pane of the leases; nil if there is none.
func (m *Model) held() leaseHolder {
	for _, p := range m.panes {
		if h, ok := p.(leaseHolder); ok {
			return h
		}
	}
	return nil
}

func (m *Model) needLease() string {
	h := m.held()
	return need(h != nil && (h.HasMarks() || h.Stale() > 0), m.t.Why.NoStale)()
}

// releasePlan is for the marked leases, or for the stale ones if none is
// marked.
func (m *Model) releasePlan() Plan {
	h := m.held()
	if h == nil || !h.HasMarks() || m.o.Plans.Release == nil {
		return m.o.Plans.ReleaseStale
	}
	ips := h.MarkedAddresses()
	return func(ctx context.Context) (repair.Plan, error) { return m.o.Plans.Release(ctx, ips) }
}

// site is the host name of the site under the focused pane's cursor.
func (m *Model) site() string {
	if s, ok := m.focused().(siter); ok {
		return s.Site()
	}
	return ""
}

func (m *Model) needSite() string { return need(m.site() != "", m.t.Why.NotSite)() }

func (m *Model) maintenancePlan() Plan {
	host := m.site()
	return func(ctx context.Context) (repair.Plan, error) { return m.o.Plans.Maintenance(ctx, host) }
}

// mendable is the id of the repair of the finding under the cursor, or else
// of the worst one that has a repair.
func (m *Model) mendable() string {
	if f, ok := m.findings.Finding(); ok && m.focused().ID() == m.findings.ID() {
		return f.Repair
	}
	for _, f := range m.findings.Bad() {
		if f.Repair != "" {
			return f.Repair
		}
	}
	return ""
}

func (m *Model) needMendable() string { return need(m.mendable() != "", m.t.Why.NothingToMend)() }

func (m *Model) mendPlan() Plan {
	id := m.mendable()
	return func(ctx context.Context) (repair.Plan, error) { return m.o.Plans.ByFinding(ctx, id) }
}
