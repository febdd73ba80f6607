// Package tui is the console: four panes over what core and the probes see,
// and keys for what a person can do about it. The root sizes, focuses and
// routes; what a pane shows is in tui/pane, how it is drawn in tui/widget,
// every text in tui/text.
//
// It changes nothing by itself: it asks for a plan (core/repair), shows it,
// and applies it when the person says so.
package tui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"
)

// Run shows the console until it is left or ctx ends, and puts the terminal
// back as it was. It returns when no change is under way any more: a closed
// connection ends the console between two steps, never within one.
func Run(ctx context.Context, o Options) error {
	if o.Plain || o.getenv("TERM") == "dumb" {
		return Plain(ctx, o)
	}
	m := New(o)
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithFPS(framesPerSecond)}
	if o.In != nil {
		opts = append(opts, tea.WithInput(o.In))
	}
	if o.Out != nil {
		opts = append(opts, tea.WithOutput(o.Out))
	}
	if o.Environ != nil {
		opts = append(opts, tea.WithEnvironment(o.Environ))
	}
	defer guard()()
	p := paced{m, &pace{}}
	p.pace.program = tea.NewProgram(p, opts...)
	_, err := p.pace.program.Run()
	m.stop()
	m.jobs.wait()
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		return nil
	}
	return err
}

// stop has what is under way end after its present step.
func (m *Model) stop() {
	if m.job != nil {
		m.job.cancel(nil)
	}
}
