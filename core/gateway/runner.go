package gateway

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"flatnet/core"
	"flatnet/core/say"
)

// runLimit is how long nginx may take for a test or for passing on a signal.
const runLimit = 30 * time.Second

// maxSaid bounds what is kept of nginx's output, in bytes.
const maxSaid = 16 << 10

// program runs nginx as a program of this machine; through WSL's interop this
// may be nginx.exe.
type program struct {
	path  string
	limit time.Duration
}

// NewRunner gives a Runner for the nginx program at path. Each run has nothing
// on stdin, ends with this process and is killed after 30 s.
func NewRunner(path string) Runner { return program{path: path, limit: runLimit} }

// Run implements Runner.
func (p program) Run(ctx context.Context, args ...string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, p.path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	if strings.HasSuffix(p.path, ".exe") {
		cmd.Dir = filepath.Dir(p.path) // relative paths of nginx.exe start here
	}
	var said limitedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	// Pdeathsig follows the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if limited.Err() != nil && ctx.Err() == nil {
		err = say.Errorf("%s did not end within %s", p.path, p.limit)
	}
	return said.kept.Bytes(), err
}

// limitedBuffer keeps the first maxSaid bytes. The buffer is not embedded: its
// ReadFrom would go around Write.
type limitedBuffer struct{ kept bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := maxSaid - b.kept.Len(); room > 0 {
		b.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// test has nginx read a configuration without running it.
func (g *Gateway) test(ctx context.Context, conf string) error {
	out, err := g.o.Runner.Run(ctx, "-t", "-c", conf)
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return &core.OpError{Op: "run", Target: g.o.Config.Nginx, Err: err, Hint: "gateway.nginx in the configuration says where nginx is"}
	}
	said, hint := strings.ReplaceAll(complaint(out), testRun, mainName), unchanged
	if file := g.foreign(said); file != "" {
		hint = say.Join("; ", say.F("correct %s, which is not a file of Flatnet's", file), hint)
	}
	if strings.Contains(string(out), `unknown directive "lua_`) {
		hint = say.Join("; ", hint, `this nginx has no Lua module: install and load it (Debian: libnginx-mod-http-lua), or set gateway.mode = "static"`)
	}
	return &core.OpError{Op: "use the new gateway configuration", Err: say.Errorf("%w: %s", ErrTest, said), Hint: hint}
}

// named is where nginx says that a complaint is about.
var named = regexp.MustCompile(` in (.+):[0-9]+$`)

// foreign is the file that a complaint names, "" where it is one of ours.
func (g *Gateway) foreign(said string) string {
	m := named.FindStringSubmatch(said)
	if m == nil || strings.HasPrefix(m[1], g.layout.seen(filepath.Join(g.layout.local, ownDir))+"/") {
		return ""
	}
	return m[1]
}

// errNotRunning says that there is no nginx to reload.
var errNotRunning = say.New("nginx is not running")

// noProcess is what nginx says where there is none to take the signal: on
// Linux the pid file or the process is missing, on Windows the event.
var noProcess = regexp.MustCompile(`failed \((2|3): |invalid PID number`)

// reload has the running nginx read its configuration again.
func (g *Gateway) reload(ctx context.Context) error {
	out, err := g.o.Runner.Run(ctx, "-c", g.layout.mainSeen(), "-s", "reload")
	if err == nil {
		return nil
	}
	if noProcess.Match(out) {
		return say.Errorf("%w: %s", errNotRunning, complaint(out))
	}
	return say.Errorf("reload: %w: %s", err, complaint(out))
}

// processes begins nginx's log lines: "4242#4242: ", with "*7 " for a request.
var processes = regexp.MustCompile(`^[0-9]+#[0-9]+: (\*[0-9]+ )?`)

// complaint is nginx's first line that is more than a notice.
func complaint(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, level := range []string{"[emerg]", "[alert]", "[crit]", "[error]"} {
		for _, l := range lines {
			if _, text, ok := strings.Cut(l, level+" "); ok {
				return strings.TrimSpace(processes.ReplaceAllString(text, ""))
			}
		}
	}
	return lines[0]
}
