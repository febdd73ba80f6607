package windows

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// tree makes an interop whose files are below a directory of the test's.
func tree(t *testing.T) interop {
	t.Helper()
	// A socket's path has 108 bytes: not t.TempDir.
	dir, err := os.MkdirTemp("", "i")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	i := interop{sockets: filepath.Join(dir, "WSL"), binfmt: filepath.Join(dir, "binfmt"), conf: filepath.Join(dir, "wsl.conf"), proc: "/proc"}
	for _, d := range []string{i.sockets, i.binfmt} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func listen(t *testing.T, path string) string {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return path
}

// dead makes the socket of somebody who has gone.
func dead(t *testing.T, path string) string {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	return path
}

func TestEnvironFindsTheSocketThatIsAlive(t *testing.T) {
	i := tree(t)
	dead(t, i.socket(os.Getpid()))
	first := listen(t, i.socket(1))
	gone := dead(t, filepath.Join(i.sockets, "77_interop"))
	other := listen(t, filepath.Join(i.sockets, "78_interop"))
	for name, c := range map[string]struct{ env, want []string }{
		"unset":       {[]string{"A=b"}, []string{"A=b", "WSL_INTEROP=" + first}},
		"dead":        {[]string{"WSL_INTEROP=" + gone, "A=b"}, []string{"WSL_INTEROP=" + first, "A=b"}},
		"not a path":  {[]string{"WSL_INTEROP="}, []string{"WSL_INTEROP=" + first}},
		"alive stays": {[]string{"WSL_INTEROP=" + other}, []string{"WSL_INTEROP=" + other}},
	} {
		if got := i.environ(context.Background(), c.env); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestEnvironPrefersItsOwnAncestors(t *testing.T) {
	i := tree(t)
	listen(t, i.socket(1))
	parent := listen(t, i.socket(os.Getppid()))
	if got := i.environ(context.Background(), nil); !slices.Equal(got, []string{"WSL_INTEROP=" + parent}) {
		t.Errorf("%q, want the parent's socket", got)
	}
}

func TestEnvironLeavesWhatItCannotMend(t *testing.T) {
	env := []string{"WSL_INTEROP=/nowhere"}
	if got := (interop{}).environ(context.Background(), env); !slices.Equal(got, env) {
		t.Errorf("%q", got)
	}
}

func TestWhyTheKernelRunsNoWindowsProgram(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  error
	}{
		"entry wiped":       {nil, ErrNoBinfmt},
		"off in wsl.conf":   {map[string]string{"wsl.conf": "[automount]\nenabled=true\n[Interop]\r\nEnabled = False\r\n"}, ErrInteropOff},
		"another section":   {map[string]string{"wsl.conf": "[automount]\nenabled=false\n"}, ErrNoBinfmt},
		"off in the kernel": {map[string]string{"binfmt/status": "disabled\n"}, ErrInteropOff},
		"entry off":         {map[string]string{"binfmt/status": "enabled\n", "binfmt/WSLInterop-late": "disabled\n"}, ErrInteropOff},
		"entry on":          {map[string]string{"binfmt/WSLInterop": "enabled\ninterpreter /init\n"}, ErrNoBinfmt},
	} {
		i := tree(t)
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(filepath.Dir(i.conf), file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := i.notRunnable(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A real Windows program where the kernel has no entry for it.
func TestAProgramForWindows(t *testing.T) {
	root := filepath.Join(t.TempDir(), "Windows")
	if err := os.MkdirAll(filepath.Join(root, "System32"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, routeExe), []byte("MZ\x90\x00 and so on"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(root, Options{Now: time.Now})
	h.interop, h.limit, h.first = tree(t), longestPause, longestPause
	if _, err := h.Run(context.Background(), 0, routeExe); !errors.Is(err, ErrNoBinfmt) {
		t.Errorf("error %v, want that the kernel's entry is gone", err)
	}
	if err := os.Chmod(filepath.Join(root, routeExe), 0o644); err != nil {
		t.Fatal(err)
	}
	h.breaker.reset()
	if _, err := h.Run(context.Background(), 0, routeExe); !errors.Is(err, ErrDenied) {
		t.Errorf("error %v, want that access is denied", err)
	}
}

func TestEachTroubleHasItsCodeAndRemedy(t *testing.T) {
	seen := map[string]bool{}
	for _, tr := range troubles() {
		got := Explain(fmt.Errorf("route.exe: %w", tr.err))
		if got == nil || got.Code != tr.code || got.Remedy == "" || seen[tr.code] {
			t.Errorf("%v: %+v", tr.err, got)
		}
		seen[tr.code] = true
	}
	if Explain(nil) != nil || Explain(errors.New("else")) != nil {
		t.Error("what is no trouble is explained as one")
	}
}
