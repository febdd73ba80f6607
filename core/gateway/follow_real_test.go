package gateway_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flatnet/core/gateway"
	"flatnet/core/podman"
)

// follows runs Follow until the test ends; its reports and its end can be
// looked at.
type follows struct {
	events chan podman.Event
	cancel context.CancelFunc
	done   chan error

	mu       sync.Mutex
	reports  []string
	deployed int
}

func (w *world) follow(t *testing.T, files ...string) *follows {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follows{events: make(chan podman.Event), cancel: cancel, done: make(chan error, 1)}
	o := w.options()
	o.Health = func() map[netip.AddrPort]gateway.Health {
		w.mu.Lock()
		defer w.mu.Unlock()
		now := map[netip.AddrPort]gateway.Health{}
		for k, v := range w.health {
			now[k] = v
		}
		return now
	}
	g := gateway.New(o)
	opts := gateway.FollowOptions{
		Events: f.listen,
		Regenerate: func(ctx context.Context) error {
			c, err := g.Prepare(ctx)
			if err != nil || c.Nothing {
				return err
			}
			_, err = g.Deploy(ctx, c)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.deployed++
			return err
		},
		Report: func(s string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.reports = append(f.reports, s)
		},
	}
	if len(files) > 0 {
		opts.Config, opts.Files = files[0], files[1:]
	}
	go func() { f.done <- g.Follow(ctx, opts) }()
	t.Cleanup(func() { cancel(); <-f.done })
	return f
}

// listen delivers until ctx ends, as a Client does.
func (f *follows) listen(ctx context.Context) (<-chan podman.Event, error) {
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

func (f *follows) said(part string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Contains(strings.Join(f.reports, "\n"), part)
}

// tell is Podman saying that something happened, many times in a row.
func (f *follows) tell() {
	for range 5 {
		f.events <- podman.Event{Status: "start"}
	}
}

func TestFollowTheContainers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		serve(t, "10.87.1.3:80", "moved")
		w.nginx.Start(t)
		w.apply()
		f := w.follow(t)

		w.run("web", "10.87.1.2", "host=web.local")
		f.tell()
		eventually(t, "a new container is served", func() bool { return get(t, "web.local", "/").Body == "web" })

		w.mu.Lock()
		w.containers[0].Networks = map[string]podman.Attachment{"flatnet": attachment("10.87.1.3")}
		w.mu.Unlock()
		f.tell()
		eventually(t, "a moved one is found", func() bool { return get(t, "web.local", "/").Body == "moved" })

		w.mu.Lock()
		w.containers[0].State = "exited"
		w.mu.Unlock()
		f.tell()
		eventually(t, "a stopped one says so", func() bool {
			a := get(t, "web.local", "/")
			return a.Status == 503 && strings.Contains(a.Body, "Since")
		})

		w.mu.Lock()
		w.containers[0].State = "running"
		w.mu.Unlock()
		f.tell()
		eventually(t, "and comes back", func() bool { return get(t, "web.local", "/").Body == "moved" })

		f.mu.Lock()
		defer f.mu.Unlock()
		if f.deployed > 8 || len(f.reports) > 0 {
			t.Errorf("%d deployments for 4 changes of 5 events each; reports %q", f.deployed, f.reports)
		}
	})
}

func TestFollowTheProbes(t *testing.T) {
	w := newWorld(t, "static")
	serve(t, "10.87.1.2:80", "web")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(t)
	w.apply()
	w.follow(t)
	at := netip.MustParseAddrPort("10.87.1.2:80")
	w.mu.Lock()
	w.health[at] = gateway.Health{Down: true, Since: w.now, Reason: "no answer"}
	w.mu.Unlock()
	eventually(t, "a failing probe takes the site down", func() bool { return get(t, "web.local", "/").Status == 503 })
	w.mu.Lock()
	w.health[at] = gateway.Health{Since: w.now}
	w.mu.Unlock()
	eventually(t, "it comes back by itself", func() bool { return get(t, "web.local", "/").Body == "web" })
}

func TestFollowHeld(t *testing.T) {
	w := newWorld(t, "static")
	serve(t, "10.87.1.2:80", "web")
	w.nginx.Start(t)
	f := w.follow(t)
	eventually(t, "the first deployment is left to a person", func() bool { return f.said("nothing is deployed yet") })
	w.apply()
	w.run("web", "10.87.1.2", "host=web.local")
	w.apply()
	w.rollback(1)
	f.tell()
	eventually(t, "a rollback holds it", func() bool { return f.said("rolled back to generation 1") })
	if s := w.look(); s.Generation != 1 {
		t.Errorf("deployed %d", s.Generation)
	}
}

func TestOneFollowsAtATime(t *testing.T) {
	w := newWorld(t, "lua")
	serve(t, "10.87.1.2:80", "web")
	w.nginx.Start(t)
	w.apply()
	first := w.follow(t)
	w.run("a", "10.87.1.2", "host=a.local")
	first.tell()
	eventually(t, "the first one follows", func() bool { return get(t, "a.local", "/").Status == 200 })
	second := w.follow(t)
	eventually(t, "the second waits", func() bool { return second.said("another flatnet-tui follows") })
	first.cancel()
	eventually(t, "the first has ended", func() bool {
		select {
		case err := <-first.done:
			first.done <- err
			return true
		default:
			return false
		}
	})
	w.run("b", "10.87.1.2", "host=b.local")
	second.tell()
	eventually(t, "the second takes over", func() bool { return get(t, "b.local", "/").Status == 200 })
}

func TestFollowEndsWhenReconfigured(t *testing.T) {
	w := newWorld(t, "static")
	dir := t.TempDir()
	file, state := filepath.Join(dir, "flatnet.toml"), filepath.Join(dir, "allocations.json")
	w.nginx.Start(t)
	w.apply()
	f := w.follow(t, file, state)
	eventually(t, "it follows", func() bool {
		if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return true
	})
	w.run("web", "10.87.1.2", "host=web.local")
	eventually(t, "a changed state counts", func() bool {
		if err := os.WriteFile(state, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		return w.look().Generation == 2
	})
	if err := os.WriteFile(file, []byte("[gateway]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := <-f.done
	f.done <- err
	if !errors.Is(err, gateway.ErrReconfigured) {
		t.Errorf("it ended with %v", err)
	}
}
