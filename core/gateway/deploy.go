package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"flatnet/core"
	"flatnet/core/say"
)

// lockWait is how long a deployment waits for another one's end.
const lockWait = 20 * time.Second

// unchanged is what a person need not worry about after most failures.
const unchanged say.Text = "nothing was changed; what runs goes on"

// Outcome is what a deployment came to.
type Outcome struct {
	Generation int
	Confirmed  bool     // the running server said that it serves it
	Reloaded   bool     // false in lua mode where only the table changed
	Notes      []string // nginx is not running; an edited file was kept
}

// Deploy makes a change: it keeps the generation, has nginx test exactly what
// would run, puts it in place in one step, reloads, and asks the server. If
// anything fails, what was there before is put back. Killed at any moment, it
// leaves a whole and tested configuration.
func (g *Gateway) Deploy(ctx context.Context, c Change) (Outcome, error) {
	out := Outcome{Generation: c.Generation.Number}
	if c.Nothing {
		return out, nil
	}
	if err := g.makeFolders(); err != nil {
		return out, err
	}
	unlock, err := lock(ctx, g.layout.lock())
	if err != nil {
		return out, err
	}
	defer unlock()
	if err := g.stillSo(c); err != nil {
		return out, err
	}
	g.clean()
	for _, file := range c.live.edited {
		kept, err := g.keepAside(file)
		if err != nil {
			return out, err
		}
		if kept != "" {
			out.Notes = append(out.Notes, "The file that was edited by hand is kept as "+kept+".")
		}
	}
	return g.deploy(ctx, c, out)
}

// stillSo looks, under the lock, whether what c was planned for is still there.
func (g *Gateway) stillSo(c Change) error {
	held, err := g.readHold()
	if err != nil {
		return err
	}
	now, err := g.readLive()
	if err == nil && (!equal(now.have, c.live.have) || !bytes.Equal(held, c.held)) {
		err = ErrOvertaken
	}
	return err
}

// deploy goes on under the lock.
func (g *Gateway) deploy(ctx context.Context, c Change, out Outcome) (Outcome, error) {
	if !c.kept() {
		if err := g.store.write(c.Generation, c.Files); err != nil {
			return out, &core.OpError{Op: "keep the new generation in", Target: g.store.dir, Err: err, Hint: unchanged}
		}
	}
	out.Reloaded = c.Behind() || c.Main != nil || !bytes.Equal(c.live.have.Conf(), c.Files.Conf())
	if out.Reloaded {
		if err := g.testChange(ctx, c); err != nil {
			return out, errors.Join(err, g.discard(c))
		}
	}
	undo, err := g.put(c)
	if err != nil {
		return out, g.notPut(c, undo, err)
	}
	if err := g.activate(ctx, &out); err != nil {
		return out, g.putBack(ctx, c, out, undo, err)
	}
	if c.Resumes() {
		err = g.resume()
	}
	return out, errors.Join(err, g.store.prune(g.o.Config.Generations, c.Generation.Number), g.pruneLua(c))
}

// activate makes nginx serve what was put in place, and has it say so.
func (g *Gateway) activate(ctx context.Context, out *Outcome) error {
	url := g.o.HealthURL(ctx)
	if out.Reloaded {
		err := g.reload(ctx)
		if errors.Is(err, errNotRunning) && !g.answers(ctx, url) {
			out.Notes = append(out.Notes, "nginx is not running. Start it with: "+g.startCommand())
			return nil
		}
		if err != nil {
			return err
		}
	}
	if url == "" {
		return nil
	}
	if !out.Reloaded && !g.answers(ctx, url) {
		out.Notes = append(out.Notes, "The gateway does not answer at "+url+".")
		return nil
	}
	if err := g.taken(ctx, url, out.Generation); err != nil {
		return err
	}
	out.Confirmed = true
	return nil
}

// startCommand is what a person types to start nginx.
func (g *Gateway) startCommand() string {
	return shellWord(g.o.Config.Nginx) + " -c " + shellWord(g.layout.mainSeen())
}

// shellWord writes a path as one word of a command line. Paths have no quotes
// in them (package config).
func shellWord(path string) string {
	if strings.ContainsAny(path, " ()~") {
		return "'" + path + "'"
	}
	return path
}

// Commands are what a person would type to test and reload by hand.
func (g *Gateway) Commands() string {
	start := g.startCommand()
	return start + " -t && " + start + " -s reload"
}

// answers tells whether any server answers where the gateway ought to.
func (g *Gateway) answers(ctx context.Context, url string) bool {
	if url == "" {
		return false
	}
	_, err := g.ask(ctx, url)
	return err == nil || errors.Is(err, errNoHeader)
}

