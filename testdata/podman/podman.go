// Package podman runs real Podman for tests: a store of its own, in the
// network and mount namespaces that nettest.Main made, with the plugin as it
// is in the sources and images that need no registry.
package podman

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flatnet/testdata/nettest"
	"flatnet/testdata/program"
)

// Images that every Podman here has. They stand in for the real ones: Debian's
// nginx, and a program that sleeps.
const (
	Nginx    = "docker.io/library/nginx:alpine"
	Postgres = "docker.io/library/postgres:alpine"
)

// Options of New.
type Options struct {
	TOML string // more lines for flatnet.toml; the state and log paths are there
	// Networks are network lists besides "flatnet", by name, each the plugin's
	// entry as JSON without "type" and "config".
	Networks map[string]string
}

// Podman is one Podman with its store.
type Podman struct {
	Dir    string // everything of it is below
	State  string // [ipam] state_dir
	Log    string // [log] file
	Config string // flatnet.toml

	t       testing.TB
	backend backend
}

// backend is what differs between Podman's two network backends.
type backend struct {
	program    string                           // as a shell command
	network    func(plugins, dir string) string // [network] of containers.conf
	addNetwork func(p *Podman, name string, keys map[string]any)
}

// New sets up this machine's Podman with its CNI backend; its containers end
// with the test. It needs root, as rootful Podman does.
func New(t testing.TB, o Options) *Podman {
	t.Helper()
	needRoot(t)
	cover(t, "/var/lib") // libcni's cache
	cover(t, "/var/log") // the plugin's, where it cannot read the test's configuration
	return start(t, o, cni)
}

func needRoot(t testing.TB) {
	t.Helper()
	nettest.Need(t)
	if os.Getuid() != 0 || !ownsMachine() {
		t.Skip("real Podman runs as root only")
	}
}

func start(t testing.TB, o Options, b backend) *Podman {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "podman-")
	if err != nil {
		t.Fatal(err)
	}
	p := &Podman{
		Dir: dir, State: filepath.Join(dir, "ipam"), Log: filepath.Join(dir, "flatnet.log"),
		Config: filepath.Join(dir, "flatnet.toml"), t: t, backend: b,
	}
	p.write("flatnet.toml", fmt.Sprintf("[ipam]\nstate_dir = %q\n[log]\nfile = %q\n%s", p.State, p.Log, o.TOML))
	p.write("containers.conf", containersConf+b.network(filepath.Dir(program.Plugin(t)), filepath.Join(dir, "net.d")))
	p.write("bin/podman", p.wrapper())
	p.AddNetwork("flatnet", `{}`)
	for name, entry := range o.Networks {
		p.AddNetwork(name, entry)
	}
	t.Cleanup(p.close)
	p.importImages()
	return p
}

// ownsMachine tells whether root here is root: in a user namespace Podman is
// not rootful.
func ownsMachine() bool {
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(m)), " ") == "0 0 4294967295"
}

// cover lays a writable layer over dir that is seen in this mount namespace
// only.
func cover(t testing.TB, dir string) {
	t.Helper()
	layer := "/run/over" + strings.ReplaceAll(dir, "/", "-")
	if _, err := os.Stat(layer); err == nil {
		return
	}
	for _, d := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(layer, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := "lowerdir=" + dir + ",upperdir=" + layer + "/upper,workdir=" + layer + "/work"
	if err := unix.Mount("overlay", dir, "overlay", 0, options); err != nil {
		t.Fatalf("cover %s: %v", dir, err)
	}
}

// containersConf is what runs where crun's cgroups and higher limits are not
// to be had. Debian's busybox pings by raw sockets only, which Podman 5 does
// not allow by itself. The backend's settings follow.
const containersConf = `[containers]
default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
[network]
`

// wrapper is a podman command for scripts: it finds this store.
func (p *Podman) wrapper() string {
	return "#!/bin/sh\nexec " + p.backend.program + " " + strings.Join(p.flags(), " ") + " \"$@\"\n"
}

func (p *Podman) flags() []string {
	return []string{
		"--root", filepath.Join(p.Dir, "root"), "--runroot", filepath.Join(p.Dir, "runroot"),
		"--storage-driver", "overlay", "--log-level", "error",
	}
}

// Env is the environment in which a script's "podman" is this one.
func (p *Podman) Env() []string {
	return append(os.Environ(),
		"CONTAINERS_CONF="+filepath.Join(p.Dir, "containers.conf"),
		"FLATNET_CONFIG="+p.Config,
		"TMPDIR="+p.Dir,
		"PATH="+filepath.Join(p.Dir, "bin")+":"+os.Getenv("PATH")+":/usr/sbin:/sbin",
	)
}

// AddNetwork makes a network of ours. entry has the plugin's keys as JSON,
// without "type" and "config".
func (p *Podman) AddNetwork(name, entry string) {
	p.t.Helper()
	keys := map[string]any{}
	if err := json.Unmarshal([]byte(entry), &keys); err != nil {
		p.t.Fatal(err)
	}
	p.backend.addNetwork(p, name, keys)
}

// Command gives a podman command that has not been started.
func (p *Podman) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.Dir, "bin", "podman"), args...)
	cmd.Env = p.Env()
	return cmd
}

// Try runs podman and gives what it printed on stdout; the error holds what it
// said on stderr.
func (p *Podman) Try(args ...string) (string, error) {
	cmd := p.Command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("podman %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Run is Try for what must succeed.
func (p *Podman) Run(args ...string) string {
	p.t.Helper()
	out, err := p.Try(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// IP gives a container's address on a network.
func (p *Podman) IP(container, network string) string {
	p.t.Helper()
	return p.Run("inspect", "-f", fmt.Sprintf("{{(index .NetworkSettings.Networks %q).IPAddress}}", network), container)
}

func (p *Podman) write(name, text string) {
	p.t.Helper()
	mode := os.FileMode(0o644)
	if filepath.Dir(name) == "bin" {
		mode = 0o755
	}
	p.put(filepath.Join(p.Dir, name), text, mode)
}

// close ends the containers. What they leave in the store goes with the
// namespaces of the test binary.
func (p *Podman) close() {
	if out, err := p.Try("rm", "--all", "--force", "--time", "0"); err != nil {
		p.t.Errorf("remove the containers: %v\n%s", err, out)
	}
}
