package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// enter runs this program again in new namespaces and gives its exit status.
func enter(args []string) (int, error) {
	// Pdeathsig follows the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", append([]string{roleInside}, args...)...)
	// The link's target is this process's own; the child needs the real name
	// to find the programs beside it.
	if self, err := os.Executable(); err == nil {
		cmd.Path = self
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = namespaces()
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("make the lab's namespaces: %w\n%s", err, whyForbidden())
	}
	forward(cmd.Process)
	return waitFor(cmd)
}

func namespaces() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return a
}

// waitFor gives the exit status of cmd; that it is not zero is no error.
func waitFor(cmd *exec.Cmd) (int, error) {
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// forward hands the signals that end a program on to p, so that it can close
// its screen before the lab goes.
func forward(p *os.Process) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range signals {
			_ = p.Signal(s)
		}
	}()
}

// whyForbidden names the settings that forbid user namespaces here.
func whyForbidden() string {
	settings := []struct{ path, good string }{
		{"kernel/unprivileged_userns_clone", "1"},
		{"user/max_user_namespaces", ""},
		{"kernel/apparmor_restrict_unprivileged_userns", "0"},
	}
	var b strings.Builder
	b.WriteString("The lab needs user namespaces for a user who is not root. The settings here:\n")
	for _, s := range settings {
		value, err := os.ReadFile("/proc/sys/" + s.path)
		if err != nil {
			continue
		}
		got := strings.TrimSpace(string(value))
		key := strings.ReplaceAll(s.path, "/", ".")
		fmt.Fprintf(&b, "  %s = %s", key, got)
		switch {
		case s.good != "" && got != s.good:
			fmt.Fprintf(&b, "   (forbids it; sudo sysctl -w %s=%s allows it)", key, s.good)
		case s.good == "" && got == "0":
			fmt.Fprintf(&b, "   (forbids it; sudo sysctl -w %s=10000 allows it)", key)
		}
		b.WriteString("\n")
	}
	b.WriteString("Or run it as root: sudo make run")
	return b.String()
}

// prepare makes the inside livable: mounts are not seen outside, /run is new
// and holds all that the lab writes, loopback is up.
func prepare() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w\n%s", err, whyForbidden())
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount a /run of the lab's own: %w\n%s", err, whyForbidden())
	}
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}
