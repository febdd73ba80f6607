// Package setup_test installs from the source into directories of its own.
package setup_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

func (s stage) run(verb string, env ...string) string {
	s.t.Helper()
	cmd := exec.Command("core/setup/install.sh", verb)
	cmd.Dir = s.source
	cmd.Env = append(os.Environ(), append([]string{"DESTDIR=" + s.root}, env...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", verb, err, out)
	}
	return string(out)
}

// tree lists everything below the root.
func (s stage) tree() []string {
	s.t.Helper()
	var all []string
	err := filepath.WalkDir(s.root, func(path string, _ fs.DirEntry, err error) error {
		if rel := strings.TrimPrefix(path, s.root); rel != "" {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func TestUninstallLeavesTheMachineAsItWas(t *testing.T) {
	s := newStage(t)
	s.write(filepath.Join(s.root, "etc/cni/net.d/other.conflist"), "another's")
	if err := os.MkdirAll(filepath.Join(s.root, "opt"), 0o755); err != nil {
		t.Fatal(err)
	}
	before := s.tree()
	s.run("install", "PREFIX=/usr")
	if c, err := config.Load(filepath.Join(s.root, "etc/flatnet/flatnet.toml")); err != nil || c.Network != config.Default().Network {
		t.Errorf("what is installed says %+v, %v", c.Network, err)
	}
	for _, name := range []string{"opt/cni/bin/flatnet", "usr/lib/netavark/flatnet", "usr/bin/flatnet-tui"} {
		info, err := os.Stat(filepath.Join(s.root, name))
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if unit := s.read("usr/lib/systemd/system/flatnet.service"); !strings.Contains(unit, "ExecStart=/usr/bin/flatnet-tui watch") {
		t.Error(unit)
	}
	s.run("install", "PREFIX=/usr")
	s.run("uninstall", "PREFIX=/usr")
	if after := s.tree(); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
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
	if left := s.tree(); slices.ContainsFunc(left, func(name string) bool { return strings.Contains(name, "flatnet") }) {
		t.Errorf("left after PURGE=1: %v", left)
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
