package firewall_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// host is a namespace of the test's own, with the kernel in it.
type host struct {
	*testing.T
	kernel.Kernel
	path string
}

func newHost(t *testing.T) host {
	t.Helper()
	path := nettest.New(t)
	k, err := kernel.At(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return host{t, k, path}
}

// run starts a program in the namespace.
func (h host) run(name string, args ...string) string {
	h.Helper()
	var out []byte
	var err error
	nettest.In(h, h.path, func() { out, err = exec.Command(name, args...).CombinedOutput() })
	if err != nil {
		h.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// iptables runs one command of a backend.
func (h host) iptables(b kernel.Backend, line string) {
	h.Helper()
	h.run(string(b), strings.Fields(line)...)
}

// rules gives the rules that a backend holds, without policies and comments.
func (h host) rules(b kernel.Backend) string {
	h.Helper()
	var out bytes.Buffer
	for _, table := range []string{"filter", "nat"} {
		for line := range strings.Lines(h.run(string(b), "-t", table, "-S")) {
			if !strings.HasPrefix(line, "-P") && !strings.HasPrefix(line, "#") {
				out.WriteString(line)
			}
		}
	}
	return out.String()
}

func (h host) want(b kernel.Backend) firewall.Want {
	return firewall.Want{
		Bridge: "flatnet-br0", Subnet: netip.MustParsePrefix("10.87.1.0/24"), Masquerade: true, Backend: b,
	}
}

func (h host) ensure(w firewall.Want) (changed bool) {
	h.Helper()
	changed, err := firewall.Ensure(context.Background(), h, w)
	if err != nil {
		h.Fatalf("Ensure: %v", err)
	}
	return changed
}

func (h host) look(w firewall.Want) firewall.Status {
	h.Helper()
	s, err := firewall.Look(context.Background(), h, w)
	if err != nil {
		h.Fatalf("Look: %v", err)
	}
	return s
}

const allRules = `-N FLATNET-FORWARD
-A FORWARD -j FLATNET-FORWARD
-A FLATNET-FORWARD -i flatnet-br0 -j ACCEPT
-A FLATNET-FORWARD -o flatnet-br0 -j ACCEPT
-N FLATNET-POSTROUTING
-A POSTROUTING -j FLATNET-POSTROUTING
-A FLATNET-POSTROUTING -s 10.87.1.0/24 ! -d 224.0.0.0/4 ! -o flatnet-br0 -j MASQUERADE
`

func backends(t *testing.T, f func(t *testing.T, b kernel.Backend)) {
	for _, b := range []kernel.Backend{kernel.BackendNFT, kernel.BackendLegacy} {
		t.Run(string(b), func(t *testing.T) { f(t, b) })
	}
}

func TestEnsureAndRemove(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h := newHost(t)
		w := h.want(b)
		if s := h.look(w); s.OK() || s.Policy != "ACCEPT" || len(s.Missing) != 5 {
			t.Errorf("before Ensure: %+v", s)
		}
		if !h.ensure(w) {
			t.Error("the first Ensure says that it changed nothing")
		}
		if got := h.rules(b); got != allRules {
			t.Errorf("after Ensure:\n%s", got)
		}
		if h.ensure(w) {
			t.Error("the second Ensure says that it changed something")
		}
		if s := h.look(w); !s.OK() || s.Doubled || len(s.Missing)+len(s.Extra)+len(s.Changes) > 0 {
			t.Errorf("after Ensure: %+v", s)
		}
		for range 2 {
			if err := firewall.Remove(context.Background(), h, w); err != nil {
				t.Fatalf("Remove: %v", err)
			}
			if got := h.rules(b); got != "" {
				t.Errorf("after Remove:\n%s", got)
			}
		}
	})
}

func TestConcurrentEnsure(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h := newHost(t)
		w := h.want(b)
		var all sync.WaitGroup
		for range 12 {
			k, err := kernel.At(h.path)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if _, err := firewall.Ensure(context.Background(), k, w); err != nil {
					t.Errorf("Ensure: %v", err)
				}
				_ = k.Close()
			})
		}
		all.Wait()
		if got := h.rules(b); got != allRules {
			t.Errorf("after 12 at once:\n%s", got)
		}
	})
}

// TestWaitsForIptables: while another iptables holds the legacy lock, Ensure
// waits, as long as its context lets it.
func TestWaitsForIptables(t *testing.T) {
	h := newHost(t)
	w := h.want(kernel.BackendLegacy)
	lock, err := os.OpenFile("/run/xtables.lock", os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := firewall.Ensure(short, h, w); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with the lock held by another: %v", err)
	}
	var other sync.WaitGroup
	other.Go(func() {
		time.Sleep(200 * time.Millisecond)
		_ = unix.Flock(int(lock.Fd()), unix.LOCK_UN)
	})
	h.ensure(w)
	other.Wait()
	if s := h.look(w); !s.OK() {
		t.Errorf("after the other let go: %+v", s)
	}
}
