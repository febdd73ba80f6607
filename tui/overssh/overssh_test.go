// Package overssh has no code of its own: it tries the real console, on the
// lab's real network, over a real sshd on loopback. All of it runs in
// namespaces of its own.
package overssh

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/testdata/nettest"
	"flatnet/testdata/terminal"
)

func TestMain(m *testing.M) { nettest.Main(m) }

const patience = 40 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a program and fails with what it printed.
func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// build makes the programs and gives the path of the lab.
func build(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, pkg := range map[string]string{"flatnet": "plugin/flatnet", "flatnet-tui": "tui/flatnet-tui", "flatnet-lab": "testdata/lab"} {
		run(t, "go", "build", "-o", filepath.Join(dir, name), "flatnet/"+pkg)
	}
	return filepath.Join(dir, "flatnet-lab")
}

// server is an sshd on loopback, for this test's key alone.
type server struct {
	port int
	key  string
}

func serve(t *testing.T) server {
	t.Helper()
	nettest.Need(t)
	dir := t.TempDir()
	s := server{key: filepath.Join(dir, "key"), port: freePort(t)}
	run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.key)
	run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "host"))
	public, err := os.ReadFile(s.key + ".pub")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "authorized"), public, 0o600))
	conf := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\n"+
		"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nAcceptEnv LANG LC_* NO_COLOR\nPrintMotd no\n",
		s.port, dir, dir)
	must(t, os.WriteFile(filepath.Join(dir, "config"), []byte(conf), 0o600))
	must(t, os.MkdirAll("/run/sshd", 0o755)) // of these namespaces
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "config"))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); log.Close() })
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err == nil {
			c.Close()
			return s
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("sshd does not listen: %v\n%s", err, said)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// connect opens a session with a terminal of that kind.
func (s server) connect(t *testing.T, term, command string) *terminal.Terminal {
	t.Helper()
	ssh := exec.Command("env", "TERM="+term, "ssh", "-tt", "-F", "none", "-i", s.key, "-p", fmt.Sprint(s.port),
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "SendEnv=LANG LC_*",
		"127.0.0.1", command)
	c, err := terminal.Start(ssh, 100, 30)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestOverSSH(t *testing.T) {
	s, lab := serve(t), build(t)
	for _, term := range []string{"xterm-256color", "screen-256color", "linux", "vt100"} {
		t.Run(term, func(t *testing.T) { repairs(t, s.connect(t, term, lab)) })
	}
	t.Run("dumb", func(t *testing.T) { lines(t, s.connect(t, "dumb", lab)) })
	t.Run("dropped", func(t *testing.T) { dropped(t, s.connect(t, "xterm-256color", lab), filepath.Dir(lab)) })
}

// repairs releases the lab's stale lease, changes the size, and leaves. What
// was done is read off the panes: a line that grows is sent to a vt100 in
// insert mode, which the emulator lacks and real terminals have.
func repairs(t *testing.T, c *terminal.Terminal) {
	must(t, c.WaitFor("old-build", patience)) // the stale lease
	must(t, c.WaitFor("R release", patience))
	must(t, c.Type("R"))
	must(t, c.WaitFor("Release 10.87.1.", patience))
	time.Sleep(time.Second) // the moment of grace
	must(t, c.Type("y"))
	must(t, c.WaitFor("Leases ✓ 3 active", patience))
	must(t, c.WaitGone("old-build", patience))
	must(t, c.Resize(70, 20))
	must(t, c.WaitFor("[1 Bridge", patience))
	must(t, c.Resize(130, 40))
	must(t, c.WaitFor("Windows route", patience))
	must(t, c.Type("q"))
	must(t, c.Wait(patience))
}

// lines: a dumb terminal gets lines.
func lines(t *testing.T, c *terminal.Terminal) {
	must(t, c.WaitFor("Upstreams:", patience)) // what was said before may have scrolled away
	must(t, c.Type("q\r"))
	must(t, c.Wait(patience))
}

// dropped: when the connection is gone, so is the console.
func dropped(t *testing.T, c *terminal.Terminal, dir string) {
	must(t, c.WaitFor("R release", patience))
	c.Close() // kills the ssh client
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		left := processes(t, dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still running: %v", left)
		}
	}
}

// processes gives the command lines of those that run a program in dir.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	must(t, err)
	var out []string
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && strings.HasPrefix(target, dir) {
			out = append(out, target)
		}
	}
	return out
}
