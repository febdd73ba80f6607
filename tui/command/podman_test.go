package command_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/testdata/nettest"
	"flatnet/testdata/nginx"
	"flatnet/testdata/podman"
	"flatnet/testdata/program"
)

// site is one name on the whole path, on real parts: Podman, the plugin, nginx
// and flatnet-tui watch.
type site struct {
	t     testing.TB
	p     *podman.Podman
	front *nginx.Server
	tui   string
	watch *process
}

const siteHost = "web.local"

// newPodman makes a Podman of either kind: podman.New, podman.NewNetavark.
type newPodman func(testing.TB, podman.Options) *podman.Podman

// newSite makes the path on a Podman of that kind, with a gateway in this
// mode, up to its first deployment.
func newSite(t testing.TB, of newPodman, mode string) *site {
	t.Helper()
	nettest.Need(t)
	s := &site{t: t, front: nginx.New(t), tui: program.Build(t, "flatnet/tui/flatnet-tui")}
	dir, err := os.MkdirTemp("/run", "socket-") // Podman 5 shares /run with this machine
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "podman.sock")
	s.p = of(t, podman.Options{TOML: fmt.Sprintf(`
[podman]
socket = %q
[windows]
enabled = false
[gateway]
config_dir = %q
windows_path = %[2]q
nginx = "/usr/sbin/nginx"
mode = %q
health_url = "http://127.0.0.1/health"
[probes]
interval = "1s"
`, socket, s.front.Dir, mode)})
	background(t, s.p.Command("system", "service", "--time", "0", "unix://"+socket))
	s.front.Start(t)
	if out, err := exec.Command(s.tui, "--config", s.p.Config, "gateway", "apply", "--yes").CombinedOutput(); err != nil {
		t.Fatalf("gateway apply: %v\n%s", err, out)
	}
	s.startWatch()
	return s
}

func (s *site) startWatch() {
	s.t.Helper()
	s.watch = background(s.t, exec.Command(s.tui, "--config", s.p.Config, "watch"))
}

// start runs a container for the site.
func (s *site) start(name string) {
	s.t.Helper()
	s.p.Run("run", "--detach", "--name", name, "--network", "flatnet", "--label", "flatnet.host="+siteHost, podman.Nginx)
}

func (s *site) remove(name string) {
	s.t.Helper()
	s.p.Run("rm", "--force", "--time", "0", name)
}

// become waits until the site answers with this status, and gives how long
// that took.
func (s *site) become(what string, want int) time.Duration {
	s.t.Helper()
	begin := time.Now()
	for time.Since(begin) < 30*time.Second {
		if statusOf(siteHost) == want {
			return time.Since(begin)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("%s: %s answers %d, want %d\nwatch said:\n%s\nnginx:\n%s", what, siteHost, statusOf(siteHost), want, s.watch.said(), s.front.Log())
	return 0
}

// TestLabelIsAllItTakes: Podman starts a container with two labels, the plugin
// attaches it, and flatnet-tui watch has a real nginx serve it; then it stops,
// starts, goes and is made anew.
func TestLabelIsAllItTakes(t *testing.T) {
	for name, on := range map[string]struct {
		podman newPodman
		mode   string
	}{
		"static":   {podman.New, "static"},
		"lua":      {podman.New, "lua"},
		"Podman 5": {podman.NewNetavark, "static"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, on.podman, on.mode)
			s.become("before there is a container", http.StatusNotFound)
			s.start("web")
			s.become("started", http.StatusOK)
			s.p.Run("stop", "--time", "0", "web")
			s.become("stopped", http.StatusServiceUnavailable)
			s.p.Run("start", "web")
			s.become("started again", http.StatusOK)
			s.remove("web")
			s.become("removed", http.StatusServiceUnavailable)
			s.start("successor")
			s.become("made anew by another name", http.StatusOK)
			s.remove("successor")
		})
	}
}

// process is a program in the background.
type process struct {
	*exec.Cmd
	out lines
}

// said gives its output so far.
func (p *process) said() string { return p.out.String() }

// kill ends it as kill -9 does.
func (p *process) kill() { _ = p.Process.Kill(); _ = p.Wait() }

// background runs a program until the test ends.
func background(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.WaitDelay = time.Second // containers' monitors may hold the pipe
	if err := program.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// lines is output that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// statusOf asks the gateway for a host; 0: no answer within a second. A request
// that comes between a container's end and the reload waits longer: nginx looks
// for the old address until the kernel says that nobody has it.
func statusOf(host string) int {
	req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1/", strings.NewReader(""))
	if err != nil {
		return 0
	}
	req.Host = host
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// A socket that is set is one Podman; the command asks root's own, which would
// say that there are no such containers.
func TestTheCommandDoesNotAnswerForAnotherSocket(t *testing.T) {
	nettest.Need(t)
	dir := t.TempDir()
	conf, asked := filepath.Join(dir, "flatnet.toml"), filepath.Join(dir, "asked")
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(conf, fmt.Sprintf("[podman]\nsocket = %q\n[ipam]\nstate_dir = %q\n[windows]\nenabled = false\n[gateway]\nconfig_dir = %[2]q\nwindows_path = %[2]q\n", filepath.Join(dir, "gone.sock"), dir), 0o600)
	write(filepath.Join(dir, "podman"), fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s\necho '[]'\n", asked), 0o700)
	cmd := exec.Command(program.Build(t, "flatnet/tui/flatnet-tui"), "--config", conf, "doctor", "--json")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, _ := cmd.Output() // it finds a lot
	if !strings.Contains(string(out), `"podman-unreachable"`) {
		t.Errorf("Podman is not called unreachable:\n%s", out)
	}
	if questions, _ := os.ReadFile(asked); len(questions) > 0 {
		t.Errorf("the command was asked: %s", questions)
	}
}
