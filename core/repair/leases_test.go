package repair_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/leases"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// containers is what Podman says; nil: it cannot be asked.
type containers map[string]podman.Container

func (c *containers) Containers(context.Context) ([]podman.Container, error) {
	if *c == nil {
		return nil, podman.ErrUnavailable
	}
	var all []podman.Container
	for _, one := range *c {
		all = append(all, one)
	}
	return all, nil
}

func (*containers) Info(context.Context) (podman.Info, error) { return podman.Info{}, nil }

func (*containers) Events(context.Context) (<-chan podman.Event, error) {
	return nil, podman.ErrUnavailable
}

// leasehold is a machine with containers: real namespaces, a real bridge-less
// veth each, a real state.
type leasehold struct {
	*testing.T
	repair.Leases
	podman containers
	config string // the configuration file, which is not there at first
	boot   string
	clock  time.Time
}

func newLeasehold(t *testing.T) *leasehold {
	t.Helper()
	nettest.Need(t)
	h := &leasehold{
		T: t, podman: containers{}, config: filepath.Join(t.TempDir(), "flatnet.toml"),
		clock: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
	k := kernel.New()
	t.Cleanup(func() { _ = k.Close() })
	var err error
	if h.boot, err = k.BootID(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ipam")
	p := ipam.PoolOf(config.Default())
	h.Leases = repair.Leases{
		Store:   ipam.OpenFile(dir, ipam.Options{Pool: p, Holder: "test", Now: h.now}),
		Kernel:  k,
		Journal: journal.Open(dir, "test"),
	}
	h.Sources = leases.Sources{Network: "flatnet", Pool: p, Store: h.Store, Kernel: k, Podman: &h.podman, Now: h.now}
	return h
}

func (h *leasehold) now() time.Time {
	h.clock = h.clock.Add(time.Second)
	return h.clock
}

// start makes a running container with a lease and a veth pair.
func (h *leasehold) start(name string) ipam.Lease {
	h.Helper()
	path := nettest.New(h)
	ns, err := h.Kernel.Open(h.Context(), path)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	nsID, err := h.Kernel.Identify(h.Context(), path)
	if err != nil {
		h.Fatal(err)
	}
	var l ipam.Lease
	err = h.Store.Update(h.Context(), func(s *ipam.State) (entries []journal.Entry, err error) {
		l, entries, err = ipam.Allocate(s, h.Sources.Pool, ipam.Request{
			ContainerID: name + "-id", Name: name, IfName: "eth0", NetNS: path, NetNSID: nsID,
			BootID: h.boot, HostVeth: "fn-" + name, By: "plugin ADD",
		}, h.now())
		return entries, err
	})
	if err != nil {
		h.Fatal(err)
	}
	alias := fmt.Sprintf("flatnet flatnet %s eth0 %s %s", l.ContainerID, l.IP, name)
	if err := h.Kernel.AddVeth(h.Context(), kernel.Veth{Host: l.HostVeth, Alias: alias, Peer: "eth0", PeerNS: ns, MTU: 1500}); err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = h.Kernel.DeleteLink(context.Background(), l.HostVeth) })
	h.podman[name] = podman.Container{
		ID: l.ContainerID, Name: name, State: "running",
		Networks: map[string]podman.Attachment{"flatnet": {IP: l.IP}},
	}
	return l
}

// crash takes a container away without its DEL.
func (h *leasehold) crash(name string, l ipam.Lease) {
	delete(h.podman, name)
	nettest.Delete(l.NetNS)
	// The kernel takes the veth away by itself, but only a moment later.
	if err := h.Kernel.DeleteLink(h.Context(), l.HostVeth); err != nil && !errors.Is(err, kernel.ErrNotFound) {
		h.Fatal(err)
	}
}

func (h *leasehold) apply(p repair.Plan) error {
	_, err := repair.Apply(h.Context(), p, repair.Options{By: "key r", Journal: h.Journal, Now: h.now})
	return err
}

