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

// A fault that stays has the same words each time: watch says it once.
func TestFolderThatCannotBeWritten(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		w.nginx.Start(t)
		w.apply()
		w.run("web", "10.87.1.2", "host=web.local")
		dir := w.nginx.Dir
		if err := errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND, ""), unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		_, first := w.tryApply()
		_, second := w.tryApply()
		if !errors.Is(first, unix.EROFS) || first.Error() != second.Error() {
			t.Errorf("got %v, then %v", first, second)
		}
		first, second = w.gateway().SetMaintenance(t.Context(), "web.local", true), w.gateway().SetMaintenance(t.Context(), "web.local", true)
		if !errors.Is(first, unix.EROFS) || first.Error() != second.Error() {
			t.Errorf("maintenance: %v, then %v", first, second)
		}
		if s := w.look(); s.Generation != 1 || s.Served != 1 {
			t.Errorf("status: %+v", s)
		}
	})
}

// Only a deployment under way is called one.
func TestLockThatCannotBeOpened(t *testing.T) {
	w := newWorld(t, "static")
	if err := os.MkdirAll(filepath.Join(w.nginx.Dir, "flatnet", "lock"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := w.tryApply()
	if !errors.Is(err, unix.EISDIR) || strings.Contains(core.Hint(err).String(), "another") {
		t.Errorf("got %v, hint %q", err, core.Hint(err).String())
	}
}

func TestFullDisk(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		small := filepath.Join(t.TempDir(), "drive")
		if err := os.MkdirAll(small, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=256k,mode=755"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(small, unix.MNT_DETACH) })
		main := read(t, filepath.Join(w.nginx.Dir, "nginx.conf"))
		w.nginx.Dir = filepath.Join(small, "config")
		w.config.Gateway.ConfigDir, w.config.Gateway.WindowsPath = w.nginx.Dir, w.nginx.Dir
		if err := os.MkdirAll(w.nginx.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.nginx.Dir, "nginx.conf"), []byte(main), 0o644); err != nil {
			t.Fatal(err)
		}
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		if err := os.WriteFile(filepath.Join(small, "filler"), make([]byte, 1<<20), 0o644); !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("the disk is not full: %v", err)
		}
		w.run("more", "10.87.1.2", "host=more.local")
		_, err := w.tryApply()
		if !errors.Is(err, unix.ENOSPC) || core.Hint(err) == "" {
			t.Errorf("got %v, hint %q", err, core.Hint(err).String())
		}
		if a := get(t, "web.local", "/"); a.Body != "web" {
			t.Errorf("the old one got %d", a.Status)
		}
		if s := w.look(); s.Generation != 1 || s.Served != 1 || len(s.Drift) != 0 {
			t.Errorf("status: %+v", s)
		}
		if err := os.Remove(filepath.Join(small, "filler")); err != nil {
			t.Fatal(err)
		}
		if out := w.apply(); !out.Confirmed {
			t.Errorf("with room again: %+v", out)
		}
	})
}

func TestDriveThatIsNotMounted(t *testing.T) {
	w := newWorld(t, "static")
	w.config.Gateway.ConfigDir, w.config.Gateway.WindowsPath = "/mnt/q/flatnet/config", "Q:/flatnet/config"
	_, err := w.tryApply()
	if !errors.Is(err, gateway.ErrNoDrive) || !strings.Contains(core.Hint(err).String(), "mount -t drvfs Q: /mnt/q") {
		t.Errorf("got %v, hint %q", err, core.Hint(err).String())
	}
	if _, err := os.Stat("/mnt/q"); err == nil {
		t.Error("it made the drive's folder")
	}
	if c, err := w.gateway().Preview(t.Context()); err != nil || len(c.Files.Conf()) == 0 {
		t.Errorf("rendering needs no drive: %v", err)
	}
}
