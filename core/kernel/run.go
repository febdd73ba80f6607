package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	maxOutput = 64 << 20 // bytes of rules; more is no firewall of ours to read
	maxStderr = 4 << 10  // bytes of what a program says about its failure
)

// command is one run of an iptables program.
type command struct {
	path  string
	args  []string
	stdin string
}

// run starts a program in the namespace and gives what it printed. It dies
// with this process and with ctx.
func (n *namespace) run(ctx context.Context, c command) (string, error) {
	stdout, stderr := bounded{max: maxOutput}, bounded{max: maxStderr, cut: true}
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	err := n.inside(func() error {
		// The death signal is sent when the thread that started the program ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return cmd.Run()
	})
	if err == nil {
		return stdout.String(), nil
	}
	return "", programError(ctx, c, stderr.String(), err)
}

// programError tells why a program failed, by its own words where it has any.
func programError(ctx context.Context, c command, stderr string, err error) error {
	name := filepath.Base(c.path)
	said := strings.Join(strings.Fields(stderr), " ")
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s did not end in time: %w", name, ctx.Err())
	case strings.Contains(said, "Permission denied"), strings.Contains(said, "must be root"):
		return fmt.Errorf("%s: %w", name, ErrPermission)
	case said != "":
		return fmt.Errorf("%s: %s: %w", name, said, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// bounded keeps at most max bytes; more is an error, or left out where cut.
type bounded struct {
	bytes.Buffer
	max int
	cut bool
}

var errTooMuch = errors.New("printed more than can be read")

func (b *bounded) Write(p []byte) (int, error) {
	room := b.max - b.Len()
	if len(p) <= room {
		return b.Buffer.Write(p)
	}
	if !b.cut {
		return 0, errTooMuch
	}
	_, _ = b.Buffer.Write(p[:room])
	return len(p), nil
}
