package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"

	"flatnet/core/say"
)

// PluginName is the plugin's program, and its type in network lists.
const PluginName = "flatnet"

// Plugin is the plugin's program, the first of its name in Podman's order.
type Plugin struct {
	Path       string   `json:"path"` // where it is, or where it ought to be
	Exists     bool     `json:"exists"`
	Executable bool     `json:"executable"`
	Version    string   `json:"version,omitempty"` // as it says itself; "" where it says nothing
	Want       string   `json:"want,omitempty"`    // this program's own
	Others     []string `json:"others,omitempty"`  // further programs of that name, which Podman passes over
	Err        say.Text `json:"error,omitempty"`   // why it could not be looked at
}

// lookPlugin finds the plugin as Podman does: the first file of its name.
func (l *Looker) lookPlugin(ctx context.Context, dirs []string, version string) Plugin {
	p := Plugin{Path: filepath.Join("/opt/cni/bin", PluginName), Want: version}
	if len(dirs) > 0 {
		p.Path = filepath.Join(dirs[len(dirs)-1], PluginName)
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, PluginName)
		st, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		case err != nil:
			p.Err = say.Of(err)
		case p.Exists:
			p.Others = append(p.Others, path)
		default:
			p.Path, p.Exists = path, true
			p.Executable = st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
		}
	}
	if !p.Executable {
		return p
	}
	version, err := l.version(ctx, p.Path)
	p.Version, p.Err = version, say.Of(err)
	if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrNotExist) { // cut off, another machine's, or without its interpreter
		p.Executable = false
	}
	return p
}

// answer is what a plugin said of itself, and the file that it was then.
type answer struct {
	file    syscall.Stat_t // without the time of the last read
	version string
}

// version asks a plugin that has not been asked yet, or has changed since.
func (l *Looker) version(ctx context.Context, path string) (version string, err error) {
	var file syscall.Stat_t
	statErr := syscall.Stat(path, &file)
	file.Atim = syscall.Timespec{}
	l.mu.Lock()
	last, asked := l.plugins[path]
	l.mu.Unlock()
	if asked && statErr == nil && last.file == file {
		return last.version, nil
	}
	version, err = askVersion(ctx, path)
	if err == nil && statErr == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.plugins == nil {
			l.plugins = map[string]answer{}
		}
		l.plugins[path] = answer{file, version}
	}
	return version, err
}

// versionLine is how the plugin presents itself when it is started by hand.
var versionLine = regexp.MustCompile(`(?m)^flatnet (\S{1,100})`)

// askVersion starts the plugin without CNI_COMMAND, which makes it say what
// it is and exit.
func askVersion(ctx context.Context, path string) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	// A group of its own: what it started would hold stderr open after it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 200 * time.Millisecond
	out, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	// Pdeathsig follows the thread that starts the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return "", err
	}
	text, _ := io.ReadAll(io.LimitReader(out, 4096))
	_ = cmd.Wait() // it exits with 2 by design
	if ctx.Err() != nil {
		return "", say.Errorf("%s did not say its version in time", path)
	}
	if m := versionLine.FindSubmatch(text); m != nil {
		return string(m[1]), nil
	}
	return "", nil
}
