package kernel_test

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// TestNew: without a path the kernel acts where its caller is.
func TestNew(t *testing.T) {
	path := nettest.New(t)
	var errs []error
	nettest.In(t, path, func() {
		k := kernel.New()
		errs = append(errs, k.AddBridge(ctx, "br0", 0), k.SetSysctl(ctx, "net.ipv4.ip_forward", "1"),
			k.RestoreRules(ctx, kernel.BackendNFT, someRules))
		unlock, err := k.LockRules(ctx)
		errs = append(errs, err)
		unlock()
		errs = append(errs, k.Close())
	})
	must(t, errors.Join(errs...))
	k, err := kernel.At(path)
	must(t, err)
	defer func() { _ = k.Close() }()
	link(t, k, "br0")
	if got, err := k.Sysctl(ctx, "net.ipv4.ip_forward"); err != nil || got != "1" {
		t.Errorf("ip_forward: %q, %v", got, err)
	}
	if got, err := k.SaveRules(ctx, kernel.BackendNFT); err != nil || !strings.Contains(got, "-A FORWARD -j OURS") {
		t.Errorf("rules: %v\n%s", err, got)
	}
}

// TestAddrsOfAPair: the length that the kernel gives with an address is the
// other end's, where there is one.
func TestAddrsOfAPair(t *testing.T) {
	path := nettest.New(t)
	nettest.In(t, path, func() {
		out, err := exec.Command("ip", "addr", "add", "10.9.0.1", "peer", "10.9.8.0/24", "dev", "lo").CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	k, err := kernel.At(path)
	must(t, err)
	defer func() { _ = k.Close() }()
	addrs, err := k.Addrs(ctx, "lo")
	if want := netip.MustParsePrefix("10.9.0.1/32"); err != nil || !slices.Contains(addrs, want) {
		t.Errorf("%v, %v; want %s", addrs, err, want)
	}
}

// TestComesHome: however often other namespaces are entered, this process
// stays in its own and keeps no descriptor.
func TestComesHome(t *testing.T) {
	a, b := nettest.New(t), nettest.New(t)
	home, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	var before int
	for round := range 20 {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := visit(a, b); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if round == 0 {
			before = descriptors(t)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors after the first round, %d after the last", before, after)
	}
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	must(t, err)
	for _, task := range tasks {
		if ns, err := os.Readlink(task); err == nil && ns != home {
			t.Errorf("%s is left in %s, home is %s", task, ns, home)
		}
	}
}

// visit uses two namespaces in every way in which they are entered.
func visit(a, b string) error {
	k, err := kernel.At(a)
	if err != nil {
		return err
	}
	c, err := k.Open(ctx, b)
	if err != nil {
		return errors.Join(err, k.Close())
	}
	_, err = c.Links(ctx)
	_, sysctlErr := c.Sysctl(ctx, "net.ipv4.ip_forward")
	_, rulesErr := k.SaveRules(ctx, kernel.BackendNFT)
	_, idErr := k.Identify(ctx, b)
	return errors.Join(err, sysctlErr, rulesErr, idErr, c.Close(), k.Close())
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(all)
}

// TestClosed: what is closed does not act, least of all in the caller's
// namespace.
func TestClosed(t *testing.T) {
	k, err := kernel.At(nettest.New(t))
	must(t, err)
	link(t, k, "lo")
	must(t, k.Close())
	must(t, k.Close())
	_, linkErr := k.Link(ctx, "lo")
	_, saveErr := k.SaveRules(ctx, kernel.BackendNFT)
	for what, err := range map[string]error{
		"Link": linkErr, "SaveRules": saveErr, "SetSysctl": k.SetSysctl(ctx, "net.ipv4.ip_forward", "1"),
	} {
		wantError(t, what+" after Close", err, os.ErrClosed)
	}
}

// TestOpenOddFiles: a path that is no namespace is refused without waiting
// for whoever would write into it.
func TestOpenOddFiles(t *testing.T) {
	nettest.Need(t)
	k := kernel.New()
	defer func() { _ = k.Close() }()
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, unix.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, "", "/proc/0/ns/net", t.TempDir()} {
		_, err := k.Open(ctx, path)
		wantError(t, "Open "+path, err, kernel.ErrNoNamespace)
	}
}

// TestPrograms: a PATH without the system's programs does not hide
// them; a failure is told in the program's own words.
func TestPrograms(t *testing.T) {
	t.Setenv("PATH", "/nowhere")
	k, err := kernel.At(nettest.New(t))
	must(t, err)
	defer func() { _ = k.Close() }()
	if b, err := k.ResolveBackend(ctx, kernel.BackendAuto); err != nil || b == kernel.BackendAuto {
		t.Errorf("ResolveBackend(auto): %q, %v", b, err)
	}
	if _, err := k.ResolveBackend(ctx, "nftables"); err == nil {
		t.Error("a backend that there is not was taken")
	}
	err = k.RestoreRules(ctx, kernel.BackendNFT, "*filter\n-A NOWHERE -j ACCEPT\nCOMMIT\n")
	if err == nil || !strings.HasPrefix(err.Error(), "iptables-nft-restore: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a refused rule: %v", err)
	}
}

// TestNoPrograms hides the system's programs from this test binary's mount
// namespace, and puts others on PATH.
func TestNoPrograms(t *testing.T) {
	k, err := kernel.At(nettest.New(t))
	must(t, err)
	defer func() { _ = k.Close() }()
	must(t, unix.Mount("tmpfs", "/usr/sbin", "tmpfs", 0, ""))
	t.Cleanup(func() { _ = unix.Unmount("/usr/sbin", unix.MNT_DETACH) })
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	_, err = k.ResolveBackend(ctx, kernel.BackendAuto)
	wantError(t, "auto without iptables", err, kernel.ErrNoProgram)
	_, err = k.SaveRules(ctx, kernel.BackendLegacy)
	wantError(t, "SaveRules without iptables", err, kernel.ErrNoProgram)

	for said, want := range map[string]kernel.Backend{
		"iptables v1.8.9 (nf_tables)": kernel.BackendNFT,
		"iptables v1.8.9 (legacy)":    kernel.BackendLegacy,
		"iptables v1.4.21":            kernel.BackendLegacy,
	} {
		script := "#!/bin/sh\necho '" + said + "'\n"
		must(t, os.WriteFile(filepath.Join(bin, "iptables"), []byte(script), 0o755))
		if got, err := k.ResolveBackend(ctx, kernel.BackendAuto); err != nil || got != want {
			t.Errorf("%s: %q, %v", said, got, err)
		}
	}
	must(t, os.WriteFile(filepath.Join(bin, "iptables-nft-save"), []byte("#!/bin/sh\nexec yes\n"), 0o755))
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	if _, err = k.SaveRules(ctx, kernel.BackendNFT); err == nil {
		t.Error("rules without end were taken")
	}
}
