package windows_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
)

// TestMain lets the test binary stand in for Windows' programs: linked as
// route.exe it is route.exe.
func TestMain(m *testing.M) {
	if status, ours := standin.Main(os.Args); ours {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// patience is a time limit that no stand-in reaches, however busy the machine.
const patience = time.Minute

var (
	subnet  = netip.MustParsePrefix("10.87.1.0/24")
	wslAddr = netip.MustParseAddr("172.27.224.53")
)

// wsl is WSL's side: a kernel with its default route. Addresses as in the lab.
type wsl struct {
	routes []kernel.Route
	addrs  []netip.Prefix
	err    error
}

func (w wsl) Routes(context.Context) ([]kernel.Route, error)        { return w.routes, w.err }
func (w wsl) Addrs(context.Context, string) ([]netip.Prefix, error) { return w.addrs, w.err }

func natWSL() wsl {
	return wsl{
		routes: []kernel.Route{
			{Dst: subnet, Link: "flatnet-br0", Src: netip.MustParseAddr("10.87.1.1")},
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Link: "eth0", Gateway: netip.MustParseAddr("172.27.224.1")},
		},
		addrs: []netip.Prefix{netip.MustParsePrefix("172.27.224.53/20")},
	}
}

// clock is a clock that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// world is a stand-in Windows and the System that looks at it.
type world struct {
	root  string
	drive string // what stands for F:\
	clock *clock
	sys   *windows.System
}

// newWorld installs the stand-in with the lab's state, changed by change.
func newWorld(t *testing.T, change func(*standin.State)) *world {
	t.Helper()
	w := &world{root: filepath.Join(t.TempDir(), "c", "Windows"), drive: t.TempDir(), clock: &clock{time.Unix(1_800_000_000, 0)}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := standin.Lab()
	s.Dead = nil
	if change != nil {
		change(&s)
	}
	if err := standin.Install(w.root, self, s); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(w.root, "bin")+":"+os.Getenv("PATH"))
	w.sys = windows.New(w.options())
	return w
}

func (w *world) options() windows.Options {
	return windows.Options{
		Config: config.Windows{
			Enabled: config.Auto, SystemRoot: w.root, Root: filepath.Join(w.drive, "flatnet"), WindowsPath: `F:\flatnet`,
			Timeout: patience,
		},
		// Loopback stands for the bridge: the stand-in's ping really asks.
		Network: config.Network{Subnet: subnet, Gateway: netip.MustParseAddr("10.87.1.1")},
		Kernel:  natWSL(),
		Now:     w.clock.now,
	}
}

func (w *world) change(t *testing.T, f func(*standin.State)) {
	t.Helper()
	if err := standin.Change(w.root, f); err != nil {
		t.Fatal(err)
	}
}
