package ipam_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/ipam"
	"flatnet/core/journal"
)

// TestNobodyWritesTheStateMeanwhile: what a change of a large state looks at is
// the file itself, so an editor has to wait.
func TestNobodyWritesTheStateMeanwhile(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir)
	fill(t, s, 400)
	if _, err := add(t.Context(), s, "a", wide(), start); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ipam.FileName)
	emptied := make(chan error, 1)
	err := s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		file, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
		if !errors.Is(err, unix.EAGAIN) {
			t.Errorf("opened for writing: %v", errors.Join(err, file.Close()))
		}
		go func() { emptied <- os.Truncate(path, 0) }()
		waitForBreaking(t)
		if l, ok := st.Find("a", "eth0"); !ok {
			t.Errorf("the lease is gone: %+v", l)
		}
		return ipam.ReleaseAttachment(st, "a", "eth0", "test", start), nil
	})
	if err := errors.Join(err, <-emptied); err != nil {
		t.Fatal(err)
	}
	// What the editor emptied is the state before: the new one had its place.
	if st, err := s.Read(t.Context()); err != nil || st.Len() != 400 {
		t.Errorf("%d leases, %v", st.Len(), err)
	}
	if _, err := add(t.Context(), s, "b", wide(), start); err != nil {
		t.Error(err)
	}
}

// waitForBreaking waits until the kernel asks for a lease on a file back.
func waitForBreaking(t *testing.T) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(locks), "BREAKING") {
			return
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("nobody waits:\n%s", locks)
		}
	}
}

// TestAFileOpenForWriting: where somebody could change the file meanwhile, what
// is looked at is a copy.
func TestAFileOpenForWriting(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir)
	fill(t, s, 400)
	if _, err := add(t.Context(), s, "a", wide(), start); err != nil {
		t.Fatal(err)
	}
	editor, err := os.OpenFile(filepath.Join(dir, ipam.FileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer editor.Close()
	err = s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		if err := editor.Truncate(0); err != nil {
			return nil, err
		}
		if l, ok := st.Find("a", "eth0"); !ok {
			t.Errorf("the lease is gone: %+v", l)
		}
		return ipam.ReleaseAttachment(st, "a", "eth0", "test", start), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := s.Read(t.Context()); err != nil || st.Len() != 400 {
		t.Errorf("%d leases, %v", st.Len(), err)
	}
}

// TestAnEditorThatKeepsTheFileOpen: what it has open becomes the spare, and is
// left to it.
func TestAnEditorThatKeepsTheFileOpen(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "a", pool(), start); err != nil {
		t.Fatal(err)
	}
	editor, err := os.OpenFile(filepath.Join(dir, ipam.FileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer editor.Close()
	for i, id := range []string{"b", "c", "d"} {
		if _, err := add(t.Context(), s, id, pool(), start); err != nil {
			t.Fatal(err)
		}
		if _, err := editor.WriteAt([]byte("{}"), 0); err != nil {
			t.Fatal(err)
		}
		if st, err := s.Read(t.Context()); err != nil || st.Len() != i+2 {
			t.Errorf("after %s: %d leases, %v", id, st.Len(), err)
		}
	}
}

// TestProgramsThatAreStartedMeanwhile: they inherit what is open for a moment.
func TestProgramsThatAreStartedMeanwhile(t *testing.T) {
	s := storeIn(t.TempDir(), func(o *ipam.Options) { o.Pool = wide() })
	fill(t, s, 400)
	ctx, stop := context.WithCancel(t.Context())
	var started sync.WaitGroup
	defer started.Wait()
	defer stop()
	for range 2 {
		started.Go(func() {
			for ctx.Err() == nil {
				_ = exec.Command("/bin/true").Run()
			}
		})
	}
	for i := range 300 {
		if _, err := add(t.Context(), s, fmt.Sprint(i), wide(), start); err != nil {
			t.Fatal(err)
		}
	}
}

// TestALeaseThatTheKernelTookAway is what a call meets that stood still for
// longer than fs.lease-break-time: an editor wrote to what it looks at.
func TestALeaseThatTheKernelTookAway(t *testing.T) {
	for name, edit := range map[string]func(path string, text []byte) error{
		"cut short": func(path string, _ []byte) error { return os.Truncate(path, 0) },
		"edited":    func(path string, text []byte) error { return os.WriteFile(path, bytes.ToUpper(text), 0o600) },
	} {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, before the change looks: %v", name, early), func(t *testing.T) {
				dir := t.TempDir()
				s := storeIn(dir, func(o *ipam.Options) { o.Pool = wide() })
				fill(t, s, 400)
				path := filepath.Join(dir, ipam.FileName)
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				err = s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
					endLease(t, path)
					if early {
						must(t, edit(path, text))
					}
					_, entries, err := ipam.Allocate(st, wide(), request("new"), start)
					if !early {
						must(t, edit(path, text))
					}
					return entries, err
				})
				if err == nil || !strings.Contains(err.Error(), "somebody else wrote to it") {
					t.Errorf("error %v", err)
				}
				now, err := os.ReadFile(path)
				if err != nil || bytes.Contains(now, []byte("name-new")) || len(now) > 0 && !bytes.Equal(now, bytes.ToUpper(text)) {
					t.Errorf("%.200s, %v", now, err)
				}
			})
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// endLease does to this process's lease on a file what the kernel would.
func endLease(t *testing.T, path string) {
	t.Helper()
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range open {
		fd, err := strconv.Atoi(filepath.Base(link))
		if target, lerr := os.Readlink(link); err != nil || lerr != nil || target != path {
			continue
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK); err == nil {
			return
		}
	}
	t.Fatal("there is no lease")
}
