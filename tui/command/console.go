package command

import (
	"context"
	"sync"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/health"
	"flatnet/core/leases"
	"flatnet/core/windows"
	"flatnet/tui"
	"flatnet/tui/monitor"
	"flatnet/tui/pane"
)

// openConsole opens the console on the configured parts and probes while it
// is open. Without a terminal it prints the status once.
func (a *App) openConsole(ctx context.Context, o ConsoleOptions) error {
	if !a.Screen && !o.Plain && o.Replay == "" {
		return a.status(ctx, false)
	}
	if o.Replay != "" {
		return a.replay(ctx, o)
	}
	p, err := a.parts()
	if err != nil {
		return err
	}
	l := &live{app: a, options: o, begin: func(p *Parts) func() { return a.beside(ctx, p, o) }}
	opts := l.start(p)
	defer l.stop()
	return a.Console(ctx, opts)
}

// beside runs what goes on while the console is open: the probes, the gateway
// following the containers, and the names of containers. It gives what ends them.
func (a *App) beside(ctx context.Context, p *Parts, o ConsoleOptions) (end func()) {
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	running.Go(func() { p.Monitor.Run(ctx) })
	if !o.ReadOnly && !p.Config.TUI.ReadOnly {
		quiet := func(string) {} // the panes say what is wrong
		f := follower{app: a, by: "console", report: quiet, keeper: newKeeper(a, "console", quiet, keptNames())}
		running.Go(func() { _ = f.run(ctx, p) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// console gives the console what it looks at and can ask for.
func (p *Parts) console(o ConsoleOptions) tui.Options {
	s := &seen{parts: p}
	ask := func(ctx context.Context, told tui.Progress) error { return p.Monitor.AskAgain(ctx, told) }
	return tui.Options{
		Config:   p.Config,
		Sources:  pane.Sources{Bridge: s.bridge, Leases: s.leases, Windows: s.windows, Upstreams: s.upstreams},
		Findings: s.findings,
		Plans:    p.plans(),
		Journal:  p.Journal,
		Tools:    tui.Tools{ProbeNow: p.Monitor.ProbeNow, AskAgain: ask, Path: p.followForConsole, Bundle: p.bundleForConsole},
		Now:      p.Now,
		ReadOnly: o.ReadOnly || p.Config.TUI.ReadOnly,
		Plain:    o.Plain,
		Theme:    o.Theme,
	}
}

// seen looks for the panes and keeps what each saw last, so that the findings
// are judged on what the screen shows.
type seen struct {
	parts *Parts

	mu    sync.Mutex
	facts health.Facts
}

// keep writes a look's result down; a failed one is unknown, never good.
func keep[T any](s *seen, into *health.Seen[T], v T, err error) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*into = health.Look(s.parts.Now(), v, err)
	return v, err
}

func (s *seen) bridge(ctx context.Context) (pane.BridgeView, error) {
	p := s.parts
	rules, err := p.Rules.Look(ctx, p.Kernel, p.rules(ctx))
	_, _ = keep(s, &s.facts.Firewall, rules, err)
	b, bridgeErr := bridge.Look(ctx, p.Kernel, p.Config.Network)
	b, bridgeErr = keep(s, &s.facts.Bridge, b, bridgeErr)
	return pane.BridgeView{Bridge: b, Firewall: health.Look(p.Now(), rules, err)}, bridgeErr
}

func (s *seen) leases(ctx context.Context) ([]leases.Status, error) {
	all, err := leases.Look(ctx, s.parts.leases().Sources)
	return keep(s, &s.facts.Leases, all, err)
}

func (s *seen) windows(ctx context.Context) (windows.Status, error) {
	if pane.Insisted(ctx) {
		s.parts.Windows.TryNow()
	}
	st, err := s.parts.Windows.Look(ctx)
	return keep(s, &s.facts.Windows, st, err)
}

// upstreams looks at the gateway and tells the monitor what is to be probed
// from now on.
func (s *seen) upstreams(ctx context.Context) (pane.UpstreamsView, error) {
	p := s.parts
	g, err := p.Gateway.Look(ctx)
	_, _ = keep(s, &s.facts.Gateway, g, err)
	view := pane.UpstreamsView{Gateway: health.Look(p.Now(), g, err)}

	around := monitor.Around{Sites: g.Sites, Windows: p.WindowsAddress(ctx)}
	around.HealthURL = p.Config.Gateway.HealthAt(around.Windows)
	if err == nil { // else what is probed stays as it is
		p.Monitor.Watch(monitor.Targets(p.Config, around))
	}

	var plain []health.Probe
	for _, w := range p.Monitor.Seen() {
		plain = append(plain, w.Probe)
		view.Probes = append(view.Probes, pane.Upstream{Probe: w.Probe, Spark: w.Spark})
	}
	_, _ = keep(s, &s.facts.Probes, plain, nil)
	return view, nil
}

// findings judges what was seen last, together with looks at names, Podman and
// the machine that no pane shows.
func (s *seen) findings(ctx context.Context) ([]health.Finding, error) {
	p := s.parts
	looks := p.looks()
	if s.machineIsFresh() {
		looks.Host = nil
	}
	rest := health.Gather(ctx, health.Request{
		Version: p.Version, Config: p.Config, Limit: p.limit(), Now: p.Now,
		Looks: health.Looks{Names: looks.Names, Podman: looks.Podman, Host: looks.Host},
	})
	s.mu.Lock()
	if looks.Host != nil {
		s.facts.Host = rest.Host
	}
	f := s.facts
	s.mu.Unlock()
	f.Time, f.Version, f.Config, f.Names, f.Podman = rest.Time, rest.Version, rest.Config, rest.Names, rest.Podman
	return health.NotOK(health.Evaluate(f)), nil
}

// machineEvery is the least time between two looks at the machine's files and
// disks: they change with an installation, not with a container.
const machineEvery = 10 * time.Second

func (s *seen) machineIsFresh() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := s.parts.Now().Sub(s.facts.Host.At) // a clock that was set back makes it negative
	return age >= 0 && age < machineEvery
}