func (h *leasehold) held() string {
	h.Helper()
	s, err := h.Store.Read(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	var all []string
	for l := range s.All() {
		all = append(all, l.IP.String()+" "+l.Name)
	}
	return strings.Join(all, ", ")
}

func (h *leasehold) plan(f func(context.Context, repair.Leases) (repair.Plan, error)) repair.Plan {
	h.Helper()
	p, err := f(h.Context(), h.Leases)
	if err != nil {
		h.Fatal(err)
	}
	return p
}

// undo plans to take back the last change.
func (h *leasehold) undo() repair.Plan {
	h.Helper()
	return h.plan(func(ctx context.Context, l repair.Leases) (repair.Plan, error) {
		return repair.Undo(ctx, l, h.config)
	})
}

func TestReleaseStaleLeavesTheLivingAlone(t *testing.T) {
	h := newLeasehold(t)
	h.start("web")
	h.crash("db", h.start("db"))
	doubtful := h.start("job")
	delete(h.podman, "job") // its namespace stays

	p := h.plan(repair.ReleaseStale)
	if len(p.Steps) != 1 || !strings.Contains(p.Steps[0].Text.String(), "10.87.1.3 from db") || p.Steps[0].Command != "flatnet-tui leases release 10.87.1.3" {
		t.Fatalf("steps: %+v", p.Steps)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0].String(), doubtful.IP.String()) {
		t.Errorf("notes: %v", p.Notes)
	}
	if err := h.apply(p); err != nil {
		t.Fatal(err)
	}
	if got := h.held(); got != "10.87.1.2 web, 10.87.1.4 job" {
		t.Errorf("held: %s", got)
	}
	entries, err := h.Journal.Recent(t.Context(), 1, nil)
	if err != nil || entries[0].Action != "release" || entries[0].By != "key r" || entries[0].IP != "10.87.1.3" {
		t.Errorf("journal: %+v, %v", entries, err)
	}
	if again := h.plan(repair.ReleaseStale); len(again.Steps) != 0 {
		t.Errorf("a second time: %+v", again.Steps)
	}
}

func TestReleaseStaleWithoutPodmanDoesNothing(t *testing.T) {
	h := newLeasehold(t)
	h.crash("db", h.start("db"))
	h.podman = nil
	if p := h.plan(repair.ReleaseStale); len(p.Steps) != 0 || len(p.Notes) != 2 {
		t.Errorf("plan: %+v", p)
	}
}

func TestReleaseRefusesTheLiving(t *testing.T) {
	h := newLeasehold(t)
	web := h.start("web")
	ips := []netip.Addr{web.IP}
	_, err := repair.Release(t.Context(), h.Leases, ips, false)
	if !errors.Is(err, repair.ErrHarm) || !strings.Contains(err.Error(), "web") || !strings.Contains(core.Hint(err).String(), "release --force 10.87.1.") {
		t.Fatalf("error %v", err)
	}
	p, err := repair.Release(t.Context(), h.Leases, ips, true)
	if err != nil || len(p.Notes) != 1 {
		t.Fatalf("forced: %+v, %v", p, err)
	}
	if err := h.apply(p); err != nil {
		t.Fatal(err)
	}
	if got := h.held(); got != "" {
		t.Errorf("held: %s", got)
	}
	if _, err := h.Kernel.Link(t.Context(), web.HostVeth); !errors.Is(err, kernel.ErrNotFound) {
		t.Errorf("its interface is still there: %v", err)
	}
}

func TestReleaseOfNothing(t *testing.T) {
	h := newLeasehold(t)
	_, err := repair.Release(t.Context(), h.Leases, []netip.Addr{netip.MustParseAddr("10.87.1.77")}, false)
	if !errors.Is(err, ipam.ErrNoLease) {
		t.Errorf("error %v", err)
	}
}

