package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	udiff "github.com/aymanbagabas/go-udiff"

	"flatnet/core"
	"flatnet/core/podman"
	"flatnet/core/say"
)

// Change is a deployment before it is made: everything that Deploy writes.
type Change struct {
	Generation Generation
	Files      Files
	Nothing    bool       // what is deployed is already so
	InPlace    bool       // the files are right already: only a reload is missing, or the end of a hold
	Diff       string     // of what nginx reads; in lua mode of the table too
	Main       []byte     // new nginx.conf; nil: it stays
	MainDiff   string     //
	Folders    []string   // that are missing
	Notes      []say.Text // what to know before saying yes
	Unknown    []say.Text // what could not be looked at, a sentence each

	held      []byte // what holds automatic changes, read before live; nil: nothing
	live      live
	mainNow   []byte
	rollback  bool
	served    int // by the server now; 0: none
	servedErr error
}

// Resumes tells whether the watcher was held back, and no longer is after this.
func (c Change) Resumes() bool { return c.held != nil && !c.rollback }

// Behind tells whether the server serves another generation than the one in
// place: whoever put that there was cut off before the reload.
func (c Change) Behind() bool { return c.served != 0 && c.served != c.live.number }

// kept tells whether the generation is among the kept ones already.
func (c Change) kept() bool { return c.rollback || c.InPlace }

// Preview renders what would be served now, whatever is deployed; it works
// where the gateway's folder is not there.
func (g *Gateway) Preview(ctx context.Context) (Change, error) {
	var c Change
	if l, err := g.readLive(); err == nil {
		c.live = l
	}
	return c, g.render(ctx, &c)
}

// Prepare decides what a regeneration would deploy now. It changes nothing.
func (g *Gateway) Prepare(ctx context.Context) (Change, error) {
	c, err := g.begin()
	if err != nil {
		return c, err
	}
	if err := g.render(ctx, &c); err != nil {
		return c, err
	}
	g.lookServed(ctx, &c)
	if c.live.number > 0 && len(c.live.edited) == 0 && c.Main == nil && equal(c.Files, c.live.files) {
		c.InPlace = true
		c.Nothing = !c.Behind() && !c.Resumes()
		return c, nil
	}
	if c.Generation.Number, err = g.next(c.live.number); err != nil {
		return c, err
	}
	if c.Files, err = Render(g.o.Config, g.o.Network, c.Generation); err != nil {
		return c, err
	}
	c.Diff = diff(c.live, c.Files)
	return c, nil
}

// PrepareUnasked is Prepare for a deployment that no person asked for: it
// refuses with ErrHeld while automatic changes are held.
func (g *Gateway) PrepareUnasked(ctx context.Context) (Change, error) {
	c, err := g.Prepare(ctx)
	if err == nil && c.held != nil {
		err = ErrHeld
	}
	return c, err
}

// lookServed asks the server which generation it serves.
func (g *Gateway) lookServed(ctx context.Context, c *Change) {
	url := g.o.HealthURL(ctx)
	if url == "" {
		return
	}
	if c.served, c.servedErr = g.ask(ctx, url); c.servedErr != nil {
		c.Notes = append(c.Notes, say.F("The gateway does not say what it serves: %v. If nginx is not running, start it: %s", c.servedErr, g.startCommand()))
	}
}

// render decides the sites and writes them down under the deployed number, so
// that they can be compared.
func (g *Gateway) render(ctx context.Context, c *Change) (err error) {
	in, unknown := g.input(ctx, c.live)
	sites, aside := g.checkFiles(Resolve(in))
	c.Unknown = unknown
	c.Generation = Generation{Number: c.live.number, Mode: g.o.Config.Mode, MadeAt: g.o.Now(), Sites: sites, SetAside: aside}
	c.Files, err = g.rendered.of(c.Generation, func() (Files, error) {
		return Render(g.o.Config, g.o.Network, c.Generation)
	})
	return err
}

// rendering is what was rendered last: one that is looked at every few seconds
// would be rendered each time, and come out the same. The zero rendering is
// ready.
type rendering struct {
	mu     sync.Mutex
	sites  []Site
	closed []netip.Addr
	number int
	files  Files // nil: nothing yet
}

// of gives the files of that generation, which are not to be changed; render
// makes them.
func (r *rendering) of(g Generation, render func() (Files, error)) (Files, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	shut := closed(g)
	if r.files != nil && r.number == g.Number && slices.Equal(r.closed, shut) && reflect.DeepEqual(r.sites, g.Sites) {
		return r.files, nil
	}
	files, err := render()
	if err == nil {
		r.sites, r.closed, r.number, r.files = g.Sites, shut, g.Number, files
	}
	return files, err
}

// PrepareRollback decides how to go back to a kept generation; 0 is the one
// before the deployed one.
func (g *Gateway) PrepareRollback(ctx context.Context, number int) (Change, error) {
	c, err := g.begin()
	if err != nil {
		return c, err
	}
	if number == 0 {
		if number, err = g.before(c.live.number); err != nil {
			return c, err
		}
	}
	if c.Generation, err = g.store.meta(number); err != nil {
		return c, err
	}
	if c.Files, err = g.store.files(number); err != nil {
		return c, err
	}
	g.lookServed(ctx, &c)
	c.rollback = true
	c.Nothing = number == c.live.number && len(c.live.edited) == 0 && c.Main == nil
	c.Diff = diff(c.live, c.Files)
	c.Notes = append(c.Notes, "Nothing follows the containers from then on, until the gateway is applied again.")
	return c, nil
}

