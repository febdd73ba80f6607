package attach_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"flatnet/core/attach"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/ports"
)

var errInjected = errors.New("injected")

// step is one operation of a call: its name and target, and how often that
// was done before. Steps run beside each other, so numbers do not tell them.
type step struct {
	op  string
	nth int
}

// fault notes the steps of a call, and lets one of them fail, with all that
// follow if lasting.
type fault struct {
	at      step
	lasting bool

	mu    sync.Mutex
	done  map[string]int
	steps []step
	hit   bool
}

func (f *fault) before(op, target string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = map[string]int{}
	}
	op += " " + target
	s := step{op, f.done[op]}
	f.done[op]++
	f.steps = append(f.steps, s)
	if s == f.at || f.hit && f.lasting {
		f.hit = true
		return fmt.Errorf("%s: %w", op, errInjected)
	}
	return nil
}

// stepsOf gives the steps of a call in which nothing fails.
func stepsOf(t *testing.T, h *host, call func(kernel.Kernel) error) []step {
	t.Helper()
	f := &fault{}
	if err := call(kernel.Hooked(h.kernel, f.before)); err != nil {
		t.Fatal(err)
	}
	return f.steps
}

// published is what the containers of these tests publish, so that its steps
// fail too.
var published = []ports.Mapping{{Host: 8080, Container: 80, Count: 2, Protocol: "tcp"}}

// TestFaultAtEveryStepOfAdd lets each kernel operation of an Add fail in turn:
// on an empty machine, where bridge and rules are made too, and beside a
// container that stands. Nothing of the failed Add is left, and the next works.
func TestFaultAtEveryStepOfAdd(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		t.Run("first", func(t *testing.T) { faultyAdds(t, h, false) })
		stands := request("stands", h.add())
		h.mustAdd(stands)
		t.Run("second", func(t *testing.T) { faultyAdds(t, h, true) })
		if err := h.attacher(h.kernel).Check(context.Background(), stands.ID, stands.NetNS, attach.Expected{}); err != nil {
			t.Errorf("the container that stood was harmed: %v", err)
		}
	})
}

// faultyAdds goes through the steps. others: containers stand beside, so that
// bridge and rules are to stay.
func faultyAdds(t *testing.T, h *host, others bool) {
	path := h.add()
	r := request("faulty", path)
	r.Ports = published
	add := func(k kernel.Kernel) error {
		_, err := h.attacher(k).Add(context.Background(), r)
		return err
	}
	clear := func() {
		h.mustDel(r.ID)
		if !others {
			removeNetwork(t, h)
		}
	}
	before := picture(t, h, path)
	steps := stepsOf(t, h, add)
	clear()
	failed := 0
	for _, s := range steps {
		f := &fault{at: s}
		err := add(kernel.Hooked(h.kernel, f.before))
		if !f.hit {
			t.Errorf("%v was not reached", s)
		}
		if err != nil {
			failed++
			if !errors.Is(err, errInjected) {
				t.Errorf("fault at %v: the error is not the fault's: %v", s, err)
			}
			if after := picture(t, h, path); after != before {
				t.Errorf("fault at %v (%v):\nbefore:\n%safter:\n%s", s, err, before, after)
			}
			h.mustAdd(r)
		}
		clear()
	}
	if failed < 15 {
		t.Errorf("only %d of %d faults failed the call: %v", failed, len(steps), steps)
	}
}

// TestKernelThatStopsAnswering lets everything fail from one operation on, the
// undo included: what is left then, Del takes away once the kernel answers.
func TestKernelThatStopsAnswering(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		r := request("faulty", h.add())
		r.Ports = published
		add := func(k kernel.Kernel) error {
			_, err := h.attacher(k).Add(context.Background(), r)
			return err
		}
		steps := stepsOf(t, h, add)
		h.mustDel(r.ID)
		for _, s := range steps {
			f := &fault{at: s, lasting: true}
			_ = add(kernel.Hooked(h.kernel, f.before))
			h.mustDel(r.ID)
			h.nothingLeft("after " + s.op)
		}
	})
}

// TestFaultAtEveryStepOfDel: a Del that fails says so and can be called again.
func TestFaultAtEveryStepOfDel(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		r := request("faulty", h.add())
		r.Ports = published
		del := func(k kernel.Kernel) error { return h.attacher(k).Del(context.Background(), r.ID) }
		h.mustAdd(r)
		for _, s := range stepsOf(t, h, del) {
			h.mustAdd(r)
			f := &fault{at: s}
			err := del(kernel.Hooked(h.kernel, f.before))
			links, leases := len(h.hostEnds()), len(h.leases())
			if err == nil && links+leases > 0 {
				t.Errorf("fault at %v: Del is content, and %d links and %d leases are left", s, links, leases)
			}
			if links > 0 && leases == 0 {
				t.Errorf("fault at %v: the address is free, and the container still has it", s)
			}
			h.mustDel(r.ID)
			h.nothingLeft("after " + s.op)
		}
	})
}

// failingStore fails before or after what it does.
type failingStore struct {
	ipam.Store
	count, at int
	after     bool
}

func (s *failingStore) Update(ctx context.Context, change func(*ipam.State) ([]journal.Entry, error)) error {
	s.count++
	if s.count != s.at {
		return s.Store.Update(ctx, change)
	}
	if s.after {
		if err := s.Store.Update(ctx, change); err != nil {
			return err
		}
	}
	return errInjected
}

// TestStoreThatFails: also where the lease is on the disk and the store
// reports a failure all the same.
func TestStoreThatFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%v", after), func(t *testing.T) {
			h := newFakeHost(t)
			r := request("faulty", h.add())
			a := attach.New(attach.Options{
				Kernel: h.kernel, Store: &failingStore{Store: h.store(), at: 1, after: after}, Config: h.config, Now: now,
			})
			if _, err := a.Add(context.Background(), r); !errors.Is(err, errInjected) {
				t.Errorf("add: %v", err)
			}
			h.nothingLeft("after the failure")
		})
	}
}

// TestPanicUndoes: a fault of the program itself takes back what was made.
func TestPanicUndoes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *host) {
		path := h.add()
		k := kernel.Hooked(h.kernel, func(op, _ string) error {
			if op == "AddRoute" {
				panic("a fault of the program")
			}
			return nil
		})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = h.attacher(k).Add(context.Background(), request("panic", path))
		}()
		h.nothingLeft("after the panic")
		h.mustAdd(request("panic", path))
	})
}
