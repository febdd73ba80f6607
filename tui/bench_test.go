package tui

import (
	"context"
	"slices"
	"testing"
	"time"

	"flatnet/core/leases"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
)

// BenchmarkKeyToScreen is how long it takes from a key to the drawn screen
// with 10,000 leases. p99 is reported beside the mean.
func BenchmarkKeyToScreen(b *testing.B) {
	for name, keys := range map[string][]string{
		"move": {"down"}, "page": {"pgdown", "pgdown", "home"}, "sort": {"s"}, "filter": {"/", "s", "4", "2", "esc"}, "mark-all": {"*"},
	} {
		b.Run(name, func(b *testing.B) {
			o := exampleOptions(true)
			o.Sources.Leases = always(example.ManyLeases(10_000), nil)
			d := newDriver(b, o, 120, 40).start()
			d.keys("2")
			took := make([]time.Duration, 0, 1024)
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				_, _ = d.m.Update(press(keys[i%len(keys)]))
				_ = d.m.View()
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkRefresh is one look at 10,000 leases, and the screen after it.
func BenchmarkRefresh(b *testing.B) {
	o := exampleOptions(true)
	o.Sources.Leases = always(example.ManyLeases(10_000), nil)
	d := newDriver(b, o, 120, 40).start()
	for b.Loop() {
		d.run(d.m.panes[1].Refresh(false))
		_ = d.m.View()
		d.sent = d.sent[:0]
	}
}

// BenchmarkOneChange is how many bytes a change of one value sends to the
// terminal: a lease's name, once a look. No name here is Japanese: ultraviolet
// paints a row that has a wide character whole whenever anything in it changes
// (paintLine and lineHasDrift in its terminal_renderer.go), in every mode,
// because terminals disagree about widths. Our padding has no part in that.
func BenchmarkOneChange(b *testing.B) {
	term := console(b, "flip", 120, 40)
	must(b, term.WaitFor("first-name", patience))
	for b.Loop() {
		before := term.Bytes()
		must(b, term.WaitFor("other-name", patience))
		must(b, term.WaitFor("first-name", patience))
		b.ReportMetric(float64(term.Bytes()-before)/2, "B/change")
	}
}

// flipping gives one lease another name at each look.
func flipping() pane.Source[[]leases.Status] {
	n := 0
	return func(context.Context) ([]leases.Status, error) {
		n++
		all := example.Leases()
		all[2].Name = "reception" // see BenchmarkOneChange
		all[0].Name = []string{"first-name", "other-name"}[n%2]
		return all, nil
	}
}