// begin looks at what is there.
func (g *Gateway) begin() (Change, error) {
	var c Change
	if err := g.layout.checkDrive(); err != nil {
		return c, err
	}
	var err error
	if c.held, err = g.readHold(); err != nil {
		return c, err
	}
	if c.live, err = g.readLive(); err != nil {
		return c, err
	}
	for _, file := range c.live.edited {
		c.Notes = append(c.Notes, say.F("%s was changed by hand: it will be kept in %s.", file, g.layout.kept()))
	}
	for _, dir := range g.folders() {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			c.Folders = append(c.Folders, dir)
		}
	}
	return c, g.mainChange(&c)
}

// folders are the ones of the seed's tree that the gateway needs.
func (g *Gateway) folders() []string {
	base := filepath.Dir(g.layout.local)
	all := []string{g.layout.local, filepath.Join(g.layout.local, confDir), filepath.Join(g.layout.local, ownDir)}
	if _, err := os.Stat(g.layout.main()); err == nil {
		return all
	}
	return append(all, filepath.Join(base, "logs"), filepath.Join(base, "temp"))
}

// mainChange decides what becomes of nginx.conf.
func (g *Gateway) mainChange(c *Change) error {
	now, err := readFile(g.layout.main())
	if errors.Is(err, fs.ErrNotExist) {
		c.Main = g.layout.wholeMain(g.o.Config)
		c.MainDiff = udiff.Unified("nginx.conf (none)", "nginx.conf", "", string(c.Main))
		return nil
	}
	if err != nil {
		return err
	}
	c.mainNow = now
	want, err := g.layout.withInclude(now)
	if err != nil {
		return &core.OpError{
			Op: "add the include to", Target: g.layout.main(), Err: err,
			Hint: say.F("see what nginx -t says of it; where it is not there yet, write this line into its http block: include %s;", g.layout.include()),
		}
	}
	if !bytes.Equal(now, want) {
		c.Main = want
		c.MainDiff = udiff.Unified("nginx.conf", "nginx.conf (new)", string(now), string(want))
	}
	return nil
}

// input gathers what decides the sites. unknown says what could not be asked.
func (g *Gateway) input(ctx context.Context, l live) (in Input, unknown []say.Text) {
	in = Input{Config: g.o.Config, Network: g.o.Network, Now: g.o.Now()}
	in.ContainersErr = podman.ErrUnavailable
	if g.o.Containers != nil {
		if in.Containers, in.ContainersErr = g.o.Containers(ctx); in.ContainersErr != nil {
			in.Containers = nil
			unknown = append(unknown, say.F("The containers are not known (%v): sites of labelled ones stay as they were.", in.ContainersErr))
		}
	}
	if g.o.Leases != nil {
		if in.Leases, in.LeasesErr = g.o.Leases(ctx); in.LeasesErr != nil {
			unknown = append(unknown, say.F("The leases are not known: %v.", in.LeasesErr))
		}
	}
	if g.o.Health != nil {
		in.Health = g.o.Health()
	}
	if last, err := g.store.meta(l.number); err == nil {
		in.Previous = last.Sites
	}
	var err error
	if in.Maintenance, err = g.readMaintenance(); err != nil {
		in.Maintenance = inMaintenance(in.Previous)
		unknown = append(unknown, say.F("Which sites are in maintenance is not known (%v): those that were stay so.", err))
	}
	return in, unknown
}

// inMaintenance lists the hosts of sites that are in maintenance.
func inMaintenance(sites []Site) []string {
	var hosts []string
	for _, s := range sites {
		if s.Maintenance {
			hosts = append(hosts, s.Host)
		}
	}
	return hosts
}

// next is the number of the next generation; none is used twice.
func (g *Gateway) next(deployed int) (int, error) {
	all, err := g.store.numbers()
	for _, n := range all {
		deployed = max(deployed, n)
	}
	return deployed + 1, err
}

// before is the newest kept generation before the deployed one.
func (g *Gateway) before(deployed int) (int, error) {
	all, err := g.store.numbers()
	if err != nil {
		return 0, err
	}
	found := 0
	for _, n := range all {
		if n < deployed {
			found = n
		}
	}
	if found == 0 {
		return 0, say.Errorf("%w before generation %d", ErrNoGeneration, deployed)
	}
	return found, nil
}

func equal(a, b Files) bool {
	if len(a) != len(b) {
		return false
	}
	for name, text := range a {
		if !bytes.Equal(text, b[name]) {
			return false
		}
	}
	return true
}

// diff compares what is there with what will be, for people.
func diff(l live, f Files) string {
	d := udiff.Unified(confName, confName+" (new)", string(l.have.Conf()), string(f.Conf()))
	return d + udiff.Unified(routesName, routesName+" (new)", readable(l.have[routesName]), readable(f[routesName]))
}

// readable puts JSON on lines of its own.
func readable(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return string(text)
	}
	return strings.TrimSpace(b.String()) + "\n"
}
