// Package nginx starts Debian's real nginx, with its Lua module, for tests: in
// the test's own namespaces, with the configuration of a gateway whose folder
// is a temporary one.
package nginx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"flatnet/testdata/nettest"
)

// Program is Debian's nginx.
const Program = "/usr/sbin/nginx"

// Server is one nginx and the folder that its configuration is in.
type Server struct {
	Dir  string // as gateway.config_dir
	Logs string
	cmd  *exec.Cmd
}

// Main is the nginx.conf of a gateway of seed phase 1, for tests: it ends with
// its test, and runs as the test's own user.
func Main(dir string, workers int) string {
	return fmt.Sprintf(`load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off;
user root;
worker_processes %[2]d;
worker_shutdown_timeout 15s;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log notice;

events {
    worker_connections 1024;
}

http {
    access_log %[1]s/access.log;
    lua_package_path "/usr/share/lua/5.1/?.lua;;";
    server_names_hash_max_size 4096;
    client_body_temp_path %[1]s/temp-body;
    proxy_temp_path %[1]s/temp-proxy;
    fastcgi_temp_path %[1]s/temp-fastcgi;
    uwsgi_temp_path %[1]s/temp-uwsgi;
    scgi_temp_path %[1]s/temp-scgi;
}
`, dir, workers)
}

// New makes the folder of a gateway with an nginx.conf that includes nothing
// of Flatnet yet. nginx is not started.
func New(t testing.TB) *Server {
	t.Helper()
	nettest.Need(t)
	if _, err := os.Stat(Program); err != nil {
		t.Fatalf("nginx is not installed (make setup installs it): %v", err)
	}
	base := t.TempDir()
	s := &Server{Dir: filepath.Join(base, "config"), Logs: filepath.Join(base, "logs")}
	for _, dir := range []string{s.Dir, s.Logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "nginx.conf"), []byte(Main(s.Logs, 2)), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start runs nginx until the test ends.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(Program, "-c", filepath.Join(s.Dir, "nginx.conf"))
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &strings.Builder{}
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	deadline := time.Now().Add(10 * time.Second)
	for {
		if text, err := os.ReadFile(filepath.Join(s.Logs, "nginx.pid")); err == nil && len(text) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx did not start: %s", out)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Stop ends nginx and its workers.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
	_ = os.Remove(filepath.Join(s.Logs, "nginx.pid"))
}

// Pid is the master's process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Workers lists the worker processes, old ones that still end too.
func (s *Server) Workers(t testing.TB) []int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, f := range strings.Fields(string(text)) {
		pid, _ := strconv.Atoi(f)
		all = append(all, pid)
	}
	return all
}

// Log is nginx's error log so far.
func (s *Server) Log() string {
	text, _ := os.ReadFile(filepath.Join(s.Logs, "error.log"))
	return string(text)
}

// Subnet makes every address of a network this namespace's own, on loopback,
// so that servers in the test can stand for containers.
func Subnet(t testing.TB, p netip.Prefix) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := netlink.ParseAddr(netip.PrefixFrom(p.Addr().Next(), p.Bits()).String())
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(lo, addr); err != nil && !errors.Is(err, syscall.EEXIST) {
		t.Fatal(err)
	}
}

// Listen listens as a container would, on its own address.
func Listen(t testing.TB, at string) net.Listener {
	t.Helper()
	var l net.Listener
	var err error
	for range 50 { // the one before may just be closing
		l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", at)
		if err == nil {
			return l
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("listen on %s: %v", at, err)
	return nil
}
