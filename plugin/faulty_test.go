package plugin_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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
// a kernel operation that panics, a state whose lock someone holds.
const (
	panicEnv  = "FLATNET_TEST_PANIC"
	lockedEnv = "FLATNET_TEST_LOCKED"
)

func isFaulty() bool { return os.Getenv(panicEnv) != "" || os.Getenv(lockedEnv) != "" }

func runFaulty() int {
	return plugin.Run(plugin.Parts{
		Kernel: kernel.Hooked(kernel.New(), func(op, _ string) error {
			if op == os.Getenv(panicEnv) {
				panic("a fault of the program")
			}
			return nil
		}),
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
func TestLockHeld(t *testing.T) {
	m := newMachine(t, "")
	m.add("first")
	path := nettest.New(t)
	lock, err := filelock.Acquire(context.Background(), filepath.Join(m.state, journal.LockName), "a patient holder")
	if err != nil {
		t.Fatal(err)
	}
	real := m.plugin
	m.plugin = "/proc/self/exe"
	a := m.call(call{verb: "ADD", id: "second", netns: path, env: []string{lockedEnv + "=1"}})
	if a.failure.Code != 11 || !strings.Contains(a.failure.Msg+a.failure.Details, "a patient holder") {
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

// TestPanic: a fault of the program is a CNI error like others, and undone.
func TestPanic(t *testing.T) {
	for _, op := range []string{"BootID", "AddVeth", "AddRoute", "SaveRules"} {
		t.Run(op, func(t *testing.T) {
			m := newMachine(t, "")
			m.plugin = "/proc/self/exe"
			a := m.call(call{verb: "ADD", id: "0123456789abcdef", netns: nettest.New(t), env: []string{panicEnv + "=" + op}})
			if a.failure.Code != 999 || !strings.Contains(a.failure.Msg, "a fault of the program") {
				t.Error(a)
			}
			m.nothingLeft("after the panic")
			if links := m.links("flatnet"); len(links) > 0 {
				t.Errorf("the bridge is left: %v", links)
			}
		})
	}
}
