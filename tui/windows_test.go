package tui

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"flatnet/core/kernel"
	"flatnet/core/windows"
	"flatnet/testdata/example"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
	"flatnet/tui/pane"
)

// with adds routes to the stand-in's table.
func with(routes ...standin.Route) func(*standin.State) {
	return func(s *standin.State) { s.Active = append(s.Active, routes...) }
}

func standinRoute(dst, gateway, iface string, metric int) standin.Route {
	return standin.Route{
		Destination: netip.MustParsePrefix(dst), Gateway: netip.MustParseAddr(gateway), Interface: netip.MustParseAddr(iface), Metric: metric,
	}
}

// without takes Flatnet's route away, and adds others.
func without(routes ...standin.Route) func(*standin.State) {
	return func(s *standin.State) { s.Active = append(s.Active[:1:1], append(s.Active[2:], routes...)...) }
}

// TestTheConsoleOnEachWindows: every state that the stand-in can be in, and
// every way in which it can fail, as the pane shows it: the evidence and what
// to do about it, and nothing good where nothing is known.
func TestTheConsoleOnEachWindows(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*standin.State)
		shows  []string
		state  windows.State
	}{
		"good":            {nil, []string{"172.27.224.53", "nat"}, windows.OK},
		"Japanese":        {func(s *standin.State) { s.Language = "ja" }, []string{"172.27.224.53"}, windows.OK},
		"missing":         {without(), []string{"missing", "Windows has no route", "key W"}, windows.Fail},
		"VPN":             {without(standinRoute("10.0.0.0/8", "10.8.0.1", "10.8.0.2", 1)), []string{"10.8.0.2", "key W"}, windows.Fail},
		"old address":     {without(standinRoute("10.87.1.0/24", "172.27.230.7", "172.27.224.1", 16)), []string{"172.27.230.7", "key W"}, windows.Fail},
		"shadowed":        {with(standinRoute("10.87.1.128/25", "10.8.0.1", "10.8.0.2", 1)), []string{"10.87.1.128/25", "VPN"}, windows.Fail},
		"duplicate":       {with(standinRoute("10.87.1.0/24", "172.27.230.7", "172.27.224.1", 90)), []string{"172.27.230.7"}, windows.Warn},
		"mirrored":        {func(s *standin.State) { s.Mode = "mirrored" }, []string{"mirrored", "publish"}, windows.Fail},
		"the bridge dead": {func(s *standin.State) { s.Dead = []string{"10.87.1.1"} }, []string{"10.87.1.1", "not answered"}, windows.Warn},
		"garbage":         {windowstest.Fault("route.exe", standin.Garbage), []string{"cannot be used", "by hand"}, windows.Unknown},
		"cut off":         {windowstest.Fault("route.exe", standin.Cut), []string{"cannot be used"}, windows.Unknown},
		"died":            {windowstest.Fault("route.exe", standin.Die), []string{"cannot be used"}, windows.Unknown},
		"denied":          {windowstest.Fault("route.exe", standin.Denied), []string{"denied", "administrator"}, windows.Unknown},
		"interop dead":    {windowstest.Fault("*", standin.Broken), []string{"WSL_INTEROP", "wsl --shutdown"}, windows.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := windowstest.New(t, c.change)
			st, err := w.System.Look(context.Background())
			if st.State != c.state {
				t.Fatalf("%s, %+v", st.State, st)
			}
			o := exampleOptions(false)
			o.Sources.Windows, o.Now = always(st, err), w.Clock.Now
			d := newDriver(t, o, 200, 60)
			d.start()
			d.keys("3", "z")
			screen := strings.Join(strings.Fields(d.screen()), " ")
			for _, want := range c.shows {
				if !strings.Contains(screen, want) {
					t.Errorf("the screen lacks %q:\n%s", want, d.screen())
				}
			}
		})
	}
}

// hungWindows is a Windows that hangs for real: its route.exe never ends.
func hungWindows(root string) pane.Source[windows.Status] {
	c := example.Config()
	c.Windows.SystemRoot, c.Windows.Timeout = root, time.Minute
	return windows.New(windows.Options{Config: c.Windows, Network: c.Network, Kernel: kernel.NewFake(), FirstLimit: time.Minute}).Look
}

// BenchmarkKey measures from a key to its effect on the screen, and to the
// terminal, while a look at Windows is stuck and while nothing is: the one
// must cost no more than the other. A person feels nothing below 50 ms.
func BenchmarkKey(b *testing.B) {
	for _, flaws := range []string{"", "windows"} {
		b.Run("windows="+flaws, func(b *testing.B) {
			root := b.TempDir()
			self, err := os.Executable()
			must(b, err)
			s := standin.Lab()
			windowstest.Fault("route.exe", standin.Hang)(&s)
			must(b, standin.Install(root, self, s))
			term := console(b, flaws, 120, 40, "FLATNET_WINDOWS="+root)
			must(b, term.WaitFor("3 missing", patience))
			for b.Loop() {
				must(b, term.Type("2"))
				must(b, term.WaitFor("┏━ Leases", patience)) // the focused frame is heavy
				must(b, term.Type("1"))
				must(b, term.WaitFor("┏━ Bridge", patience))
			}
		})
	}
}