// Verify looks whether the running server serves what is deployed.
func (g *Gateway) Verify(ctx context.Context) error {
	url := g.o.HealthURL(ctx)
	if url == "" {
		return nil
	}
	l, err := g.readLive()
	if err != nil {
		return err
	}
	served, err := g.ask(ctx, url)
	if err == nil && served != l.number {
		err = say.Errorf("it serves generation %d, and %d is deployed", served, l.number)
	}
	if err == nil {
		return nil
	}
	return &core.OpError{Op: say.F("have the gateway serve generation %d", l.number), Err: err, Hint: say.F("if nginx is not running, start it: %s", g.startCommand())}
}

// notPut takes back what was written before a write failed: nginx has seen
// nothing of it.
func (g *Gateway) notPut(c Change, undo []func() error, why error) error {
	failed := &core.OpError{Op: say.F("put generation %d in place", c.Generation.Number), Err: why, Hint: unchanged}
	return errors.Join(failed, takeBack(undo), g.discard(c))
}

// takeBack undoes writes, the last one first.
func takeBack(undo []func() error) error {
	var errs []error
	for _, u := range slices.Backward(undo) {
		errs = append(errs, u())
	}
	return errors.Join(errs...)
}

// putBack restores what was there and says why.
func (g *Gateway) putBack(ctx context.Context, c Change, out Outcome, undo []func() error, why error) error {
	ctx = context.WithoutCancel(ctx)
	errs := []error{takeBack(undo)}
	if out.Reloaded {
		if err := g.reload(ctx); err != nil && !errors.Is(err, errNotRunning) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, g.discard(c))
	if errors.Is(why, context.Canceled) {
		stopped := say.Because("stopped, and what was there before was put back", why)
		return errors.Join(append([]error{stopped}, errs...)...)
	}
	return errors.Join(&core.OpError{
		Op:   say.F("deploy generation %d", c.Generation.Number),
		Err:  say.Errorf("%w, and what was there before was put back: %w", ErrNotServed, why),
		Hint: say.F("see nginx's error log; the refused configuration is in %s", g.failed()),
	}, errors.Join(errs...))
}

// failed is where the last refused generation is kept for a look.
func (g *Gateway) failed() string { return filepath.Join(g.layout.local, ownDir, "failed") }

// discard takes a generation that did not work away from the kept ones.
func (g *Gateway) discard(c Change) error {
	if c.kept() {
		return nil
	}
	if err := os.RemoveAll(g.failed()); err != nil {
		return err
	}
	return os.Rename(g.store.path(c.Generation.Number), g.failed())
}

// testChange has nginx read the very files that would run: nginx.conf as it
// will be, its include leading to the kept generation instead of the live one.
func (g *Gateway) testChange(ctx context.Context, c Change) error {
	text := c.Main
	if text == nil {
		text = c.mainNow
	}
	list := filepath.Join(g.layout.local, ownDir, "test.conf")
	conf := filepath.Join(g.layout.local, testRun)
	defer func() { _, _ = os.Remove(list), os.Remove(conf) }()
	redirected, pattern, err := g.layout.redirected(text, g.layout.seen(list))
	if err != nil {
		return say.Errorf("%s: %w", g.layout.main(), err)
	}
	includes, err := g.testIncludes(c.Generation.Number, pattern)
	if err != nil {
		return err
	}
	temp := filepath.Join(g.layout.local, ownDir)
	if err := errors.Join(replaceFile(list, includes, temp), replaceFile(conf, redirected, temp)); err != nil {
		return err
	}
	return g.test(ctx, g.layout.seen(conf))
}

// testIncludes lists what nginx will load of conf.d, in its order, with the
// kept generation in the place of flatnet.conf.
func (g *Gateway) testIncludes(number int, pattern string) ([]byte, error) {
	entries, err := os.ReadDir(filepath.Join(g.layout.local, confDir))
	if err != nil {
		return nil, err
	}
	names := []string{confName}
	for _, e := range entries {
		if matches(pattern, e.Name()) && e.Name() != confName && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range names {
		file := filepath.Join(g.layout.local, confDir, name)
		if name == confName {
			file = filepath.Join(g.store.path(number), confName)
		}
		quoted, err := quote(g.layout.seen(file))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "include %s;\n", quoted)
	}
	return b.Bytes(), nil
}

func (g *Gateway) makeFolders() error {
	if err := g.layout.checkDrive(); err != nil {
		return err
	}
	for _, dir := range g.folders() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return &core.OpError{Op: "make the gateway's folder", Target: dir, Err: err, Hint: "gateway.config_dir in the configuration says where it is"}
		}
	}
	return nil
}

// lock takes the lock file at path; the kernel frees it when its holder dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	l := flock.New(path)
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	_, err = l.TryLockContext(ctx, 20*time.Millisecond)
	switch {
	case err == nil:
		return func() { _ = l.Unlock() }, nil
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &core.OpError{Op: "lock", Target: path, Err: ErrBusy, Hint: "another flatnet-tui is deploying; try again in a moment"}
	}
	return nil, &core.OpError{Op: "lock", Target: path, Err: err, Hint: unchanged}
}