// TestStartedAgainInBetween starts the container again after the plan was
// made: once before Apply looks, once between its look and the release.
func TestStartedAgainInBetween(t *testing.T) {
	again := func(h *leasehold, l ipam.Lease) {
		h.podman["db"] = podman.Container{
			ID: l.ContainerID, Name: "db", State: "running",
			Networks: map[string]podman.Attachment{"flatnet": {IP: l.IP}},
		}
		path := nettest.New(h)
		nsID, err := h.Kernel.Identify(h.Context(), path)
		if err != nil {
			h.Fatal(err)
		}
		err = h.Store.Update(h.Context(), func(s *ipam.State) ([]journal.Entry, error) {
			_, entries, err := ipam.Allocate(s, h.Sources.Pool, ipam.Request{
				ContainerID: l.ContainerID, Name: "db", IfName: "eth0", NetNS: path, NetNSID: nsID, BootID: h.boot, By: "plugin ADD",
			}, h.now())
			return entries, err
		})
		if err != nil {
			h.Fatal(err)
		}
	}
	for _, early := range []bool{true, false} {
		h := newLeasehold(t)
		l := h.start("db")
		h.crash("db", l)
		p := h.plan(repair.ReleaseStale)
		if early {
			again(h, l)
		} else {
			fits := p.Fits
			p.Fits = func(ctx context.Context) error {
				err := fits(ctx)
				again(h, l)
				return err
			}
		}
		if err := h.apply(p); !errors.Is(err, repair.ErrChanged) {
			t.Errorf("early %v: error %v, want ErrChanged", early, err)
		}
		if got := h.held(); got != "10.87.1.2 db" {
			t.Errorf("early %v: held: %q", early, got)
		}
	}
}

func TestUndo(t *testing.T) {
	h := newLeasehold(t)
	web, db, job := h.start("web"), h.start("db"), h.start("job")
	before := h.held()
	for name, l := range map[string]ipam.Lease{"web": web, "db": db, "job": job} {
		h.crash(name, l)
	}
	if err := h.apply(h.plan(repair.ReleaseStale)); err != nil {
		t.Fatal(err)
	}
	p := h.undo()
	if len(p.Steps) != 3 || !strings.Contains(p.Title.String(), "key r") {
		t.Fatalf("plan: %+v", p)
	}
	if err := h.apply(p); err != nil {
		t.Fatal(err)
	}
	if got := h.held(); got != before {
		t.Errorf("held: %s, want %s", got, before)
	}
	s, _ := h.Store.Read(t.Context())
	if l, _ := s.Lease(db.IP); !l.SameAttachment(db) {
		t.Errorf("given back: %+v, was %+v", l, db)
	}
	if again := h.undo(); len(again.Steps) != 0 {
		t.Errorf("a second undo: %+v", again.Steps)
	}
	entries, err := h.Journal.Recent(t.Context(), 1, journal.OfIP(job.IP))
	if err != nil || entries[0].Action != repair.UndoID || entries[0].By != "key r" {
		t.Errorf("journal: %+v, %v", entries, err)
	}
}

func TestUndoLeavesTakenAddressesAlone(t *testing.T) {
	h := newLeasehold(t)
	web, db := h.start("web"), h.start("db")
	h.crash("web", web)
	h.crash("db", db)
	if err := h.apply(h.plan(repair.ReleaseStale)); err != nil {
		t.Fatal(err)
	}
	err := h.Store.Update(t.Context(), func(s *ipam.State) ([]journal.Entry, error) {
		_, entries, err := ipam.Allocate(s, h.Sources.Pool, ipam.Request{ContainerID: "new", Name: "new", IfName: "eth0", IP: web.IP}, h.now())
		return entries, err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := h.undo()
	if len(p.Steps) != 1 || !strings.Contains(say.Join("\n", p.Notes...).String(), "new holds it") {
		t.Fatalf("plan: %+v", p)
	}
	if err := h.apply(p); err != nil {
		t.Fatal(err)
	}
	if got := h.held(); got != "10.87.1.2 new, 10.87.1.3 db" {
		t.Errorf("held: %s", got)
	}
}

func TestUndoOfWhatThePluginDid(t *testing.T) {
	h := newLeasehold(t)
	h.start("web")
	err := h.Store.Update(t.Context(), func(s *ipam.State) ([]journal.Entry, error) {
		return ipam.ReleaseAttachment(s, "web-id", "eth0", "plugin DEL", h.now()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := h.undo(); len(p.Steps) != 0 {
		t.Errorf("the plugin's own release can be undone: %+v", p.Steps)
	}
}
