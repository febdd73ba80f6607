package command_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"flatnet/testdata/nettest"
	"flatnet/testdata/nginx"
	"flatnet/testdata/podman"
	"flatnet/testdata/program"
)

// TestLabelIsAllItTakes is the whole path on real parts: Podman starts a
// container with two labels, the plugin attaches it, and flatnet-tui watch has
// a real nginx serve it; then it stops, starts, goes and is made anew.
func TestLabelIsAllItTakes(t *testing.T) {
	for _, mode := range []string{"static", "lua"} {
		t.Run(mode, func(t *testing.T) {
			nettest.Need(t)
			front := nginx.New(t)
			socket := filepath.Join(t.TempDir(), "podman.sock")
			p := podman.New(t, podman.Options{TOML: fmt.Sprintf(`
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
`, socket, front.Dir, mode)})
			background(t, p.Command("system", "service", "--time", "0", "unix://"+socket))
			front.Start(t)
			tui := program.Build(t, "flatnet/tui/flatnet-tui")
			if out, err := exec.Command(tui, "--config", p.Config, "gateway", "apply", "--yes").CombinedOutput(); err != nil {
				t.Fatalf("gateway apply: %v\n%s", err, out)
			}
			said := background(t, exec.Command(tui, "--config", p.Config, "watch"))
			become := func(what string, want int) {
				t.Helper()
				for range 300 {
					if got := statusOf("web.local"); got == want {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
				t.Fatalf("%s: web.local answers %d, want %d\nwatch said:\n%s\nnginx:\n%s", what, statusOf("web.local"), want, said(), front.Log())
			}
			start := func(name string) {
				p.Run("run", "--detach", "--name", name, "--network", "flatnet", "--label", "flatnet.host=web.local", podman.Nginx)
			}

			become("before there is a container", http.StatusNotFound)
			start("web")
			become("started", http.StatusOK)
			p.Run("stop", "--time", "0", "web")
			become("stopped", http.StatusServiceUnavailable)
			p.Run("start", "web")
			become("started again", http.StatusOK)
			p.Run("rm", "--force", "--time", "0", "web")
			become("removed", http.StatusServiceUnavailable)
			start("successor")
			become("made anew by another name", http.StatusOK)
			p.Run("rm", "--force", "--time", "0", "successor")
		})
	}
}

// background runs a program until the test ends; said gives its output so far.
func background(t *testing.T, cmd *exec.Cmd) (said func() string) {
	t.Helper()
	out := &lines{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second // containers' monitors may hold the pipe
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return out.String
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

// statusOf asks the gateway for a host; 0: no answer.
func statusOf(host string) int {
	req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1/", strings.NewReader(""))
	if err != nil {
		return 0
	}
	req.Host = host
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
