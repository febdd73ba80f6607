package repair_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flatnet/core/journal"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
)

var subnetHalf = netip.MustParsePrefix("10.87.1.128/25")

// diary keeps what is journalled.
type diary []journal.Entry

func (d *diary) Append(_ context.Context, entries ...journal.Entry) error {
	*d = append(*d, entries...)
	return nil
}

// oldRoute is a Windows whose route leads to an address that WSL had before.
func oldRoute(t *testing.T, change func(*standin.State)) *windowstest.World {
	t.Helper()
	return windowstest.New(t, func(s *standin.State) {
		*s = standin.AfterRestart()
		s.Live, s.Tasks, s.TaskDelay = false, nil, 0
		if change != nil {
			change(s)
		}
	})
}

// deploy writes the scripts, so that a plan is about the route alone.
func deploy(t *testing.T, w *windowstest.World) {
	t.Helper()
	stale, err := w.System.StaleScripts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stale {
		if err := w.System.WriteScript(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func planRoute(t *testing.T, w *windowstest.World) repair.Plan {
	t.Helper()
	p, err := repair.Route(context.Background(), w.System)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func commands(p repair.Plan) []string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, s.Command)
	}
	return all
}

func TestRouteTakesTheBestWayThatIsOpen(t *testing.T) {
	const (
		add    = "route.exe add 10.87.1.0 mask 255.255.255.0 172.27.224.53 metric 1"
		remove = "route.exe delete 10.87.1.0 mask 255.255.255.0 172.27.230.118"
		task   = `schtasks.exe /run /tn '\Flatnet\route-now'`
	)
	withTask := func(s *standin.State) { s.Tasks = []string{windows.Task} }
	elevated := func(s *standin.State) { s.Elevated = true }
	for name, c := range map[string]struct {
		change func(*standin.State)
		steps  []string
		byHand string
	}{
		"task":     {withTask, []string{task}, ""},
		"both":     {func(s *standin.State) { withTask(s); elevated(s) }, []string{task}, ""},
		"elevated": {elevated, []string{add, remove}, ""},
		"neither":  {nil, nil, add + "; " + remove},
		"hanging":  {windowstest.Fault("schtasks.exe", standin.Broken), nil, add + "; " + remove},
		"unseen": {func(s *standin.State) {
			elevated(s)
			windowstest.Fault("whoami.exe", standin.Garbage)(s)
		}, []string{add, remove}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := oldRoute(t, c.change)
			deploy(t, w)
			p := planRoute(t, w)
			if !slices.Equal(commands(p), c.steps) || p.ByHand != c.byHand {
				t.Fatalf("steps %q, by hand %q; want %q, %q", commands(p), p.ByHand, c.steps, c.byHand)
			}
			if notes := say.Join(" ", p.Notes...).String(); slices.Equal(c.steps, []string{task}) && !strings.Contains(notes, add+"; "+remove) {
				t.Errorf("what to do if the task fails is not said: %s", notes)
			}
			var d diary
			report, err := repair.Apply(context.Background(), p, repair.Options{By: "test", Journal: &d, Now: w.Clock.Now})
			if err != nil || len(report.Applied) != len(c.steps) {
				t.Fatalf("%d steps applied, %v", len(report.Applied), err)
			}
			if c.byHand != "" {
				return
			}
			if d[0].Action != repair.RouteID || d[0].Before != "172.27.230.118" || d[0].After != "172.27.224.53" {
				t.Errorf("journalled %+v", d)
			}
			if again := planRoute(t, w); len(again.Steps) != 0 || again.ByHand != "" {
				t.Errorf("afterwards there is still to do: %q", commands(again))
			}
		})
	}
}

func TestRouteDeploysTheScripts(t *testing.T) {
	w := windowstest.New(t, nil)
	p := planRoute(t, w)
	if len(p.Steps) != 2 || !strings.Contains(p.Steps[0].Text.String(), windows.SetupRoute) || !strings.Contains(p.Steps[1].Text.String(), windows.RegisterTasks) {
		t.Fatalf("%+v", p.Steps)
	}
	if _, err := repair.Apply(context.Background(), p, repair.Options{}); err != nil {
		t.Fatal(err)
	}
	if p := planRoute(t, w); len(p.Steps) != 0 || len(p.Notes) == 0 || p.Unmended {
		t.Errorf("all is good: %+v", p)
	}
}

// A drive that cannot be written does not keep the route from being mended.
func TestRouteIsMendedBeforeTheScripts(t *testing.T) {
	w := oldRoute(t, func(s *standin.State) { s.Elevated = true })
	root := w.Options.Config.Root
	if err := errors.Join(os.MkdirAll(root, 0o755), os.Symlink("/proc/nowhere/scripts", filepath.Join(root, "scripts"))); err != nil {
		t.Fatal(err)
	}
	if _, err := repair.Apply(context.Background(), planRoute(t, w), repair.Options{}); err == nil || !strings.Contains(err.Error(), windows.SetupRoute) {
		t.Errorf("the scripts: %v", err)
	}
	if st, err := w.System.Look(context.Background()); err != nil || st.Verdict.Kind != windows.Good {
		t.Errorf("the route is %s, %v", st.Verdict.Kind, err)
	}
}

// A step that Windows did not carry out is a failure, whatever it answered.
func TestRouteThatIsNotMended(t *testing.T) {
	w := oldRoute(t, func(s *standin.State) { s.Elevated = true })
	deploy(t, w)
	p := planRoute(t, w)
	w.Change(t, func(s *standin.State) { s.Elevated = false })
	var d diary
	report, err := repair.Apply(context.Background(), p, repair.Options{Journal: &d})
	if !errors.Is(err, windows.ErrDenied) || report.Failed == nil {
		t.Fatalf("%v, %+v", err, report)
	}
	if len(d) != 1 || d[0].Err == "" {
		t.Errorf("journalled %+v, want one failed step", d)
	}
}

func TestRouteFindsThatThingsHaveChanged(t *testing.T) {
	w := oldRoute(t, func(s *standin.State) { s.Elevated = true })
	deploy(t, w)
	p := planRoute(t, w)
	w.Change(t, func(s *standin.State) { s.Active = standin.Lab().Active })
	if _, err := repair.Apply(context.Background(), p, repair.Options{}); !errors.Is(err, repair.ErrChanged) {
		t.Errorf("error %v, want that things have changed", err)
	}
	if n := len(w.Calls(t, "route.exe")); n != 2 {
		t.Errorf("route.exe ran %d times, want only the two looks", n)
	}
}

func TestRouteWhereNothingCanBeDone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*standin.State)
		says   string
	}{
		"mirrored":      {func(s *standin.State) { s.Mode = "mirrored" }, "publish the containers' ports"},
		"more specific": {narrower, "10.87.1.128/25"},
	} {
		w := windowstest.New(t, c.change)
		deploy(t, w)
		p := planRoute(t, w)
		if len(p.Steps) != 0 || p.ByHand != "" || !p.Unmended || !strings.Contains(say.Join(" ", p.Notes...).String(), c.says) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	w := windowstest.New(t, windowstest.Fault("route.exe", standin.Broken))
	if _, err := repair.Route(context.Background(), w.System); !errors.Is(err, windows.ErrSocket) {
		t.Errorf("Windows cannot be asked: %v", err)
	}
}

// narrower adds a VPN's route to half of the subnet.
func narrower(s *standin.State) {
	vpn := s.Active[0]
	vpn.Destination, vpn.Metric = subnetHalf, 1
	s.Active = append(s.Active, vpn)
}
