// Package setup_test installs from the source into directories of its own.
package setup_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flatnet/core/config"
)

// stage is a source directory with what make build puts into bin, and a root
// directory to install into.
type stage struct {
	t            *testing.T
	source, root string
}

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{t, t.TempDir(), t.TempDir()}
	for name, text := range map[string]string{
		"bin/flatnet": "plugin 1", "bin/flatnet-tui": "console 1",
		"bin/share/flatnet/flatnet.toml":                       config.Sample(),
		"bin/share/man/man1/flatnet-tui.1":                     "manual",
		"bin/share/man/man5/flatnet.toml.5":                    "manual",
		"bin/share/bash-completion/completions/flatnet-tui":    "completion",
		"bin/share/zsh/site-functions/_flatnet-tui":            "completion",
		"bin/share/fish/vendor_completions.d/flatnet-tui.fish": "completion",
		"bin/share/doc/flatnet/copyright":                      "licences",
	} {
		s.write(filepath.Join(s.source, name), text)
	}
	files, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.source, "core"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(files, filepath.Join(s.source, "core", "setup")); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s stage) write(path, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func (s stage) read(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.root, name))
	if err != nil {
		s.t.Error(err)
	}
	return string(data)
}

func (s stage) command(verb string, env ...string) *exec.Cmd {
	cmd := exec.Command("core/setup/install.sh", verb)
	cmd.Dir = s.source
	cmd.Env = append(os.Environ(), append([]string{"DESTDIR=" + s.root}, env...)...)
	return cmd
}

func (s stage) run(verb string, env ...string) string {
	s.t.Helper()
	out, err := s.command(verb, env...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", verb, err, out)
	}
	return string(out)
}

