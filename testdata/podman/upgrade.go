package podman

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"flatnet/testdata/nettest"
	"flatnet/testdata/podman5"
	"flatnet/testdata/program"
)

// Upgrade makes the machine one that was upgraded from Podman 4 to 5 and
// booted: what ran is gone without a word, Podman 5 has the store, and in /etc
// is what was there, the network lists and, as "flatnet-tui init" wrote it for
// Podman 4, the setting that asks for CNI. It gives a way to run flatnet-tui
// there.
func (p *Podman) Upgrade() (tui func(args ...string) (status int, out string)) {
	p.t.Helper()
	p.crash()
	enter := "env -u CONTAINERS_CONF " + podman5.Enter(p.t)
	etc := filepath.Join(podman5.Root, "etc")
	lists, err := filepath.Glob(filepath.Join(p.Dir, "net.d", "*.conflist"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, list := range lists {
		p.copy(list, filepath.Join(etc, "cni/net.d", filepath.Base(list)), 0o644)
	}
	p.copy(program.Plugin(p.t), filepath.Join(podman5.Root, "opt/cni/bin/flatnet"), 0o755)
	p.copy(program.Build(p.t, "flatnet/tui/flatnet-tui"), filepath.Join(p.Dir, "bin/flatnet-tui"), 0o755)
	p.put(filepath.Join(etc, "containers/containers.conf"), containersConf, 0o644)
	p.put(filepath.Join(etc, "containers/containers.conf.d/flatnet.conf"), "# Flatnet is a CNI plugin.\n[network]\nnetwork_backend = \"cni\"\n", 0o644)
	p.put(filepath.Join(etc, "containers/storage.conf"), fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = %q\nrunroot = %q\n",
		filepath.Join(p.Dir, "root"), filepath.Join(p.Dir, "runroot")), 0o644)
	p.backend = backend{program: enter + " /usr/bin/podman", addNetwork: createNetwork}
	p.write("bin/podman", p.wrapper())
	return func(args ...string) (int, string) {
		words := append(strings.Fields(enter), filepath.Join(p.Dir, "bin/flatnet-tui"), "--config", p.Config)
		cmd := exec.Command(words[0], append(words[1:], args...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			p.t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
}

// crash is the end of the machine's run: nothing is told to anybody, and what
// was on a tmpfs is gone.
func (p *Podman) crash() {
	p.t.Helper()
	running := p.Run("ps", "--quiet", "--no-trunc")
	for _, id := range strings.Fields(running) {
		pids := p.Run("inspect", "--format", "{{.State.ConmonPid}} {{.State.Pid}}", id)
		for _, pid := range strings.Fields(pids) {
			if n, err := strconv.Atoi(pid); err == nil && n > 1 {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
		_ = unix.Unmount(filepath.Join(p.Dir, "root/overlay-containers", id, "userdata/shm"), unix.MNT_DETACH)
	}
	spaces, err := filepath.Glob(filepath.Join(nettest.Dir, "netns-*"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range spaces {
		nettest.Delete(path)
	}
	for _, dir := range []string{filepath.Join(p.Dir, "runroot"), "/run/libpod", "/run/containers", "/run/runc"} {
		if err := os.RemoveAll(dir); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *Podman) copy(from, to string, mode fs.FileMode) {
	p.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		p.t.Fatal(err)
	}
	p.put(to, string(text), mode)
}

func (p *Podman) put(path, text string, mode fs.FileMode) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
}
