package windows

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"flatnet/core/say"
)

// Bounds of one call.
const (
	maxOutput = maxTableBytes
	// pipeGrace is how long pipes are read on after the program was killed:
	// one that it started may hold them open.
	pipeGrace = 200 * time.Millisecond
)

// Windows' programs, below the system root.
const (
	routeExe      = "System32/route.exe"
	pingExe       = "System32/ping.exe"
	curlExe       = "System32/curl.exe"
	schtasksExe   = "System32/schtasks.exe"
	whoamiExe     = "System32/whoami.exe"
	PowerShellExe = "System32/WindowsPowerShell/v1.0/powershell.exe"
)

// Host runs Windows' programs, and is the only one who does: each with pipes,
// nothing on stdin (a terminal there would be set raw), on the system drive,
// for a limited time, one after the other, and after a failure not at once
// again. It never waits for a program that cannot be killed.
type Host struct {
	root    string // system root as WSL sees it
	limit   time.Duration
	first   time.Duration // limit until Windows has answered once
	environ []string
	interop interop
	breaker breaker
	slot    chan struct{} // holds one: the right to run a program
	met     atomic.Bool   // Windows has answered once
}

// Output is what a program that ended said.
type Output struct {
	Stdout, Stderr []byte
	Exit           int // its exit status; Windows' programs do not document theirs
}

// newHost makes a Host for the programs below root.
func newHost(root string, o Options) *Host {
	env := o.Environ
	if env == nil {
		env = os.Environ()
	}
	return &Host{
		root: root, limit: o.Config.Timeout, first: o.FirstLimit, environ: env, interop: realInterop(),
		breaker: breaker{now: o.Now}, slot: make(chan struct{}, 1),
	}
}

// Run runs a program below the system root and gives what it printed. Its
// error wraps one of this package's sentinels, or is ctx's own. limit 0 is the
// configured one.
func (h *Host) Run(ctx context.Context, limit time.Duration, program string, args ...string) (Output, error) {
	if limit == 0 {
		limit = h.limit
	}
	var out Output
	err := h.guarded(ctx, limit, filepath.Base(program), func(ctx context.Context) error {
		var err error
		out, err = h.start(ctx, program, args)
		return err
	})
	if err != nil {
		return Output{}, err
	}
	h.met.Store(true)
	return out, nil
}

// Present tells whether a program is there. The drive that it is on may hang.
func (h *Host) Present(ctx context.Context, program string) error {
	return h.guarded(ctx, h.limit, filepath.Base(program), func(context.Context) error {
		if _, err := os.Stat(h.path(program)); err != nil {
			return h.notStarted(err)
		}
		return nil
	})
}

func (h *Host) path(program string) string { return filepath.Join(h.root, filepath.FromSlash(program)) }

// guarded runs f in the slot and gives it up when limit is over, whether f
// ends or not: f may write its results only for an error of nil.
func (h *Host) guarded(ctx context.Context, limit time.Duration, name string, f func(context.Context) error) error {
	if err := h.breaker.ready(); err != nil {
		return err
	}
	if !h.met.Load() {
		limit = min(limit, h.first)
	}
	patient := enough(ctx, min(limit, h.first))
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case h.slot <- struct{}{}:
	case <-limited.Done():
		return h.gaveUp(ctx, patient, say.Errorf("%s: %w (%s)", name, ErrBusy, limit))
	}
	done := make(chan error, 1)
	go func() {
		// The slot is free when the program is gone, not when it is given up.
		defer func() { <-h.slot }()
		done <- f(limited)
	}()
	select {
	case err := <-done:
		if err != nil && limited.Err() != nil {
			return h.gaveUp(ctx, patient, say.Errorf("%s: %w (%s)", name, ErrTimeout, limit))
		}
		return h.ended(name, err)
	case <-limited.Done():
		// A program on a drive that hangs cannot even be killed.
		return h.gaveUp(ctx, patient, say.Errorf("%s: %w (%s)", name, ErrTimeout, limit))
	}
}

// enough tells whether ctx leaves a call as long as it may need.
func enough(ctx context.Context, need time.Duration) bool {
	end, limited := ctx.Deadline()
	return !limited || time.Until(end) >= need
}

// gaveUp ends a call that got no answer. A caller that had no patience says
// nothing against Windows.
func (h *Host) gaveUp(ctx context.Context, patient bool, err error) error {
	if ctx.Err() != nil && (!patient || errors.Is(ctx.Err(), context.Canceled)) {
		return ctx.Err()
	}
	h.breaker.report(err)
	return err
}

// ended reports how Windows did. A program that is missing or denied says
// nothing against asking another.
func (h *Host) ended(name string, err error) error {
	if err == nil {
		h.breaker.report(nil)
		return nil
	}
	err = say.Errorf("%s: %w", name, err)
	if !errors.Is(err, ErrDenied) && !errors.Is(err, ErrNoProgram) {
		h.breaker.report(err)
	}
	return err
}

// start runs the program to its end. Everything that may touch the Windows
// drive is in here.
func (h *Host) start(ctx context.Context, program string, args []string) (Output, error) {
	var stdout, stderr bounded
	cmd := exec.CommandContext(ctx, h.path(program), args...)
	cmd.Dir = filepath.Dir(filepath.Clean(h.root))
	cmd.Env = append(h.interop.environ(ctx, h.environ), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = pipeGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// Pdeathsig follows the thread that starts the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	out := Output{Stdout: stdout.kept.Bytes(), Stderr: stderr.kept.Bytes(), Exit: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	switch {
	case stdout.over || stderr.over:
		return out, say.Errorf("%w: more than %d bytes", ErrOutput, maxOutput)
	case err == nil, errors.Is(err, exec.ErrWaitDelay), errors.As(err, &exit) && exit.Exited():
		return out, h.refusal(out)
	}
	return out, h.notStarted(err)
}

// notStarted tells why the kernel did not run the program to its end.
func (h *Host) notStarted(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return say.Errorf("%w below %s", ErrNoProgram, h.root)
	case errors.Is(err, fs.ErrPermission):
		return ErrDenied
	case errors.Is(err, syscall.ENOEXEC):
		return h.interop.notRunnable()
	}
	return say.Errorf("%w: %w", ErrOutput, err)
}

// refusal reads what WSL's own starter of Windows programs says on stderr
// when it fails: its messages are English where LC_ALL is C, and nothing is
// on stdout then.
func (h *Host) refusal(out Output) error {
	if out.Exit == 0 || len(out.Stdout) > 0 {
		return nil
	}
	text := strings.TrimSpace(string(out.Stderr))
	switch {
	case strings.HasSuffix(text, ": Permission denied"):
		return ErrDenied
	case strings.HasSuffix(text, ": No such file or directory"), strings.HasSuffix(text, ": Exec format error"):
		return ErrNoProgram
	case strings.Contains(text, "UtilConnect"), strings.Contains(text, "UtilAcceptVsock"), strings.Contains(text, "accept4 failed"),
		strings.HasSuffix(text, ": Invalid argument"):
		return ErrSocket
	}
	return nil
}

// bounded keeps up to maxOutput bytes and refuses more. The buffer is not
// embedded: its ReadFrom would take everything.
type bounded struct {
	kept bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > maxOutput {
		b.over = true
		return 0, ErrOutput
	}
	return b.kept.Write(p)
}
