package health

import (
	"context"
	"sync"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/host"
	"flatnet/core/leases"
	"flatnet/core/resolver"
	"flatnet/core/say"
	"flatnet/core/windows"
)

// Looks are the ways to see each part; one that is nil is never looked at.
type Looks struct {
	Bridge   func(context.Context) (bridge.Status, error)
	Firewall func(context.Context) (firewall.Status, error)
	Leases   func(context.Context) ([]leases.Status, error)
	Names    func(context.Context) (resolver.Status, error)
	Podman   func(context.Context) (Podman, error)
	Windows  func(context.Context) (windows.Status, error)
	Gateway  func(context.Context) (gateway.Status, error)
	Host     func(context.Context) (host.Status, error)
	// Probes gives one result each of everything that is probed.
	Probes func(context.Context) ([]Probe, error)
}

// Request is what Gather is to look at.
type Request struct {
	Version  string
	Config   config.Config
	Problems []config.Problem // of the configuration file
	Looks    Looks
	Limit    time.Duration // for each look; what takes longer is unknown
	Now      func() time.Time
	Told     func(done, total int) // after each look; may be nil
}

// Gather looks at everything side by side and returns when the last look has
// ended or its limit has passed, whatever hangs.
func Gather(ctx context.Context, r Request) Facts {
	f := Facts{Time: r.Now(), Version: r.Version, Config: r.Config, Problems: r.Problems}
	var running looking
	running.told = r.Told
	look(ctx, &running, r, r.Looks.Bridge, &f.Bridge)
	look(ctx, &running, r, r.Looks.Firewall, &f.Firewall)
	look(ctx, &running, r, r.Looks.Leases, &f.Leases)
	look(ctx, &running, r, r.Looks.Names, &f.Names)
	look(ctx, &running, r, r.Looks.Podman, &f.Podman)
	look(ctx, &running, r, r.Looks.Windows, &f.Windows)
	look(ctx, &running, r, r.Looks.Gateway, &f.Gateway)
	look(ctx, &running, r, r.Looks.Host, &f.Host)
	look(ctx, &running, r, r.Looks.Probes, &f.Probes)
	running.start()
	running.Wait()
	return f
}

// looking counts the looks that have ended.
type looking struct {
	sync.WaitGroup
	looks []func()
	told  func(done, total int)
	mu    sync.Mutex
	done  int
}

// start runs all looks side by side.
func (l *looking) start() {
	for _, one := range l.looks {
		l.Go(func() {
			one()
			l.mu.Lock()
			defer l.mu.Unlock()
			l.done++
			if l.told != nil {
				l.told(l.done, len(l.looks))
			}
		})
	}
}

// look runs one look within the limit. A look that heeds no context is left
// behind when its time is up: a hanging Windows program must not hold up the
// rest.
func look[T any](ctx context.Context, running *looking, r Request, see func(context.Context) (T, error), into *Seen[T]) {
	if see == nil {
		return
	}
	running.looks = append(running.looks, func() {
		limited, cancel := context.WithTimeout(ctx, r.Limit)
		defer cancel()
		if limited.Err() != nil {
			*into = Seen[T]{At: r.Now(), Err: "stopped before it was looked at"}
			return
		}
		done := make(chan Seen[T], 1)
		go func() {
			v, err := see(limited)
			done <- Look(r.Now(), v, err)
		}()
		select {
		case *into = <-done:
		case <-limited.Done():
			*into = Seen[T]{At: r.Now(), Err: say.F("no answer within %s", r.Limit)}
		}
	})
}
