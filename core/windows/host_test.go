package windows_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
)

// hurry is a time limit for tests in which Windows never answers.
const hurry = 300 * time.Millisecond

func TestEachFaultIsToldApart(t *testing.T) {
	for kind, want := range map[string]struct {
		err  error
		code string
	}{
		standin.Hang:    {windows.ErrTimeout, "interop-timeout"},
		standin.Garbage: {windows.ErrOutput, "interop-output"},
		standin.Die:     {windows.ErrOutput, "interop-output"},
		standin.Cut:     {windows.ErrOutput, "interop-output"},
		standin.Silent:  {windows.ErrOutput, "interop-output"},
		standin.Denied:  {windows.ErrDenied, "interop-denied"},
		standin.Broken:  {windows.ErrSocket, "interop-socket"},
	} {
		t.Run(kind, func(t *testing.T) {
			w := windowstest.New(t, windowstest.Fault("route.exe", kind))
			if kind == standin.Hang {
				w.Options.Config.Timeout = hurry
				w.System = windows.New(w.Options)
			}
			st, err := w.System.Look(context.Background())
			if !errors.Is(err, want.err) {
				t.Fatalf("error %v, want %v", err, want.err)
			}
			if st.State != windows.Unknown || st.Verdict.Kind != windows.Undecided || st.Reason == "" {
				t.Errorf("state %q, verdict %q, reason %q: want unknown with a reason", st.State, st.Verdict.Kind, st.Reason)
			}
			if st.Trouble == nil || st.Trouble.Code != want.code || st.Trouble.Remedy == "" {
				t.Errorf("trouble %+v, want the code %s with a remedy", st.Trouble, want.code)
			}
			if st.WSLAddress != wslAddr {
				t.Errorf("WSL's address is %q: what could be read is not shown", st.WSLAddress)
			}
		})
	}
}

func TestAFloodIsCut(t *testing.T) {
	w := windowstest.New(t, windowstest.Fault("route.exe", standin.Flood))
	if _, err := w.System.Look(context.Background()); !errors.Is(err, windows.ErrOutput) {
		t.Fatalf("error %v, want ErrOutput", err)
	}
}

func TestALateAnswerCounts(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) {
		s.Faults = map[string]standin.Fault{"route.exe": {Kind: standin.Late, Milliseconds: 200}}
	})
	st, err := w.System.Look(context.Background())
	if err != nil || st.Verdict.Kind != windows.Good {
		t.Fatalf("%v, %+v", err, st.Verdict)
	}
}

// A Windows that hangs costs one time limit; then it is left alone, longer
// each time, and whoever asks hears at once why.
func TestAfterAFailureWindowsRests(t *testing.T) {
	w := windowstest.New(t, windowstest.Fault("route.exe", standin.Broken))
	look := func() error {
		_, err := w.System.Look(context.Background())
		return err
	}
	started := func() int { return len(w.Calls(t, "route.exe")) }
	pause := 2 * time.Second
	for want := 1; want <= 8; want++ {
		if err := look(); errors.Is(err, windows.ErrResting) || started() != want {
			t.Fatalf("look %d: %v, %d programs started", want, err, started())
		}
		w.Clock.At = w.Clock.At.Add(pause - time.Millisecond)
		if err := look(); !errors.Is(err, windows.ErrResting) || !errors.Is(err, windows.ErrSocket) || started() != want {
			t.Fatalf("rest %d of %s: %v, %d programs started", want, pause, err, started())
		}
		w.Clock.At = w.Clock.At.Add(time.Millisecond)
		pause = min(2*pause, 2*time.Minute)
	}
	if err := look(); err == nil {
		t.Fatal("it is mended by itself")
	}
	w.Change(t, func(s *standin.State) { s.Faults = nil })
	if err := look(); !errors.Is(err, windows.ErrResting) {
		t.Fatalf("not resting: %v", err)
	}
	w.System.TryNow()
	if err := look(); err != nil {
		t.Fatalf("asked to try now: %v", err)
	}
	if err := look(); err != nil {
		t.Fatalf("the rest outlasts the mending: %v", err)
	}
}

func TestHowProgramsAreStarted(t *testing.T) {
	w := windowstest.New(t, nil)
	if _, err := w.System.Look(context.Background()); err != nil {
		t.Fatal(err)
	}
	calls := w.Calls(t, "route.exe")
	if len(calls) != 1 || !slices.Equal(calls[0].Args, []string{"print", "-4"}) {
		t.Fatalf("calls %+v, want one of print -4", calls)
	}
	if calls[0].Stdin != os.DevNull {
		t.Errorf("stdin is %s, want %s", calls[0].Stdin, os.DevNull)
	}
	if drive := filepath.Dir(w.Root); calls[0].Dir != drive {
		t.Errorf("working directory %s, want the system drive %s", calls[0].Dir, drive)
	}
}

func TestOneProgramAtATime(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) {
		s.Faults = map[string]standin.Fault{"route.exe": {Kind: standin.Late, Milliseconds: 100}}
	})
	running := func() int {
		n := 0
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, p := range all {
			line, _ := os.ReadFile(p)
			if strings.HasPrefix(string(line), filepath.Join(w.Root, "System32")) {
				n++
			}
		}
		return n
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { _, _ = w.System.Look(context.Background()) })
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	most := 0
	for finished := false; !finished; {
		select {
		case <-done:
			finished = true
		case <-time.After(5 * time.Millisecond):
			most = max(most, running())
		}
	}
	if most != 1 {
		t.Errorf("%d programs ran at one time, want 1", most)
	}
}

// Whoever gives up is let go at once, and it says nothing against Windows.
func TestGivingUp(t *testing.T) {
	w := windowstest.New(t, windowstest.Fault("route.exe", standin.Hang))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := w.System.Look(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that it was cancelled", err)
	}
	w.Change(t, func(s *standin.State) { s.Faults = nil })
	if _, err := w.System.Look(context.Background()); err != nil {
		t.Fatalf("the next look: %v", err)
	}
}

func TestNoWindows(t *testing.T) {
	for name, c := range map[string]struct {
		enabled config.Tristate
		failing bool
		says    string
	}{
		"auto": {config.Auto, false, "not on WSL"},
		"off":  {config.Off, false, "switched off"},
		"on":   {config.On, true, "missing"},
	} {
		w := windowstest.New(t, nil)
		o := w.Options
		o.Config.Enabled, o.Config.SystemRoot = c.enabled, filepath.Join(t.TempDir(), "Windows")
		st, err := windows.New(o).Look(context.Background())
		if (err != nil) != c.failing || c.failing && !errors.Is(err, windows.ErrNoProgram) {
			t.Errorf("%s: error %v", name, err)
		}
		if st.State != windows.Unknown || !strings.Contains(st.Reason.String(), c.says) || st.Enabled != c.failing {
			t.Errorf("%s: %+v, want unknown because %q", name, st, c.says)
		}
	}
}

func TestOffAsksNothing(t *testing.T) {
	w := windowstest.New(t, nil)
	o := w.Options
	o.Config.Enabled = config.Off
	if _, err := windows.New(o).Look(context.Background()); err != nil {
		t.Fatal(err)
	}
	if calls, err := standin.Calls(w.Root); err != nil || len(calls) != 0 {
		t.Errorf("calls %v (%v), want none", calls, err)
	}
}
