package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// xtablesWait is how many seconds iptables-restore waits for another iptables
// that holds the legacy backend's lock (iptables -w).
const xtablesWait = "10"

// lockPoll is how often a lock that is held is tried again.
const lockPoll = 2 * time.Millisecond

// ResolveBackend follows the links that `iptables` is (Debian's alternatives)
// to xtables-nft-multi or xtables-legacy-multi, and asks the program itself
// where its name does not tell.
func (n *namespace) ResolveBackend(ctx context.Context, b Backend) (Backend, error) {
	if b != BackendAuto {
		_, err := program(b, "save")
		return b, err
	}
	path, err := look("iptables")
	if err != nil {
		return "", say.Errorf("iptables: %w", ErrNoProgram)
	}
	target, err := filepath.EvalSymlinks(path)
	if err == nil && strings.Contains(filepath.Base(target), "nft") {
		return BackendNFT, nil
	}
	if err == nil && strings.Contains(filepath.Base(target), "legacy") {
		return BackendLegacy, nil
	}
	version, err := n.run(ctx, command{path: path, args: []string{"--version"}})
	if err != nil {
		return "", err
	}
	if strings.Contains(version, "nf_tables") {
		return BackendNFT, nil
	}
	return BackendLegacy, nil
}

func (n *namespace) SaveRules(ctx context.Context, b Backend) (string, error) {
	path, err := program(b, "save")
	if err != nil {
		return "", err
	}
	if b == BackendLegacy && n.noLegacyTables() {
		return "", n.alive()
	}
	text, err := n.run(ctx, command{path: path})
	if b == BackendLegacy && errors.Is(err, ErrPermission) {
		return n.saveTables(ctx, path)
	}
	return text, err
}

// noLegacyTables tells whether the kernel has no legacy table here, as far as
// it says: iptables-legacy-save reads the same list, and prints nothing then.
func (n *namespace) noLegacyTables() bool {
	var names []byte
	err := n.inside(func() (err error) {
		names, err = os.ReadFile("/proc/thread-self/net/ip_tables_names")
		return err
	})
	return len(names) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist))
}

// saveTables asks for the tables one by one: in a user namespace the kernel
// does not show which legacy ones there are, but what is in them.
func (n *namespace) saveTables(ctx context.Context, path string) (string, error) {
	var all strings.Builder
	for _, table := range []string{"filter", "nat"} {
		text, err := n.run(ctx, command{path: path, args: []string{"-t", table}})
		if err != nil {
			return "", err
		}
		all.WriteString(text)
	}
	return all.String(), nil
}

func (n *namespace) RestoreRules(ctx context.Context, b Backend, text string) error {
	path, err := program(b, "restore")
	if err != nil {
		return err
	}
	_, err = n.run(ctx, command{path: path, args: []string{"--noflush", "--wait", xtablesWait}, stdin: text})
	return err
}

// LockRules takes flock on the namespace's own file: one lock for each
// namespace, nothing to create or clean up, and the kernel frees it when the
// process ends.
func (n *namespace) LockRules(ctx context.Context) (func(), error) {
	var file *os.File
	err := n.inside(func() (err error) {
		file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		return nil, say.Errorf("lock the rules: %w", err)
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(say.Errorf("lock the rules: %w", err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(say.Errorf("wait for the lock on the rules: %w", ctx.Err()), file.Close())
		case <-time.After(lockPoll):
		}
	}
}

// program finds a backend's save or restore program. Where only the plain
// name is installed it will do if it is of that backend.
func program(b Backend, verb string) (string, error) {
	if b != BackendNFT && b != BackendLegacy {
		return "", say.Errorf("%q is no iptables backend", b)
	}
	name := string(b) + "-" + verb
	if path, err := look(name); err == nil {
		return path, nil
	}
	kind := strings.TrimPrefix(string(b), "iptables-")
	if path, err := look("iptables-" + verb); err == nil {
		target, err := filepath.EvalSymlinks(path)
		if err == nil && strings.Contains(filepath.Base(target), kind) {
			return path, nil
		}
	}
	return "", say.Errorf("%s: %w", name, ErrNoProgram)
}

// look finds a program on PATH, or where the system's own are: the plugin is
// started with its caller's PATH, which may lack them.
func look(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}
