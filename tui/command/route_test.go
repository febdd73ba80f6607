package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/config"
	"flatnet/core/journal"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
)

// route runs flatnet-tui route … on the stand-in Windows.
func route(t *testing.T, w *windowstest.World, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	dir := t.TempDir()
	conf := filepath.Join(dir, "flatnet.toml")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := &App{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Now: w.Clock.Now,
		Open: func(c config.Config) (*Parts, error) {
			return &Parts{Config: c, Now: w.Clock.Now, Windows: w.System, Journal: journal.Open(dir, "test")}, nil
		},
	}
	status = Run(context.Background(), a, append([]string{"--config", conf, "route"}, args...))
	return status, stdout.String(), stderr.String()
}

func TestRouteShow(t *testing.T) {
	good := windowstest.New(t, nil)
	status, out, _ := route(t, good, "show")
	if status != ExitGood || !strings.Contains(out, "10.87.1.0/24 by way of 172.27.224.53") || !strings.Contains(out, "bridge ok") {
		t.Errorf("good: %d\n%s", status, out)
	}
	old := windowstest.New(t, afterRestart)
	status, out, _ = route(t, old, "show", "--json")
	var st windows.Status
	if err := json.Unmarshal([]byte(out), &st); err != nil || status != ExitFailing || st.Verdict.Kind != windows.OldAddress {
		t.Errorf("old: %d, %v\n%s", status, err, out)
	}
	broken := windowstest.New(t, windowstest.Fault("route.exe", standin.Garbage))
	status, out, errs := route(t, broken, "show")
	if status != ExitFailing || !strings.Contains(out, "unknown") || !strings.Contains(errs, "route table") {
		t.Errorf("garbage: %d\n%s%s", status, out, errs)
	}
}

func TestRouteShowWithoutWindows(t *testing.T) {
	w := windowstest.New(t, nil)
	w.Options.Config.SystemRoot = t.TempDir()
	w.System = windows.New(w.Options)
	if status, out, _ := route(t, w, "show"); status != ExitGood || !strings.Contains(out, "not on WSL") {
		t.Errorf("%d\n%s", status, out)
	}
}

func afterRestart(s *standin.State) {
	*s = standin.AfterRestart()
	s.Live, s.TaskDelay, s.Tasks = false, 0, nil
}

func TestRouteApply(t *testing.T) {
	w := windowstest.New(t, afterRestart)
	if status, _, errs := route(t, w, "apply"); status != ExitUsage || !strings.Contains(errs, "--yes") {
		t.Errorf("nobody to ask: %d\n%s", status, errs)
	}
	status, out, _ := route(t, w, "apply", "--dry-run")
	if status != ExitGood || !strings.Contains(out, "route.exe add 10.87.1.0 mask 255.255.255.0 172.27.224.53 metric 1") {
		t.Errorf("dry run: %d\n%s", status, out)
	}
	// Only a person may change the route: the scripts are written, the command
	// is printed, and the exit status says that it is still to be run.
	status, out, _ = route(t, w, "apply", "--yes", "--json")
	var got struct {
		Steps   []struct{ Text, Command string } `json:"steps"`
		ByHand  string                           `json:"by_hand"`
		Applied bool                             `json:"applied"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != ExitFailing || !got.Applied || len(got.Steps) != 2 || got.ByHand == "" {
		t.Errorf("by hand: %d, %v\n%s", status, err, out)
	}
	w.Change(t, func(s *standin.State) { s.Tasks = []string{windows.Task} })
	if status, out, errs := route(t, w, "apply", "--yes"); status != ExitGood || !strings.Contains(out, "Done.") {
		t.Errorf("by the task: %d\n%s%s", status, out, errs)
	}
	if status, out, _ := route(t, w, "apply", "--yes"); status != ExitGood || !strings.Contains(out, "goes to WSL at 172.27.224.53") {
		t.Errorf("again: %d\n%s", status, out)
	}
}

// A script that goes on after "route apply" must not take this for mended.
func TestRouteApplyThatMendsNothing(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) { s.Mode = "mirrored" })
	if status, out, _ := route(t, w, "apply", "--yes"); status != ExitFailing || !strings.Contains(out, "publish the containers' ports") {
		t.Errorf("mirrored: %d\n%s", status, out)
	}
	if status, out, _ := route(t, w, "apply", "--dry-run"); status != ExitGood {
		t.Errorf("dry run: %d\n%s", status, out)
	}
}

func TestRouteScript(t *testing.T) {
	w := windowstest.New(t, nil)
	for _, name := range []string{windows.SetupRoute, windows.RegisterTasks} {
		if status, out, _ := route(t, w, "script", name); status != ExitGood || !strings.HasPrefix(out, "<#\r\n") {
			t.Errorf("%s: %d\n%s", name, status, out)
		}
	}
	if status, out, _ := route(t, w, "script"); status != ExitGood || !strings.Contains(out, "$Prefix = '10.87.1.0/24'") {
		t.Errorf("without a name: %d\n%s", status, out)
	}
	if status, _, errs := route(t, w, "script", "../../etc/passwd"); status != ExitUsage || !strings.Contains(errs, "no script") {
		t.Errorf("another name: %d\n%s", status, errs)
	}
}

func TestGatewayOnWindows(t *testing.T) {
	for listen, want := range map[string]string{
		"80": "127.0.0.1:80", "0.0.0.0:8080": "127.0.0.1:8080", "192.168.10.23:80": "192.168.10.23:80",
	} {
		if got := gatewayOnWindows(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}
