package gateway_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flatnet/core"
	"flatnet/core/gateway"
)

// A write that fails is not the server's refusal, and is told once.
func TestPlaceThatCannotBeWritten(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		w.nginx.Start(t)
		w.apply()
		w.run("big", "10.87.1.2", "host=big.local", "max_body=5m")
		dir := filepath.Join(w.nginx.Dir, "conf.d")
		if err := errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND, ""), unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		_, err := w.tryApply()
		if !errors.Is(err, unix.EROFS) || errors.Is(err, gateway.ErrNotServed) || strings.Count(err.Error(), "read-only") != 1 {
			t.Errorf("got %v", err)
		}
		if hint := core.Hint(err).String(); !strings.Contains(hint, "nothing was changed") {
			t.Errorf("hint %q", hint)
		}
		if s := w.look(); s.Generation != 1 || s.Served != 1 || len(s.Drift) != 0 {
			t.Errorf("status: %+v", s)
		}
	})
}

// Whoever keeps nginx.conf elsewhere, and conf.d or Flatnet's own folder on
// another disk, finds the links as they were.
func TestLinksToAnotherDisk(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		other := t.TempDir()
		if err := unix.Mount("tmpfs", other, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(other, unix.MNT_DETACH) })
		link := func(name string) string {
			from, to := filepath.Join(w.nginx.Dir, name), filepath.Join(other, name)
			if err := os.Symlink(to, from); err != nil {
				t.Fatal(err)
			}
			return from
		}
		main := read(t, filepath.Join(w.nginx.Dir, "nginx.conf"))
		err := errors.Join(
			os.Remove(filepath.Join(w.nginx.Dir, "nginx.conf")),
			os.WriteFile(filepath.Join(other, "nginx.conf"), []byte(main), 0o644),
			os.Mkdir(filepath.Join(other, "conf.d"), 0o755),
		)
		if err != nil {
			t.Fatal(err)
		}
		linked := []string{link("nginx.conf"), link("conf.d")}
		w.nginx.Start(t)
		if out := w.apply(); !out.Confirmed {
			t.Errorf("outcome %+v", out)
		}
		if a := get(t, "web.local", "/"); a.Body != "web" {
			t.Errorf("the site: %d %q", a.Status, a.Body)
		}
		for _, name := range linked {
			if info, err := os.Lstat(name); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s is a link no more (%v)", name, err)
			}
		}
		if text := read(t, filepath.Join(other, "nginx.conf")); !strings.Contains(text, "conf.d/*.conf") {
			t.Error("the file behind the link has no include")
		}
		if left, _ := filepath.Glob(filepath.Join(other, "*", ".*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}
