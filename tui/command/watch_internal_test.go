package command

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/renameio/v2"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/windows"
	"flatnet/probes"
	"flatnet/testdata/nginx"
	"flatnet/tui/monitor"
)

// following is a watch with a Podman of the test's own, a real nginx and real
// files, which counts what it does.
type following struct {
	t          *testing.T
	conf, dir  string
	events     chan podman.Event
	asked      atomic.Int64 // how often for the containers: once or more for a regeneration
	configured atomic.Int64 // how often the configuration was opened
}

const followingConfig = `[ipam]
state_dir = %q
[windows]
enabled = false
[gateway]
config_dir = %q
windows_path = %[2]q
nginx = "/usr/sbin/nginx"
health_url = "http://127.0.0.1/health"
`

func newFollowing(t *testing.T) *following {
	t.Helper()
	front := nginx.New(t)
	f := &following{t: t, dir: t.TempDir(), events: make(chan podman.Event)}
	f.conf = filepath.Join(f.dir, "flatnet.toml")
	f.write(f.conf, fmt.Sprintf(followingConfig, f.dir, front.Dir))
	f.write(filepath.Join(f.dir, ipam.FileName), "")
	front.Start(t)
	var out bytes.Buffer
	a := f.app()
	a.Out, a.Err = &out, &out
	if status := Run(t.Context(), a, []string{"--config", f.conf, "gateway", "apply", "--yes"}); status != ExitGood {
		t.Fatalf("gateway apply: %d\n%s", status, &out)
	}
	return f
}

func (f *following) app() *App { return &App{Now: time.Now, Open: f.open, configPath: f.conf} }

func (f *following) open(c config.Config) (*Parts, error) {
	f.configured.Add(1)
	p := &Parts{
		Config: c, Now: time.Now, Kernel: kernel.NewFake(), Journal: journal.Open(c.IPAM.StateDir, "test"), Probers: probes.New(), Podman: f,
		Store: ipam.OpenFile(c.IPAM.StateDir, ipam.Options{Pool: ipam.PoolOf(c), Holder: "test", Now: time.Now}),
	}
	p.Windows = windows.New(windows.Options{Config: c.Windows, Network: c.Network, Kernel: p.Kernel, Now: time.Now})
	p.Monitor = monitor.New(c.Probes, p.Probers, time.Now)
	p.Gateway = gateway.New(gateway.Options{
		Config: c.Gateway, Network: c.Network, Runner: gateway.NewRunner(c.Gateway.Nginx),
		HealthURL:  func(context.Context) string { return c.Gateway.HealthAt(netip.Addr{}) },
		Containers: f.Containers, Health: p.Monitor.Health, Now: time.Now,
	})
	return p, nil
}

func (f *following) Containers(context.Context) ([]podman.Container, error) {
	f.asked.Add(1)
	return nil, nil
}

func (f *following) Info(context.Context) (podman.Info, error) { return podman.Info{}, nil }

func (f *following) Events(ctx context.Context) (<-chan podman.Event, error) {
	out := make(chan podman.Event)
	go func() {
		defer close(out)
		for {
			select {
			case e := <-f.events:
				out <- e
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// write puts a whole file in place, as everybody does who writes these.
func (f *following) write(path, text string) {
	f.t.Helper()
	if err := renameio.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// until does something until a counter has moved on because of it: a change
// may fall into the moment in which watch opens its files anew.
func (f *following) until(counter *atomic.Int64, change func()) {
	f.t.Helper()
	before := counter.Load()
	for range 200 {
		change()
		for range 100 {
			if counter.Load() != before {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	f.t.Fatal("watch does not notice any more")
}

// cycles has containers come, the state change and the configuration be
// written anew.
func (f *following) cycles(n int) {
	f.t.Helper()
	text, err := os.ReadFile(f.conf)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range n {
		switch {
		case i%20 == 19:
			f.until(&f.configured, func() { f.write(f.conf, string(text)) })
		case i%5 == 4:
			f.until(&f.asked, func() { f.write(filepath.Join(f.dir, ipam.FileName), strings.Repeat(" ", i%3)) })
		default:
			f.until(&f.asked, func() {
				select {
				case f.events <- podman.Event{Status: "start"}:
				case <-time.After(10 * time.Millisecond): // nobody listens just now
				}
			})
		}
	}
}

// holds is what a process holds.
type holds struct {
	files, goroutines int
	heap              uint64
}

func (f *following) holds() holds {
	f.t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		f.t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holds{len(open), runtime.NumGoroutine(), m.HeapAlloc}
}

// TestWatchHoldsNoMore: thousands of changes leave no file, goroutine or memory
// behind.
func TestWatchHoldsNoMore(t *testing.T) {
	f := newFollowing(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	a := f.app()
	p, err := a.parts()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		silent := func(string) {}
		f := follower{app: a, by: "test", probes: true, report: silent, keeper: newKeeper(a, "test", silent), quiet: time.Millisecond}
		done <- f.run(ctx, p)
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	f.cycles(200)
	before := f.holds()
	const cycles = 2000
	f.cycles(cycles)
	after := f.holds()
	t.Logf("after 200 cycles %+v, after %d more %+v", before, cycles, after)
	const slack, memory = 10, 2 << 20 // the runtime and HTTP have some of their own; a leak would have 100 at least
	if after.files > before.files+slack || after.goroutines > before.goroutines+slack || after.heap > before.heap+memory {
		t.Errorf("after 200 cycles %+v, after %d more %+v", before, cycles, after)
	}
}
