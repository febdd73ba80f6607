package attach_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"flatnet/core/attach"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
)

// world is a machine and what a runtime believes of it: which containers are
// attached, and by which address.
type world struct {
	*host
	t     *testing.T
	rnd   *rand.Rand
	boots int
	fake  *kernel.Fake
	live  map[string]netip.Addr
	paths map[string]string
	story []string // what was done, for the report
}

const poolSize = 5

func newWorld(t *testing.T, seed uint64) *world {
	dir, err := os.MkdirTemp("/run", "world-") // no disk: there are thousands of writes
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 0)), fake: kernel.NewFake(), live: map[string]netip.Addr{}, paths: map[string]string{}}
	w.host = newHost(t, w.fake)
	w.dir = dir
	w.config.Network.RangeEnd = netip.MustParseAddr("10.87.1.6")
	return w
}

// TestAnySequence does random sequences of what happens to containers, calls
// that break off and reboots among it, and looks after each step that those
// that live have what they were given, and nobody else has it.
func TestAnySequence(t *testing.T) {
	for seed := range uint64(60) {
		w := newWorld(t, seed)
		steps := []func(){w.start, w.start, w.start, w.stop, w.crash, w.brokenStart, w.brokenStop, w.collect}
		for i := range 60 {
			if i%25 == 24 {
				w.reboot()
			} else {
				steps[w.rnd.IntN(len(steps))]()
			}
			w.look()
			if t.Failed() {
				t.Fatalf("seed %d, after %s", seed, strings.Join(w.story, ", "))
			}
		}
	}
}

func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// one of the names that are, or are not, attached; "" if there is none.
func (w *world) pick(live bool) string {
	var names []string
	for i := range poolSize + 2 {
		name := fmt.Sprintf("container%d", i)
		if _, is := w.live[name]; is == live {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[w.rnd.IntN(len(names))]
}

// request makes a new namespace for the container, as every start does.
func (w *world) request(name string) attach.Request {
	if old := w.paths[name]; old != "" {
		w.fake.DeleteNamespace(old)
	}
	path := fmt.Sprintf("/run/netns/%s-%d", name, len(w.story))
	w.fake.AddNamespace(path)
	w.paths[name] = path
	return request(name, path)
}

func (w *world) start() {
	name := w.pick(false)
	if name == "" {
		return
	}
	w.tell("start %s", name)
	result, err := w.attacher(w.fake).Add(context.Background(), w.request(name))
	switch {
	case err == nil:
		w.live[name] = result.Address.Addr()
	case !errors.Is(err, ipam.ErrExhausted) || len(w.leases()) < poolSize:
		w.t.Errorf("add %s: %v", name, err)
	}
}

func (w *world) stop() {
	if name := w.pick(true); name != "" {
		w.tell("stop %s", name)
		w.mustDel(attach.ID{ContainerID: name, IfName: "eth0"})
		delete(w.live, name)
	}
}

// crash ends a container without DEL.
func (w *world) crash() {
	if name := w.pick(true); name != "" {
		w.tell("crash %s", name)
		w.fake.DeleteNamespace(w.paths[name])
		delete(w.live, name)
	}
}

// breaking is a kernel that stops answering after some operations, as a
// process does that is killed.
func (w *world) breaking() kernel.Kernel {
	var left atomic.Int64
	left.Store(w.rnd.Int64N(30))
	return kernel.Hooked(w.fake, func(op, _ string) error {
		if left.Add(-1) < 0 {
			return fmt.Errorf("%s: %w", op, errInjected)
		}
		return nil
	})
}

func (w *world) brokenStart() {
	name := w.pick(false)
	if name == "" {
		return
	}
	w.tell("start %s, broken off", name)
	// What it did alone counts for nothing: the runtime takes it for failed.
	_, _ = w.attacher(w.breaking()).Add(context.Background(), w.request(name))
}

func (w *world) brokenStop() {
	name := w.pick(true)
	if name == "" {
		return
	}
	w.tell("stop %s, broken off", name)
	_ = w.attacher(w.breaking()).Del(context.Background(), attach.ID{ContainerID: name, IfName: "eth0"})
	w.fake.DeleteNamespace(w.paths[name])
	delete(w.live, name)
}

func (w *world) collect() {
	w.tell("collect")
	var valid []attach.ID
	for name := range w.live {
		valid = append(valid, attach.ID{ContainerID: name, IfName: "eth0"})
	}
	if err := w.attacher(w.fake).GC(context.Background(), valid); err != nil {
		w.t.Errorf("GC: %v", err)
	}
	if leases, ends := w.leases(), w.hostEnds(); len(leases) != len(w.live) || len(ends) != len(w.live) {
		w.t.Errorf("after GC: leases %v, host ends %v, and %d containers live", leases, ends, len(w.live))
	}
}

func (w *world) reboot() {
	w.tell("reboot")
	w.boots++
	w.fake = kernel.NewFake()
	w.fake.SetBootID(fmt.Sprintf("00000000-0000-4000-8000-%012d", w.boots+1))
	w.kernel = w.fake
	w.live, w.paths = map[string]netip.Addr{}, map[string]string{}
}

// look compares what is with what the runtime believes.
func (w *world) look() {
	leases := w.leases()
	for name, ip := range w.live {
		id := attach.ID{ContainerID: name, IfName: "eth0"}
		has := func(l ipam.Lease) bool { return l.ContainerID == name }
		i := slices.IndexFunc(leases, has)
		if i < 0 || leases[i].IP != ip {
			w.t.Errorf("%s was given %s; leases: %v", name, ip, leases)
		}
		if err := w.attacher(w.fake).Check(context.Background(), id, w.paths[name], attach.Expected{}); err != nil {
			w.t.Errorf("%s: %v", name, err)
		}
	}
	owners, veths := map[string]bool{}, map[string]bool{}
	for _, l := range leases {
		if owners[l.ContainerID] || veths[l.HostVeth] {
			w.t.Errorf("two leases of one container, or with one veth: %v", leases)
		}
		owners[l.ContainerID], veths[l.HostVeth] = true, true
	}
}
