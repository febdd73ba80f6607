package gateway_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/gateway"
	"flatnet/testdata/nginx"
)

// drive is an nginx that knows the gateway's folder only as F:/flatnet/config:
// it runs with a folder as its prefix in which F: is a link. (What nginx.exe
// itself does was not tried; this shows that it is told no path of Linux.)
type drive struct {
	t      *testing.T
	prefix string
}

func (d drive) command(args ...string) *exec.Cmd {
	cmd := exec.Command(nginx.Program, append([]string{"-p", d.prefix + "/"}, args...)...)
	cmd.Dir = d.prefix // where Lua's relative paths start
	return cmd
}

func (d drive) Run(_ context.Context, args ...string) ([]byte, error) {
	for _, a := range args {
		if strings.Contains(a, d.prefix) {
			d.t.Errorf("nginx is told %s, a path that it does not know", a)
		}
	}
	return d.command(args...).CombinedOutput()
}

func TestWindowsPaths(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		prefix := filepath.Join(t.TempDir(), "windows")
		root := filepath.Join(prefix, "f") // WSL's /mnt/f
		config := filepath.Join(root, "flatnet", "config")
		for _, dir := range []string{config, filepath.Join(root, "flatnet", "logs"), filepath.Join(root, "flatnet", "temp")} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		// nginx takes F:/x for relative: to the prefix, and in an include to
		// the folder of nginx.conf.
		for _, link := range []string{filepath.Join(prefix, "F:"), filepath.Join(config, "F:")} {
			if err := os.Symlink(root, link); err != nil {
				t.Fatal(err)
			}
		}
		main := strings.ReplaceAll(nginx.Main("F:/flatnet/logs", 1), "daemon off;", "daemon on;")
		if err := os.WriteFile(filepath.Join(config, "nginx.conf"), []byte(main), 0o644); err != nil {
			t.Fatal(err)
		}
		w.config.Gateway.ConfigDir, w.config.Gateway.WindowsPath = config, "F:/flatnet/config"
		d := drive{t, prefix}
		if said, err := d.command("-c", "F:/flatnet/config/nginx.conf").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		t.Cleanup(func() { _ = d.command("-c", "F:/flatnet/config/nginx.conf", "-s", "stop").Run() })

		serve(t, "10.87.1.2:80", "web")
		serve(t, "10.87.1.3:80", "moved")
		cert, key := certificate(t, config, "safe.local")
		seen := func(path string) string { return "F:/flatnet/config/" + filepath.Base(path) }
		w.run("web", "10.87.1.2", "host=web.local")
		w.run("safe", "10.87.1.2", "host=safe.local", "tls_cert="+seen(cert), "tls_key="+seen(key))
		o := w.options()
		o.Runner = d
		for _, want := range []string{"web", "moved"} {
			g := gateway.New(o)
			c, err := g.Prepare(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(c.Files.Conf())+string(c.Main), prefix) {
				t.Errorf("a path of Linux is in what nginx reads:\n%s%s", c.Files.Conf(), c.Main)
			}
			if out, err := g.Deploy(t.Context(), c); err != nil || !out.Confirmed {
				log, _ := os.ReadFile(filepath.Join(root, "flatnet", "logs", "error.log"))
				t.Fatalf("%+v, %v\n%s", out, err, log)
			}
			if a := get(t, "web.local", "/"); a.Body != want {
				t.Errorf("got %d %q, want %q", a.Status, a.Body, want)
			}
			w.containers[0].Networks["flatnet"] = attachment("10.87.1.3")
		}
		if body, _ := overTLS(t, "safe.local"); body != "web https" {
			t.Errorf("https: %q", body)
		}
	})
}
