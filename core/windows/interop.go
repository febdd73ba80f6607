package windows

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"flatnet/core/say"
)

// dialLimit bounds the look whether an interop socket is alive.
const dialLimit = 250 * time.Millisecond

// interop is where WSL keeps the way to Windows. The zero value is no WSL;
// tests put a tree of their own in its place.
type interop struct {
	sockets string // /run/WSL, with <pid>_interop in it
	binfmt  string // /proc/sys/fs/binfmt_misc
	conf    string // /etc/wsl.conf
	proc    string // /proc
}

func realInterop() interop {
	return interop{sockets: "/run/WSL", binfmt: "/proc/sys/fs/binfmt_misc", conf: "/etc/wsl.conf", proc: "/proc"}
}

// environ gives env with a WSL_INTEROP that is alive. One that is there and
// alive stays. Over ssh, in a unit and in sudo it is unset or of a session
// that has ended; then the sockets of this process's ancestors are tried as
// WSL does, then that of the first process, then every other.
func (i interop) environ(ctx context.Context, env []string) []string {
	const name = "WSL_INTEROP="
	env = slices.Clone(env)
	at := slices.IndexFunc(env, func(s string) bool { return strings.HasPrefix(s, name) })
	if at >= 0 && alive(ctx, strings.TrimPrefix(env[at], name)) {
		return env
	}
	for _, path := range i.candidates() {
		if !alive(ctx, path) {
			continue
		}
		if at >= 0 {
			env[at] = name + path
			return env
		}
		return append(env, name+path)
	}
	return env
}

// candidates lists the sockets that may lead to Windows, the likeliest first.
func (i interop) candidates() []string {
	const most = 16
	var paths []string
	for pid := os.Getpid(); pid > 1 && len(paths) < most; pid = i.parent(pid) {
		paths = append(paths, i.socket(pid))
	}
	paths = append(paths, i.socket(1))
	others, _ := filepath.Glob(filepath.Join(i.sockets, "*_interop"))
	for _, p := range others {
		if len(paths) < 2*most && !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	return slices.DeleteFunc(paths, func(p string) bool {
		_, err := os.Stat(p)
		return err != nil
	})
}

func (i interop) socket(pid int) string {
	return filepath.Join(i.sockets, strconv.Itoa(pid)+"_interop")
}

// parent gives the parent of a process, 0 if it cannot be read.
func (i interop) parent(pid int) int {
	stat, err := os.ReadFile(filepath.Join(i.proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// "pid (any name) state ppid": the name may hold anything, so from its end.
	_, after, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := bytes.Fields(after)
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(string(fields[1]))
	return ppid
}

// alive tells whether somebody listens at path.
func alive(ctx context.Context, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// notRunnable says why the kernel does not run Windows programs: switched off
// by the person, or the entry wiped.
func (i interop) notRunnable() error {
	if i.switchedOff() {
		return say.Errorf("%w in %s", ErrInteropOff, i.conf)
	}
	if status, err := os.ReadFile(filepath.Join(i.binfmt, "status")); err == nil && strings.TrimSpace(string(status)) == "disabled" {
		return say.Errorf("%w: binfmt_misc is disabled", ErrInteropOff)
	}
	for _, name := range []string{"WSLInterop", "WSLInterop-late"} {
		entry, err := os.ReadFile(filepath.Join(i.binfmt, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if bytes.HasPrefix(entry, []byte("disabled")) {
			return say.Errorf("%w: the entry %s is disabled", ErrInteropOff, name)
		}
		return say.Errorf("%w: %s is there, and yet the kernel does not run it", ErrNoBinfmt, name)
	}
	return ErrNoBinfmt
}

// switchedOff reads [interop] enabled from wsl.conf.
func (i interop) switchedOff() bool {
	text, err := os.ReadFile(i.conf)
	if err != nil {
		return false
	}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.ToLower(strings.TrimSpace(line))
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		if section == "[interop]" && strings.TrimSpace(key) == "enabled" {
			return strings.TrimSpace(value) == "false"
		}
	}
	return false
}
