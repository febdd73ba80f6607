// Package monitor probes what matters to this network and turns the results
// into the plain values that core works with: health.Probe for checks and
// panes, gateway.Health for leaving a dead server out. The probing itself is
// package probes, the judging core/health.
package monitor

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/say"
	"flatnet/probes"
)

// Monitor probes for as long as it runs.
type Monitor struct {
	schedule *probes.Schedule

	mu      sync.Mutex
	watched map[string]Watched // by target ID
	running int                // calls of Run, and of Ask in its place
}

// New makes a Monitor with the configured interval and time limit. It probes
// nothing until Run.
func New(c config.Probes, probers probes.Probers, now func() time.Time) *Monitor {
	return &Monitor{
		schedule: probes.NewSchedule(probes.Options{Probers: probers, Interval: c.Interval, Timeout: c.Timeout, Now: now}),
		watched:  map[string]Watched{},
	}
}

// Run probes until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	m.count(1)
	defer m.count(-1)
	m.schedule.Run(ctx)
}

// count takes part in how often the Monitor runs, and gives how often it did.
func (m *Monitor) count(more int) (before int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running += more
	return m.running - more
}

// Ask is Watch that waits until everything has been asked at least once, or
// ctx ends. It probes itself while nobody runs the Monitor.
func (m *Monitor) Ask(ctx context.Context, all []Watched) {
	m.Watch(all)
	defer m.count(-1)
	if m.count(1) > 0 {
		m.schedule.Asked(ctx)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var probing sync.WaitGroup
	probing.Go(func() { m.schedule.Run(ctx) })
	m.schedule.Asked(ctx)
	cancel()
	probing.Wait()
}

// Watch replaces what is probed; what stays keeps its history.
func (m *Monitor) Watch(all []Watched) {
	targets := make([]probes.Target, 0, len(all))
	watched := make(map[string]Watched, len(all))
	for _, w := range all {
		targets = append(targets, w.Target)
		watched[w.ID()] = w
	}
	m.mu.Lock()
	m.watched = watched
	m.mu.Unlock()
	m.schedule.Set(targets)
}

// ProbeNow asks the targets of these names at once, all of them if none is
// named.
func (m *Monitor) ProbeNow(names ...string) { m.schedule.ProbeNow(names...) }

// AskAgain asks everything at once and waits for the answers, or until ctx
// ends; told is called with how many have come. Somebody has to run the Monitor.
func (m *Monitor) AskAgain(ctx context.Context, told func(done, total int)) error {
	return m.schedule.AskAgain(ctx, told)
}

// Seen is one probed thing with its newest latencies, in milliseconds and
// oldest first; NaN where no answer came.
type Seen struct {
	health.Probe
	Spark []float64
}

// sparkLength is how many results a sparkline shows.
const sparkLength = 30

// Seen gives everything that is probed and what is known of it.
func (m *Monitor) Seen() []Seen {
	m.mu.Lock()
	watched := m.watched
	m.mu.Unlock()
	var out []Seen
	for _, r := range m.schedule.Reports() {
		w, ok := watched[r.Target.ID()]
		if !ok {
			continue
		}
		out = append(out, Seen{Probe: describe(w, &r.History), Spark: r.History.Sparkline(sparkLength)})
	}
	return out
}

// Health gives what the probes say of each server behind a site. A server
// that was not asked yet is not in it.
func (m *Monitor) Health() map[netip.AddrPort]gateway.Health {
	m.mu.Lock()
	watched := m.watched
	m.mu.Unlock()
	out := map[netip.AddrPort]gateway.Health{}
	for _, r := range m.schedule.Reports() {
		w, ok := watched[r.Target.ID()]
		last, asked := r.History.Last()
		if !ok || !asked || !w.Server.IsValid() || last.State == probes.Unknown {
			continue
		}
		// A server that answers is asked, whatever it answers: its errors are
		// the application's own, and one at "/" says nothing of the rest.
		h := gateway.Health{Down: last.State == probes.Down && last.Status == 0, Since: r.History.Since()}
		if h.Down {
			h.Reason = detail(last)
		}
		out[w.Server] = h
	}
	return out
}

// Once asks everything once, side by side, and gives what is known then.
func Once(ctx context.Context, probers probes.Probers, c config.Probes, all []Watched) []health.Probe {
	targets := make([]probes.Target, len(all))
	for i, w := range all {
		targets[i] = w.Target
		targets[i].Timeout = c.Timeout
	}
	out := make([]health.Probe, len(all))
	for i, r := range probes.Once(ctx, probers, targets) {
		var h probes.History
		h.Add(r)
		out[i] = describe(all[i], &h)
	}
	return out
}

// describe writes a history down as plain values.
func describe(w Watched, h *probes.History) health.Probe {
	p := health.Probe{
		Name: w.Name, Kind: string(w.Kind), Target: w.Address, Role: w.Role, Host: w.Host,
		State: health.Unknown, Detail: "not asked yet", Since: h.Since(),
	}
	last, ok := h.Last()
	if !ok {
		return p
	}
	p.State, p.Cause, p.Detail = state(last.State), string(last.Cause), detail(last)
	p.Status, p.At = last.Status, last.At
	if last.State == probes.Up {
		p.LatencyMS = milliseconds(last.Latency)
	}
	if v, ok := h.Percentile(0.5); ok {
		p.P50MS = milliseconds(v)
	}
	if v, ok := h.Percentile(0.99); ok {
		p.P99MS = milliseconds(v)
	}
	if v, ok := h.Loss(); ok {
		p.Loss = &v
	}
	if !last.ServerTime.IsZero() {
		skew := last.ServerTime.Sub(last.At)
		p.Skew = &skew
	}
	return p
}

// detail gives what a probe says, which knows no language, the form that can be
// said in another one.
func detail(r probes.Result) say.Text {
	return say.Read(r.Detail,
		"stopped before it was answered",
		"no answer within %s",
		"connection refused: nothing listens on this port",
		"it took the connection and did not answer within %s",
		"status %d, wanted %d to %d",
		"%s is not in the first %d bytes of the answer",
		"this user may not send ICMP: run as root, or let the group in by net.ipv4.ping_group_range",
		"address does not fit the kind of probe: %s is not host:port",
		"address does not fit the kind of probe: %s is not an http or https URL",
		"address does not fit the kind of probe: %s is neither an address nor a host name",
		"lookup %s: no such host",
	)
}

func state(s probes.State) health.Severity {
	switch s {
	case probes.Up:
		return health.OK
	case probes.Down:
		return health.Fail
	case probes.Unknown:
		return health.Unknown
	}
	return health.Unknown
}

func milliseconds(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
