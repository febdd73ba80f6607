package windows_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/kernel"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
)

func TestChanges(t *testing.T) {
	ours := entry("10.87.1.0/24", "172.27.224.53", "172.27.224.1", 16)
	old := entry("10.87.1.0/24", "172.27.230.7", "172.27.224.1", 16)
	type e = []windows.Entry
	const (
		add       = "route.exe add 10.87.1.0 mask 255.255.255.0 172.27.224.53 metric 1"
		removeOld = "route.exe delete 10.87.1.0 mask 255.255.255.0 172.27.230.7"
		removeAll = "route.exe delete 10.87.1.0 mask 255.255.255.0"
	)
	for name, c := range map[string]struct {
		active, persistent e
		want               []string
	}{
		"good":                 {e{ours}, nil, nil},
		"missing":              {nil, nil, []string{add}},
		"old":                  {e{old}, nil, []string{add, removeOld}},
		"both":                 {e{old, ours}, nil, []string{removeOld}},
		"ours twice":           {e{ours, ours}, nil, []string{removeAll, add}},
		"on-link":              {e{entry("10.87.1.0/24", "", "10.8.0.2", 1)}, nil, []string{removeAll, add}},
		"Windows is on it":     {e{entry("10.87.1.0/24", "", "10.87.1.77", 291), old}, nil, nil},
		"persistent disagrees": {e{ours}, e{entry("10.87.1.0/24", "172.27.230.7", "", 1)}, []string{removeOld}},
		"old, persistent too":  {e{old}, e{entry("10.87.1.0/24", "172.27.230.7", "", 1)}, []string{add, removeOld}},
		"others are not ours":  {e{ours, entry("10.0.0.0/8", "10.8.0.1", "10.8.0.2", 1), entry("10.87.1.0/25", "10.8.0.1", "10.8.0.2", 1)}, nil, nil},
	} {
		var got []string
		for _, c := range windows.Changes(windows.Table{Active: append(base(), c.active...), Persistent: c.persistent}, subnet, wslAddr) {
			got = append(got, c.Command())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestMaskAgreesWithNetip(t *testing.T) {
	for bits := range 33 {
		p := netip.PrefixFrom(netip.MustParseAddr("255.255.255.255"), bits)
		if got := windows.Mask(bits); got != p.Masked().Addr() {
			t.Errorf("/%d is %s, want %s", bits, got, p.Masked().Addr())
		}
	}
}

// What route.exe answers counts for nothing: the table does.
func TestChangeLooksAtTheTable(t *testing.T) {
	add := windows.Change{Add: true, Destination: subnet, Gateway: wslAddr}
	old := windows.Change{Destination: subnet, Gateway: netip.MustParseAddr("172.27.230.118")}
	afterRestart := func(elevated bool) *windowstest.World {
		return windowstest.New(t, func(s *standin.State) {
			*s = standin.AfterRestart()
			s.Live, s.Elevated, s.Language = false, elevated, "ja"
		})
	}
	w := afterRestart(false)
	err := w.System.Change(context.Background(), add)
	if !errors.Is(err, windows.ErrDenied) || core.Hint(err) == "" {
		t.Errorf("without elevation: %v, hint %q; want that it was denied, with what to do", err, core.Hint(err).String())
	}
	w = afterRestart(true)
	for _, c := range []windows.Change{add, old} {
		if err := w.System.Change(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	st, err := w.System.Look(context.Background())
	if err != nil || st.Verdict.Kind != windows.Good || st.State != windows.OK {
		t.Errorf("afterwards %v, %+v", err, st)
	}
	w.Change(t, windowstest.Fault("route.exe", standin.Silent))
	if err := w.System.Change(context.Background(), add); err == nil {
		t.Error("a table that cannot be read again passes for a change that was made")
	}
}

func TestMeans(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*standin.State)
		want   windows.Means
	}{
		"neither":           {nil, windows.Means{}},
		"a task":            {func(s *standin.State) { s.Tasks = []string{windows.Task} }, windows.Means{Task: true}},
		"elevated":          {func(s *standin.State) { s.Elevated = true }, windows.Means{Elevated: true}},
		"schtasks denied":   {windowstest.Fault("schtasks.exe", standin.Denied), windows.Means{}},
		"whoami says trash": {windowstest.Fault("whoami.exe", standin.Garbage), windows.Means{Unsure: true}},
		"whoami denied":     {windowstest.Fault("whoami.exe", standin.Denied), windows.Means{Unsure: true}},
	} {
		w := windowstest.New(t, c.change)
		if got, err := w.System.Means(context.Background()); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	w := windowstest.New(t, windowstest.Fault("schtasks.exe", standin.Broken))
	if _, err := w.System.Means(context.Background()); !errors.Is(err, windows.ErrSocket) {
		t.Errorf("interop is dead: %v", err)
	}
}

func TestTheTaskIsWaitedFor(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) {
		*s = standin.AfterRestart()
		s.Live, s.TaskDelay = false, 2000
	})
	if err := w.System.StartTask(context.Background()); err != nil {
		t.Fatal(err)
	}
	st, err := w.System.Look(context.Background())
	if err != nil || st.Verdict.Kind != windows.Good {
		t.Errorf("afterwards %v, %+v", err, st.Verdict)
	}
}

// lateKernel answers when nobody waits any more.
type lateKernel struct{ *kernel.Fake }

func (lateKernel) Routes(ctx context.Context) ([]kernel.Route, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestATaskThatSetsNothing(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) {
		*s = standin.AfterRestart()
		s.Live, s.TaskDelay = false, int(windowstest.Patience.Milliseconds())
	})
	w.Options.TaskLimit = time.Millisecond
	for name, k := range map[string]windows.Router{"the limit while waiting": w.Options.Kernel, "the limit while looking": lateKernel{kernel.NewFake()}} {
		w.Options.Kernel = k
		if err := windows.New(w.Options).StartTask(context.Background()); !errors.Is(err, windows.ErrTaskFailed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestATaskThatIsNotThere(t *testing.T) {
	w := windowstest.New(t, nil)
	if err := w.System.StartTask(context.Background()); err == nil || core.Hint(err) == "" {
		t.Errorf("error %v with the hint %q", err, core.Hint(err).String())
	}
}

// The name is in the script, in the call and in the stand-in.
func TestTheTaskHasOneName(t *testing.T) {
	if standin.Task != windows.Task {
		t.Errorf("the stand-in has %s, the script registers %s", standin.Task, windows.Task)
	}
}
