package ipam_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
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
