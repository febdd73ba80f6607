package command

import (
	"context"
	"os"
	"time"

	"flatnet/core"
	"flatnet/core/bundle"
	"flatnet/core/health"
	"flatnet/core/leases"
	"flatnet/core/say"
	"flatnet/core/windows"
	"flatnet/tui"
	"flatnet/tui/pane"
)

// replay shows an incident bundle as the console showed, or would have shown,
// the machine it is from. Nothing is looked at and nothing can be changed.
func (a *App) replay(ctx context.Context, o ConsoleOptions) error {
	b, err := readBundle(o.Replay)
	if err != nil {
		return err
	}
	if !a.Screen {
		findings := health.Evaluate(b.Facts)
		if err := printStatus(a.Out, report(b.Facts, findings), b.Facts); err != nil {
			return err
		}
		return failing(findings)
	}
	opts := replayed(b)
	opts.Theme = o.Theme
	opts.Notice = o.Replay
	opts.Environ, opts.In, opts.Out = a.Environ, a.In, a.Out
	return a.Console(ctx, opts)
}

func readBundle(name string) (bundle.Bundle, error) {
	f, err := os.Open(name)
	if err != nil {
		return bundle.Bundle{}, &core.OpError{Op: "open the bundle", Target: name, Err: err}
	}
	defer func() { _ = f.Close() }()
	return bundle.Read(f)
}

// replayed gives the console a bundle to show: its clock stands still.
func replayed(b bundle.Bundle) tui.Options {
	f := b.Facts
	return tui.Options{
		Config: f.Config,
		Sources: pane.Sources{
			Bridge: func(context.Context) (pane.BridgeView, error) {
				return pane.BridgeView{Bridge: f.Bridge.Value, Firewall: f.Firewall}, failure(f.Bridge)
			},
			Leases:  func(context.Context) ([]leases.Status, error) { return f.Leases.Value, failure(f.Leases) },
			Windows: func(context.Context) (windows.Status, error) { return f.Windows.Value, failure(f.Windows) },
			Upstreams: func(context.Context) (pane.UpstreamsView, error) {
				v := pane.UpstreamsView{Gateway: f.Gateway}
				for _, p := range f.Probes.Value {
					v.Probes = append(v.Probes, pane.Upstream{Probe: p})
				}
				return v, failure(f.Probes)
			},
		},
		Findings: func(context.Context) ([]health.Finding, error) { return health.NotOK(b.Findings), nil },
		Tools:    tui.Tools{Path: pathsOf(b)},
		Now:      func() time.Time { return f.Time },
		ReadOnly: true,
	}
}

// failure is why a part was not seen, nil if it was.
func failure[T any](s health.Seen[T]) error {
	switch {
	case s.Known():
		return nil
	case s.Err == "":
		return say.New("it was not looked at")
	}
	return say.New(s.Err)
}

// pathsOf gives the paths as they were followed then.
func pathsOf(b bundle.Bundle) func(context.Context, string, tui.Progress) ([]tui.PathHop, error) {
	return func(_ context.Context, host string, _ tui.Progress) ([]tui.PathHop, error) {
		p, ok := b.PathTo(host)
		if !ok {
			return nil, say.Errorf("the bundle holds no path to %s", host)
		}
		return consoleHops(p), nil
	}
}
