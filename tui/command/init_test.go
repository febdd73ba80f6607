package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/config"
	"flatnet/testdata/nettest"
	"flatnet/testdata/program"
	"flatnet/testdata/terminal"
)

// patience is for a machine that is busy with other tests.
const patience = time.Minute

// bare is a machine of this test's own on which init has not run: /etc is a
// layer over this machine's, there is no Podman on the PATH, and no systemd.
type bare struct {
	t         *testing.T
	tui, conf string
}

func newBare(t *testing.T) bare {
	t.Helper()
	nettest.Need(t)
	layer, err := os.MkdirTemp("/run", "etc-")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(layer, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+layer+"/upper,workdir="+layer+"/work"); err != nil {
		t.Fatalf("lay a layer over /etc: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount("/etc", unix.MNT_DETACH) })
	for _, dir := range []string{"/etc/cni/net.d/flatnet.conflist", "/etc/sysctl.d/99-flatnet.conf", "/etc/flatnet"} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	return bare{t, program.Build(t, "flatnet/tui/flatnet-tui"), filepath.Join(t.TempDir(), "flatnet.toml")}
}

func (b bare) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.tui, append([]string{"--config", b.conf, "init"}, args...)...)
	cmd.Env = []string{"PATH=/nowhere", "HOME=/root"}
	return cmd
}

// run runs init with nobody at a terminal.
func (b bare) run(status int, args ...string) string {
	b.t.Helper()
	cmd := b.command(args...)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != status {
		b.t.Errorf("init %s ends with %d, want %d:\n%s", strings.Join(args, " "), got, status, out)
	}
	return string(out)
}

// talk runs init at a terminal: what it shows and what is typed then, in
// turns. It gives the last screen.
func (b bare) talk(talk ...string) string {
	b.t.Helper()
	term, err := terminal.Start(b.command(), 120, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	defer term.Close()
	for i := 0; i+1 < len(talk); i += 2 {
		if err := term.WaitFor(talk[i], patience); err != nil {
			b.t.Fatal(err)
		}
		if err := term.Type(talk[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	_ = term.Wait(patience) // its status is other tests' matter
	return term.Text()
}

func (b bare) untouched() {
	b.t.Helper()
	for _, path := range []string{b.conf, "/etc/cni/net.d/flatnet.conflist", "/etc/sysctl.d/99-flatnet.conf"} {
		if _, err := os.Stat(path); err == nil {
			b.t.Errorf("%s is there", path)
		}
	}
}

func TestInitAsks(t *testing.T) {
	b := newBare(t)
	const question = "Network for the containers [10.87.1.0/24]:"
	said := b.talk(
		question, "nonsense\r",
		"nonsense", "10.60.0.0/33\r",
		"10.60.0.0/33", "10.60.0.0/24\r",
		"Go on? [y/N]", "y\r")
	if !strings.Contains(said, "Done.") {
		t.Fatalf("it said\n%s", said)
	}
	c, err := config.Load(b.conf)
	if err != nil || c.Network.Subnet.String() != "10.60.0.0/24" || c.Gateway.Nginx != "/usr/sbin/nginx" || c.Gateway.ConfigDir != "/etc/nginx" {
		t.Errorf("it wrote %+v %+v, %v", c.Network, c.Gateway, err)
	}
	if again := b.talk(); strings.Contains(again, "[") || !strings.Contains(again, "Nothing is missing") {
		t.Errorf("once more it said\n%s", again)
	}
}

// Ctrl-C, Ctrl-D, or a no: nothing is written.
func TestInitIsLeft(t *testing.T) {
	b := newBare(t)
	const question, confirm = "Network for the containers", "Go on? [y/N]"
	for name, talk := range map[string][]string{
		"Ctrl-C at a question":  {question, "\x03"},
		"Ctrl-D at a question":  {question, "\x04"},
		"Ctrl-C at the plan":    {question, "\r", confirm, "\x03"},
		"no":                    {question, "\r", confirm, "n\r"},
		"Enter, which means no": {question, "\r", confirm, "\r"},
		"control characters":    {question, "\x1b[2J\r", question, "\x03"},
	} {
		t.Run(name, func(t *testing.T) {
			if said := b.talk(talk...); !strings.Contains(said, "Nothing was changed.") {
				t.Errorf("it said\n%s", said)
			}
			b.untouched()
		})
	}
}

func TestInitWithoutATerminal(t *testing.T) {
	b := newBare(t)
	if out := b.run(2); !strings.Contains(out, "--yes") {
		t.Error(out)
	}
	for _, wrong := range [][]string{
		{"--subnet", "nonsense"},
		{"--subnet", "10.60.0.0/33"},
		{"--subnet", "10.60.0.0/31"},
		{"--subnet", "fd00::/64"},
		{"--drive", "relative"},
		{"--drive", "/mnt/f/\";'$(reboot)"},
		{"--nginx", "nginx\n[tui]"},
		{"--config-dir", "\x1b[2J"},
		{"--listen", "70000"},
		{"surplus"},
	} {
		if out := b.run(2, append(wrong, "--yes")...); strings.ContainsRune(out, 0x1b) {
			t.Errorf("%q reached the terminal: %q", wrong, out)
		}
	}
	if out := b.run(0, "--dry-run"); !strings.Contains(out, "write /etc/cni/net.d/flatnet.conflist") {
		t.Error(out)
	}
	if out := b.run(0, "--dry-run", "--json"); !strings.Contains(out, `"applied": false`) {
		t.Error(out)
	}
	b.untouched()
	if out := b.run(0, "--yes", "--json", "--listen", "8080"); !strings.Contains(out, `"applied": true`) {
		t.Error(out)
	}
	if c, err := config.Load(b.conf); err != nil || c.Gateway.Listen != "8080" {
		t.Errorf("%+v, %v", c.Gateway, err)
	}
	before, err := os.ReadFile(b.conf)
	if err != nil {
		t.Fatal(err)
	}
	if out := b.run(0, "--yes"); !strings.Contains(out, "Nothing is missing") {
		t.Error(out)
	}
	if after, err := os.ReadFile(b.conf); err != nil || string(after) != string(before) {
		t.Errorf("a second run changed the file (%v):\n%s", err, after)
	}
}

// A configuration that is wrong is not written into.
func TestInitOnAWrongConfiguration(t *testing.T) {
	b := newBare(t)
	const wrong = "[network]\nsubnet = 5\n"
	if err := os.WriteFile(b.conf, []byte(wrong), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := b.run(2, "--yes"); !strings.Contains(out, b.conf+":2") {
		t.Error(out)
	}
	if text, err := os.ReadFile(b.conf); err != nil || string(text) != wrong {
		t.Errorf("%v %q", err, text)
	}
}
