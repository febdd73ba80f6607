// Package nettest gives tests network namespaces of their own, so that no
// test touches the machine and no packet leaves it.
//
// A package whose tests need the kernel has
//
//	func TestMain(m *testing.M) { nettest.Main(m) }
//
// which runs the whole test binary again in new network and mount namespaces,
// with /run and /dev/shm of its own (as root, or in a user namespace where
// those are allowed). Each test then asks for further namespaces with New.
package nettest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const insideEnv = "FLATNET_TEST_NAMESPACE"

// Dir is where New puts namespaces, a tmpfs of this test binary's own.
const Dir = "/run/netns"

// The first thread is the process's own in /proc/self; a test's goroutine that
// left its namespace on it would take /proc/self along. Locked here, the main
// goroutine keeps it.
func init() { runtime.LockOSThread() }

// Main runs m in namespaces of its own and exits with its status. Where none
// can be made it says why; the tests that call New then skip, or fail if
// FLATNET_ROOT=1.
func Main(m *testing.M) {
	if os.Getenv(insideEnv) == "1" {
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, "nettest: prepare the namespace:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	status, err := reexec()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nettest: no namespaces here:", err)
		os.Exit(m.Run())
	}
	os.Exit(status)
}

// reexec runs this binary again in new namespaces; err says that they could
// not be made, status is what the inner run exited with.
func reexec() (status int, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	// Pdeathsig follows the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// prepare makes the inside livable: nothing mounted here is seen outside,
// /run and /dev/shm (Podman's locks) are new, loopback is up.
func prepare() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, dir := range []string{"/run", "/dev/shm"} {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return err
	}
	return loopbackUp()
}

func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

var counter atomic.Int64

// Need skips the test where Main could make no namespace, and fails it if
// FLATNET_ROOT=1.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(insideEnv) == "1" {
		return
	}
	if os.Getenv("FLATNET_ROOT") == "1" {
		t.Fatal("FLATNET_ROOT=1, and no network namespace can be made here (does TestMain call nettest.Main?)")
	}
	t.Skip("no network namespace can be made here")
}

// New makes a network namespace with loopback up and gives its path under
// Dir. It goes away with the test.
func New(t testing.TB) string {
	t.Helper()
	Need(t)
	path := filepath.Join(Dir, fmt.Sprintf("t%d-%d", os.Getpid(), counter.Add(1)))
	if err := create(path); err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	t.Cleanup(func() { Delete(path) })
	return path
}

// Delete takes the namespace at path away, as the end of its last process
// would. It is no error if it is gone.
func Delete(path string) {
	_ = unix.Unmount(path, unix.MNT_DETACH)
	_ = os.Remove(path)
}

func create(path string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		// The thread stays locked: it has left its namespace and ends here.
		runtime.LockOSThread()
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("unshare: %w", err)
			}
			if err := loopbackUp(); err != nil {
				return err
			}
			self := fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
			return unix.Mount(self, path, "", unix.MS_BIND, "")
		}()
	}()
	return <-done
}

// In runs f on a thread that is in the namespace at path. Programs that f
// starts are in it too; goroutines that it starts are not.
func In(t testing.TB, path string, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with f
		ns, err := os.Open(path)
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = ns.Close() }()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatalf("enter %s: %v", path, err)
	}
}
