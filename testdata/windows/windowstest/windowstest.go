// Package windowstest gives tests a Windows that is not there: the stand-in,
// in a directory of the test's own. The test binary itself is its programs.
package windowstest

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
)

// Patience is a time limit that no stand-in reaches, however busy the machine.
const Patience = time.Minute

// A test binary that is linked as route.exe is route.exe: before any test, and
// before the package's own TestMain.
func init() {
	if status, ours := standin.Main(os.Args); ours {
		os.Exit(status)
	}
}

// World is one stand-in Windows and what looks at it.
type World struct {
	Root    string // C:\Windows
	Drive   string // F:\
	Clock   *Clock
	Options windows.Options
	System  *windows.System
}

// New installs the stand-in with the state of a lab, changed by change (may be
// nil), beside a WSL in NAT mode, and puts its wslinfo on PATH.
func New(t *testing.T, change func(*standin.State)) *World {
	t.Helper()
	w := &World{Root: filepath.Join(t.TempDir(), "c", "Windows"), Drive: t.TempDir(), Clock: &Clock{At: time.Unix(1_800_000_000, 0)}}
	s := standin.Lab()
	s.Live = false
	if change != nil {
		change(&s)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := standin.Install(w.Root, self, s); err != nil {
		t.Fatal(err)
	}
	// A program with the race detector otherwise sleeps for a second at its end.
	t.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	t.Setenv("PATH", filepath.Join(w.Root, "bin")+":"+os.Getenv("PATH"))
	w.Options = windows.Options{
		Config: config.Windows{
			Enabled: config.Auto, SystemRoot: w.Root, Root: filepath.Join(w.Drive, "flatnet"), WindowsPath: `F:\flatnet`,
			Timeout: Patience,
		},
		Network: config.Network{Subnet: netip.MustParsePrefix("10.87.1.0/24"), Gateway: netip.MustParseAddr("10.87.1.1")},
		Kernel:  NAT(t), Now: w.Clock.Now, FirstLimit: Patience, ReachLimit: Patience,
	}
	w.System = windows.New(w.Options)
	return w
}

// NAT gives WSL's kernel in NAT mode, addresses as the stand-in has them: the
// bridge, and a default route through eth0.
func NAT(t testing.TB) *kernel.Fake {
	t.Helper()
	f, ctx := kernel.NewFake(), context.Background()
	for name, address := range map[string]string{"eth0": "172.27.224.53/20", "flatnet-br0": "10.87.1.1/24"} {
		for _, err := range []error{
			f.AddBridge(ctx, name, 0), f.AddAddr(ctx, name, netip.MustParsePrefix(address)), f.SetUp(ctx, name),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.AddRoute(ctx, kernel.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("172.27.224.1"), Link: "eth0"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// Change changes the stand-in's state.
func (w *World) Change(t testing.TB, change func(*standin.State)) {
	t.Helper()
	if err := standin.Change(w.Root, change); err != nil {
		t.Fatal(err)
	}
}

// Calls gives the calls of one program so far.
func (w *World) Calls(t testing.TB, program string) []standin.Call {
	t.Helper()
	all, err := standin.Calls(w.Root)
	if err != nil {
		t.Fatal(err)
	}
	var calls []standin.Call
	for _, c := range all {
		if c.Program == program {
			calls = append(calls, c)
		}
	}
	return calls
}

// Fault makes a change that has one program ("*": all) fail in one way.
func Fault(program, kind string) func(*standin.State) {
	return func(s *standin.State) { s.Faults = map[string]standin.Fault{program: {Kind: kind}} }
}

// Clock is a clock that tests move.
type Clock struct{ At time.Time }

// Now gives the clock's time.
func (c *Clock) Now() time.Time { return c.At }