// tree lists everything below the root, with modes and contents.
func (s stage) tree() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := []byte(nil)
		if info.Mode().IsRegular() {
			text, err = os.ReadFile(path)
		}
		all[strings.TrimPrefix(path, s.root)] = info.Mode().String() + " " + string(text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// machine makes what is on a machine before, some of it with modes of its own.
func (s stage) machine() {
	s.t.Helper()
	s.write(filepath.Join(s.root, "etc/cni/net.d/other.conflist"), "another's")
	for dir, mode := range map[string]fs.FileMode{"opt": 0o711, "usr/share/man": 0o755, "usr/bin": 0o750} {
		if err := os.MkdirAll(filepath.Join(s.root, dir), mode); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestInstall(t *testing.T) {
	s := newStage(t)
	s.run("install", "PREFIX=/usr")
	if c, err := config.Load(filepath.Join(s.root, "etc/flatnet/flatnet.toml")); err != nil || c.Network != config.Default().Network {
		t.Errorf("what is installed says %+v, %v", c.Network, err)
	}
	// Podman 4 looks for plugins in the first, Podman 5 in the second.
	for _, name := range []string{"opt/cni/bin/flatnet", "usr/lib/netavark/flatnet", "usr/bin/flatnet-tui"} {
		info, err := os.Stat(filepath.Join(s.root, name))
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if unit := s.read("usr/lib/systemd/system/flatnet.service"); !strings.Contains(unit, `ExecStart="/usr/bin/flatnet-tui" watch`) {
		t.Error(unit)
	}
}

// TestUninstallLeavesTheMachineAsItWas: every file with its mode and contents,
// whatever was installed twice, edited or written by init meanwhile.
func TestUninstallLeavesTheMachineAsItWas(t *testing.T) {
	for _, test := range []struct {
		name, purge string
		prefix      string
		meanwhile   func(s stage)
	}{
		{"at once", "0", "/usr", func(stage) {}},
		{"installed twice", "0", "/usr", func(s stage) { s.run("install", "PREFIX=/usr") }},
		{"after init on Podman 4", "0", "/usr", func(s stage) {
			s.write(filepath.Join(s.root, "etc/containers/containers.conf.d/flatnet.conf"), "# Flatnet is a CNI plugin.\n[network]\nnetwork_backend = \"cni\"\n")
		}},
		{"after init on Podman 5", "0", "/usr", func(s stage) {
			s.write(filepath.Join(s.root, "etc/containers/containers.conf.d/flatnet.conf"), "# Flatnet speaks netavark's plugin API.\n[network]\nnetavark_plugin_dirs = [\"/opt/cni/bin\", {append=true}]\n")
		}},
		{"edited, PURGE=1", "1", "/usr", func(s stage) {
			for _, name := range []string{"etc/flatnet/flatnet.toml", "etc/cni/net.d/flatnet.conflist", "etc/sysctl.d/99-flatnet.conf", "etc/containers/containers.conf.d/flatnet.conf"} {
				s.write(filepath.Join(s.root, name), "edited")
			}
			s.write(filepath.Join(s.root, "var/lib/flatnet/ipam/allocations.json"), "leases")
			s.write(filepath.Join(s.root, "var/log/flatnet/flatnet.log"), "log")
		}},
		{"a prefix with a space and signs", "0", "/opt/a b#&c", func(stage) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t)
			s.machine()
			// containers.conf.d and var are Podman's and Debian's.
			for _, dir := range []string{"etc/containers/containers.conf.d", "var/lib", "var/log"} {
				if err := os.MkdirAll(filepath.Join(s.root, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			before := s.tree()
			s.run("install", "PREFIX="+test.prefix)
			test.meanwhile(s)
			s.run("uninstall", "PREFIX="+test.prefix, "PURGE="+test.purge)
			if diff := cmp.Diff(before, s.tree()); diff != "" {
				t.Errorf("before (-) and after (+):\n%s", diff)
			}
		})
	}
}

// TestUninstallKeepsWhatWasEdited, and nothing else.
func TestUninstallKeepsWhatWasEdited(t *testing.T) {
	s := newStage(t)
	s.machine()
	before := s.tree()
	s.run("install")
	edited := map[string]string{"/etc/flatnet/flatnet.toml": "mine", "/etc/cni/net.d/flatnet.conflist": "mine", "/var/lib/flatnet/ipam/allocations.json": "leases"}
	for name, text := range edited {
		s.write(filepath.Join(s.root, name), text)
	}
	out := s.run("uninstall")
	after := s.tree()
	for name, text := range edited {
		if !strings.HasSuffix(after[name], " "+text) {
			t.Errorf("%s is %q", name, after[name])
		}
	}
	for name, text := range after {
		if _, is := edited[name]; !is && before[name] != text && !strings.HasPrefix(text, "d") {
			t.Errorf("left: %s %q", name, text)
		}
	}
	if strings.Count(out, "kept") != 3 {
		t.Error(out)
	}
}

// TestInstallIntoAFolder needs no root and no systemd, and touches nothing
// outside of it, whatever its name.
func TestInstallIntoAFolder(t *testing.T) {
	s := newStage(t)
	s.root = filepath.Join(s.root, "a folder's name")
	cmd := s.command("install", "PREFIX=/usr")
	if os.Geteuid() == 0 {
		// Somebody who may write into this test's own folders and nowhere else.
		const nobody = 65534
		for dir := s.root; strings.Contains(dir, t.Name()); dir = filepath.Dir(dir) {
			_ = os.Mkdir(dir, 0o755)
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		cmd.Env = append(cmd.Env, "TMPDIR="+filepath.Dir(s.root))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := s.read("opt/cni/bin/flatnet"); got != "plugin 1" {
		t.Errorf("the plugin is %q", got)
	}
}

// TestMakeInstallBuildsNothingThatIsThere: under sudo there is no Go.
func TestMakeInstallBuildsNothingThatIsThere(t *testing.T) {
	s := newStage(t)
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(s.source, "Makefile"), string(makefile))
	for _, target := range []string{"install", "uninstall"} {
		cmd := exec.Command("make", "-s", target, "GO=false", "DESTDIR="+s.root, "PREFIX=/usr/local")
		cmd.Dir = s.source
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
	}
	if err := os.Remove(filepath.Join(s.source, "bin/flatnet")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("make", "-n", "install", "DESTDIR="+s.root)
	cmd.Dir = s.source
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "build") {
		t.Errorf("what is missing is not built: %v\n%s", err, out)
	}
}

func TestUpgradeKeepsWhatWasEdited(t *testing.T) {
	s := newStage(t)
	s.run("install")
	s.write(filepath.Join(s.root, "var/lib/flatnet/ipam/allocations.json"), "leases")
	s.write(filepath.Join(s.root, "etc/flatnet/flatnet.toml"), "[network]\nmtu = 1400\n")
	s.write(filepath.Join(s.source, "bin/flatnet"), "plugin 2")
	s.write(filepath.Join(s.source, "bin/share/flatnet/flatnet.toml"), "# newer\n")
	out := s.run("install")
	if !strings.Contains(out, "kept, because it was edited") {
		t.Error(out)
	}
	if got := s.read("etc/flatnet/flatnet.toml"); got != "[network]\nmtu = 1400\n" {
		t.Errorf("the edited file is now %q", got)
	}
	if got := s.read("opt/cni/bin/flatnet"); got != "plugin 2" {
		t.Errorf("the plugin is %q", got)
	}
	s.run("uninstall")
	if got := s.read("etc/flatnet/flatnet.toml"); got != "[network]\nmtu = 1400\n" {
		t.Errorf("uninstall made it %q", got)
	}
	if got := s.read("var/lib/flatnet/ipam/allocations.json"); got != "leases" {
		t.Errorf("the leases are %q", got)
	}
	s.run("install")
	s.run("uninstall", "PURGE=1")
	for name := range s.tree() {
		if strings.Contains(name, "flatnet") {
			t.Errorf("left after PURGE=1: %s", name)
		}
	}
}

// The package's network list has portmap, also where the machine that built it
// has not; so the package needs it wherever Podman reads that list.
func TestPackageBringsPortmap(t *testing.T) {
	text, err := os.ReadFile("nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- src: core/setup/files/flatnet-portmap.conflist\n    dst: /etc/cni/net.d/flatnet.conflist", "containernetworking-plugins | podman (>= 5)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("nfpm.yaml lacks %q", want)
		}
	}
}

// A file of ours that nobody has edited follows an upgrade.
func TestUpgradeReplacesWhatWasNotEdited(t *testing.T) {
	s := newStage(t)
	s.run("install")
	s.write(filepath.Join(s.source, "bin/share/flatnet/flatnet.toml"), "# newer\n")
	s.run("install")
	if got := s.read("etc/flatnet/flatnet.toml"); got != "# newer\n" {
		t.Errorf("it is still %q", got)
	}
}

// Containers that start at boot before names are answered would not be told of
// them until somebody restarts them.
func TestUnitComesBeforeTheContainersOfABoot(t *testing.T) {
	unit, err := os.ReadFile("files/flatnet.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Before=podman-restart.service", "Type=notify"} {
		if !slices.Contains(strings.Split(string(unit), "\n"), line) {
			t.Errorf("the unit lacks %s", line)
		}
	}
}

func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here (Debian: systemd)")
	}
	unit, err := os.ReadFile("files/flatnet.service")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "flatnet.service")
	text := strings.ReplaceAll(string(unit), "@PREFIX@/bin/flatnet-tui", "/bin/true")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
