package kernel

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"flatnet/core/say"
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
	// A program that prints without end is stopped: it would wait for ever for
	// someone to read.
	running, stop := context.WithCancel(ctx)
	defer stop()
	stdout, stderr := bounded{max: maxOutput, full: stop}, bounded{max: maxStderr, full: func() {}}
	cmd := exec.CommandContext(running, c.path, c.args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	err := n.inside(func() error {
		// The death signal is sent when the thread that started the program ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return cmd.Run()
	})
	switch {
	case stdout.over:
		return "", say.Errorf("%s: %w", filepath.Base(c.path), errTooMuch)
	case err != nil:
		return "", programError(ctx, c, stderr.kept.String(), err)
	}
	return stdout.kept.String(), nil
}

// programError tells why a program failed, by its own words where it has any.
func programError(ctx context.Context, c command, stderr string, err error) error {
	name := filepath.Base(c.path)
	said := strings.Join(strings.Fields(stderr), " ")
	switch {
	case ctx.Err() != nil:
		return say.Errorf("%s did not end in time: %w", name, ctx.Err())
	case strings.Contains(said, "Permission denied"), strings.Contains(said, "must be root"):
		return say.Errorf("%s: %w", name, ErrPermission)
	case said != "":
		return say.Errorf("%s: %s: %w", name, said, err)
	}
	return say.Errorf("%s: %w", name, err)
}

var errTooMuch = say.New("printed more than can be read")

// bounded keeps the first max bytes and lets the rest go; it calls full when
// there is a rest. It has no other way to be written to than Write.
type bounded struct {
	kept bytes.Buffer
	max  int
	full func()
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.max - b.kept.Len(); len(p) > room {
		b.over = true
		b.full()
		_, _ = b.kept.Write(p[:room])
		return len(p), nil
	}
	return b.kept.Write(p)
}
