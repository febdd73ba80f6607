package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"flatnet/core/health"
	"flatnet/core/leases"
	"flatnet/core/windows"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
)

// always gives the same answer.
func always[T any](v T, err error) pane.Source[T] {
	return func(context.Context) (T, error) { return v, err }
}

var errLook = errors.New("cannot read the state: permission denied")

// exampleOptions are those of the example network.
func exampleOptions(broken bool) Options {
	return Options{
		Config: example.Config(),
		Sources: pane.Sources{
			Bridge:    always(example.Bridge(broken), nil),
			Leases:    always(example.Leases(), nil),
			Windows:   always(example.Windows(broken), nil),
			Upstreams: always(example.Upstreams(broken), nil),
		},
		Findings: always(example.Findings(broken), nil),
		Now:      example.Now,
		Environ:  []string{"TERM=xterm-256color", "LANG=en_US.UTF-8"},
	}
}

// emptyOptions see a machine with nothing on it.
func emptyOptions() Options {
	o := exampleOptions(false)
	o.Sources = pane.Sources{
		Bridge:    always(pane.BridgeView{}, nil),
		Leases:    always([]leases.Status(nil), nil),
		Windows:   always(windows.Status{}, nil),
		Upstreams: always(pane.UpstreamsView{}, nil),
	}
	return o
}

// failingOptions see nothing at all.
func failingOptions() Options {
	o := exampleOptions(false)
	o.Sources = pane.Sources{
		Bridge:    always(pane.BridgeView{}, errLook),
		Leases:    always([]leases.Status(nil), errLook),
		Windows:   always(windows.Status{}, errLook),
		Upstreams: always(pane.UpstreamsView{}, errLook),
	}
	o.Findings = always([]health.Finding(nil), errLook)
	return o
}

// driver runs a model as Bubble Tea would, one message after the other.
type driver struct {
	t testing.TB
	m *Model
	// ticks that commands asked for are not run: tests tick by hand.
	sent []tea.Msg
}

func newDriver(t testing.TB, o Options, width, height int) *driver {
	t.Helper()
	d := &driver{t: t, m: New(o)}
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	return d
}

// start has all panes look and takes in what they see.
func (d *driver) start() *driver {
	d.run(d.m.refreshAll(false))
	return d
}

// send gives the model a message and runs what it asks for.
func (d *driver) send(msg tea.Msg) {
	d.t.Helper()
	_, cmd := d.m.Update(msg)
	d.run(cmd)
}

// run runs a command and all that follow from it; one that does not end soon
// is a tick.
func (d *driver) run(cmd tea.Cmd) {
	d.t.Helper()
	d.runAll([]tea.Cmd{cmd})
}

// runAll runs commands side by side, as Bubble Tea does.
func (d *driver) runAll(cmds []tea.Cmd) {
	d.t.Helper()
	messages := make(chan tea.Msg, len(cmds))
	running := 0
	for _, c := range cmds {
		if c != nil {
			running++
			go func() { messages <- c() }()
		}
	}
	for range running {
		select {
		case msg := <-messages:
			d.take(msg)
		case <-time.After(time.Second):
			return
		}
	}
}

func (d *driver) take(msg tea.Msg) {
	d.t.Helper()
	switch msg := msg.(type) {
	case nil:
	case tea.BatchMsg:
		d.runAll(msg)
	default:
		d.sent = append(d.sent, msg)
		d.send(msg)
	}
}

// keys types keys, each as Bubble Tea names it.
func (d *driver) keys(keys ...string) *driver {
	d.t.Helper()
	for _, k := range keys {
		d.send(press(k))
	}
	return d
}

// press makes the message of a key.
func press(k string) tea.KeyPressMsg {
	special := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd, "space": tea.KeySpace, "backspace": tea.KeyBackspace,
	}
	if code, ok := special[k]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if rest, ok := strings.CutPrefix(k, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: []rune(rest)[0], Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
}

// screen is what is drawn, without colours.
func (d *driver) screen() string { return ansi.Strip(d.m.View().Content) }

func contains(s, sub string) bool { return strings.Contains(s, sub) }

func index(s, sub string) int { return strings.Index(s, sub) }
