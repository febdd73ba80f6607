package gateway

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/gofrs/flock"

	"flatnet/core/podman"
	"flatnet/core/say"
)

// The pace of following.
const (
	usualQuiet = 200 * time.Millisecond // FollowOptions.Quiet
	patience   = 2 * time.Second        // at most, while changes keep coming
	lookAnyway = 30 * time.Second       // for what no event tells
	healthTick = time.Second            // between two looks at what the probes say
	again      = 3 * time.Second        // before Podman's events are asked for again
)

// ErrReconfigured ends Follow when the configuration file has changed: its
// caller reads it and follows anew.
var ErrReconfigured = say.New("the configuration has changed")

// errFollowed says that this process need not follow.
var errFollowed = say.New("another flatnet-tui follows the containers; this one goes on when that one ends")

// FollowOptions of Follow. Regenerate and Report are needed.
type FollowOptions struct {
	Config string                                             // the configuration file; "" : none
	Files  []string                                           // further files whose change counts: the lease state
	Events func(context.Context) (<-chan podman.Event, error) // nil: none
	// Regenerate deploys what has changed. It is not called while automatic
	// changes are held, nor while another process follows.
	Regenerate func(context.Context) error
	// Report takes what a person should know, a line each, never twice in a row.
	Report func(string)
	Quiet  time.Duration // without a further change before a regeneration; 0: 200 ms
}

// Follow regenerates whenever containers, leases, probes or the configuration
// change, until ctx ends or the configuration file has changed
// (ErrReconfigured). Of all processes that follow one gateway, one does it at
// a time; another takes over when that one ends.
func (g *Gateway) Follow(ctx context.Context, o FollowOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	var sources sync.WaitGroup
	defer sources.Wait()
	defer cancel()
	o.Config, o.Quiet = absolute(o.Config), cmp.Or(o.Quiet, usualQuiet)
	f := &follower{g: g, o: o, changed: make(chan struct{}, 1), reconfigured: make(chan struct{}, 1)}
	defer f.release()
	if err := f.watchFiles(ctx, &sources); err != nil {
		return err
	}
	sources.Go(func() { f.watchHealth(ctx) })
	if o.Events != nil {
		sources.Go(func() { f.watchEvents(ctx) })
	}
	return f.loop(ctx)
}

type follower struct {
	g            *Gateway
	o            FollowOptions
	changed      chan struct{}
	reconfigured chan struct{}
	lead         *flock.Flock // held while this process is the one that follows
	said         string
}

// absolute gives paths the form in which their changes are told.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil && path != "" {
		return whole
	}
	return path
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is waiting already
	}
}

func (f *follower) loop(ctx context.Context) error {
	tick := time.NewTicker(lookAnyway)
	defer tick.Stop()
	signal(f.changed)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.reconfigured:
			f.settle(ctx, f.reconfigured)
			return ErrReconfigured
		case <-f.changed:
			f.settle(ctx, f.changed)
		case <-tick.C:
		}
		if ctx.Err() == nil {
			f.report(f.step(ctx))
		}
	}
}

// settle waits until no more changes come in quick succession.
func (f *follower) settle(ctx context.Context, changes <-chan struct{}) {
	end := time.After(patience)
	for {
		select {
		case <-changes:
		case <-time.After(f.o.Quiet):
			return
		case <-end:
			return
		case <-ctx.Done():
			return
		}
	}
}

// step regenerates if this process leads and nothing holds it back.
func (f *follower) step(ctx context.Context) error {
	l, err := f.g.readLive()
	if err != nil {
		return err
	}
	if l.have == nil {
		return say.Errorf("%w: nothing is deployed yet; the first time is a person's: sudo flatnet-tui gateway apply", ErrHeld)
	}
	held, err := f.g.Held()
	if err != nil {
		return err
	}
	if held != "" {
		return say.Errorf("%w: %s; sudo flatnet-tui gateway apply goes on", ErrHeld, held)
	}
	if err := f.takeLead(); err != nil {
		return err
	}
	return f.o.Regenerate(ctx)
}

func (f *follower) report(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != f.said {
		f.o.Report(text)
	}
	f.said = text
}

// takeLead takes the right to follow, if nobody has it. The kernel frees it
// when its holder dies.
func (f *follower) takeLead() error {
	if f.lead != nil {
		return nil
	}
	l := flock.New(filepath.Join(f.g.layout.local, ownDir, "watch.lock"))
	ok, err := l.TryLock()
	if err == nil && !ok {
		err = errors.Join(errFollowed, l.Close())
	}
	if err == nil {
		f.lead = l
	}
	return err
}

func (f *follower) release() {
	if f.lead != nil {
		_ = f.lead.Unlock()
	}
}

// watchFiles watches the folders of the files: they are replaced as a whole.
func (f *follower) watchFiles(ctx context.Context, sources *sync.WaitGroup) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return say.Errorf("watch files: %w", err)
	}
	for _, file := range append(slices.Clone(f.o.Files), f.o.Config) {
		if _, err := os.Stat(filepath.Dir(file)); file == "" || err != nil {
			continue // looked at now and then all the same
		}
		if err := w.Add(filepath.Dir(file)); err != nil {
			return errors.Join(say.Errorf("watch %s: %w", file, err), w.Close())
		}
	}
	sources.Go(func() {
		defer func() { _ = w.Close() }()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-w.Events:
				f.fileChanged(e)
			case _, open := <-w.Errors: // an overflow, say: look
				if !open {
					return
				}
				signal(f.changed)
			}
		}
	})
	return nil
}

func (f *follower) fileChanged(e fsnotify.Event) {
	switch {
	case e.Has(fsnotify.Chmod):
	case e.Name == f.o.Config:
		signal(f.reconfigured)
	case slices.Contains(f.o.Files, e.Name):
		signal(f.changed)
	}
}

// watchHealth notices servers that went down or came back.
func (f *follower) watchHealth(ctx context.Context) {
	if f.g.o.Health == nil {
		return
	}
	tick := time.NewTicker(healthTick)
	defer tick.Stop()
	last := f.g.o.Health()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := f.g.o.Health()
		if !maps.EqualFunc(last, now, func(a, b Health) bool { return a.Down == b.Down }) {
			signal(f.changed)
		}
		last = now
	}
}

// watchEvents listens to Podman, and looks once more whenever it begins to:
// what happened before is not told.
func (f *follower) watchEvents(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := f.o.Events(ctx)
		if err == nil {
			signal(f.changed)
			for range events {
				signal(f.changed)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}
