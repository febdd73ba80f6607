package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/core/filelock"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/plugin"
	"flatnet/testdata/nettest"
)

// Environment variables that make this test binary a plugin with a fault in it:
// a kernel operation that panics or fails, a state whose lock someone holds; or
// one that writes down which kernel operations it does.
const (
	panicEnv  = "FLATNET_TEST_PANIC"  // "AddVeth"
	failEnv   = "FLATNET_TEST_FAIL"   // "AddVeth fn-victim00 1": the second on that target
	stepsEnv  = "FLATNET_TEST_STEPS"  // a file
	lockedEnv = "FLATNET_TEST_LOCKED" // "1"
)

func isFaulty() bool {
	for _, env := range []string{panicEnv, failEnv, stepsEnv, lockedEnv} {
		if os.Getenv(env) != "" {
			return true
		}
	}
	return false
}

// hook does to the kernel's operations what the environment says.
type hook struct {
	mu   sync.Mutex
	done map[string]int // operations side by side have no order: they are told by target and number
}

func (h *hook) before(op, target string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	op = strings.TrimSpace(op + " " + target)
	step := fmt.Sprintf("%s %d", op, h.done[op])
	h.done[op]++
	if name, _, _ := strings.Cut(op, " "); name == os.Getenv(panicEnv) {
		panic("a fault of the program")
	}
	if path := os.Getenv(stepsEnv); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(f, step)
		return errors.Join(err, f.Close())
	}
	if step == os.Getenv(failEnv) {
		return errors.New("a fault of the kernel")
	}
	return nil
}

func runFaulty() int {
	h := &hook{done: map[string]int{}}
	return plugin.Run(plugin.Parts{
		Kernel: kernel.Hooked(kernel.New(), h.before),
		OpenStore: func(dir string, o ipam.Options) ipam.Store {
			if os.Getenv(lockedEnv) != "" {
				return impatient{ipam.OpenFile(dir, o)}
			}
			return ipam.OpenFile(dir, o)
		},
		Now: now,
	})
}

// impatient waits for the lock as long as a test can.
type impatient struct{ *ipam.FileStore }

func (s impatient) Update(ctx context.Context, change func(*ipam.State) ([]journal.Entry, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	return s.FileStore.Update(ctx, change)
}

// TestLockHeld waits, and then says who holds the lock.
func TestLockHeld(t *testing.T) { onFronts(t, lockHeld) }

func lockHeld(t *testing.T, front string) {
	m := newMachineFor(t, front, "")
	m.add("first")
	path := nettest.New(t)
	lock, err := filelock.Acquire(context.Background(), filepath.Join(m.state, journal.LockName), "a patient holder")
	if err != nil {
		t.Fatal(err)
	}
	real := m.plugin
	m.plugin = "/proc/self/exe"
	a := m.call(call{verb: "ADD", id: "second", netns: path, env: []string{lockedEnv + "=1"}})
	if a.status != 1 || !strings.Contains(a.says(), "a patient holder") || front == "cni" && a.failure.Code != 11 {
		t.Errorf("while the lock is held: %s", a)
	}
	m.plugin = real
	done := make(chan answer)
	go func() { done <- m.call(call{verb: "ADD", id: "second", netns: path}) }()
	lock.Release()
	if a := <-done; a.status != 0 {
		t.Errorf("after the lock was free: %s", a)
	}
}

// TestPanic: a fault of the program is an error like others, and undone.
func TestPanic(t *testing.T) {
	onFronts(t, func(t *testing.T, front string) {
		for _, op := range []string{"BootID", "AddVeth", "AddRoute", "SaveRules"} {
			t.Run(op, func(t *testing.T) {
				m := newMachineFor(t, front, "")
				m.plugin = "/proc/self/exe"
				a := m.call(call{verb: "ADD", id: "0123456789abcdef", netns: nettest.New(t), env: []string{panicEnv + "=" + op}})
				if a.status != 1 || !strings.Contains(a.says(), "a fault of the program") || front == "cni" && a.failure.Code != 999 {
					t.Error(a)
				}
				m.nothingLeft("after the panic")
				if links := m.links("flatnet"); len(links) > 0 {
					t.Errorf("the bridge is left: %v", links)
				}
			})
		}
	})
}

// TestFaultAtEveryKernelOperation lets each operation of an ADD and of a DEL
// fail in turn. A failed ADD leaves nothing; what a failed DEL leaves, the next
// takes away.
func TestFaultAtEveryKernelOperation(t *testing.T) {
	onFronts(t, func(t *testing.T, front string) {
		for _, verb := range []string{"ADD", "DEL"} {
			t.Run(verb, func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, front)
				real := v.m.plugin
				with := func(env, value string) answer {
					v.prepare(verb)
					c := v.call(verb)
					c.env = []string{env + "=" + value}
					v.m.plugin = "/proc/self/exe"
					defer func() { v.m.plugin = real }()
					return v.m.call(c)
				}
				failed := 0
				steps := v.stepsOf(verb, with)
				for _, step := range steps {
					a := with(failEnv, step)
					if a.status != 0 {
						failed++
						if !strings.Contains(a.says(), "a fault of the kernel") {
							t.Errorf("%s: %s", step, a)
						}
						if held := v.m.held(); verb == "ADD" && len(held) != 1 {
							t.Errorf("%s: leases %v", step, held)
						}
					}
					v.mend(verb + " with a fault at " + step)
				}
				v.works("at the end")
				t.Logf("%d of %d faults failed the call", failed, len(steps))
				if failed < 2 {
					t.Errorf("only %d of %d faults failed the call: %v", failed, len(steps), steps)
				}
			})
		}
	})
}

// stepsOf gives the kernel's operations of a call in which nothing fails.
func (v *victim) stepsOf(verb string, with func(env, value string) answer) []string {
	v.m.t.Helper()
	path := filepath.Join(v.m.t.TempDir(), "steps")
	if a := with(stepsEnv, path); a.status != 0 {
		v.m.t.Fatal(a)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		v.m.t.Fatal(err)
	}
	v.mend(verb + " without a fault")
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
