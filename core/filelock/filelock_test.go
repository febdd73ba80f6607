package filelock_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flatnet/core/filelock"
)

const holderEnv = "FLATNET_FILELOCK_HOLDER"

// TestMain lets the test binary be a process that holds a lock until it is killed.
func TestMain(m *testing.M) {
	path := os.Getenv(holderEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := filelock.Acquire(context.Background(), path, "flatnet GC"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// holder starts a process that holds the lock at path.
func holder(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), holderEnv+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q", line)
	}
	return cmd
}

func TestWaitingEndsWithTheContextAndNamesTheHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other := holder(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for name, take := range map[string]func() (*filelock.Lock, error){
		"Acquire": func() (*filelock.Lock, error) { return filelock.Acquire(ctx, path, "me") },
		"Share":   func() (*filelock.Lock, error) { return filelock.Share(ctx, path) },
	} {
		lock, err := take()
		if !errors.Is(err, filelock.ErrHeld) || !errors.Is(err, context.DeadlineExceeded) || lock != nil {
			t.Errorf("%s: %v, %v", name, lock, err)
		}
		if want := fmt.Sprintf("flatnet GC (process %d)", other.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q does not name %q", name, err, want)
		}
	}
}

func TestAKilledHolderFreesTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other := holder(t, path)
	taken := make(chan error, 1)
	go func() {
		lock, err := filelock.Acquire(t.Context(), path, "me")
		if err == nil && !lock.CutOff() {
			err = errors.New("nothing is known of the one that was killed")
		}
		lock.Release()
		taken <- err
	}()
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Error(err)
	}
	lock, err := filelock.Acquire(t.Context(), path, "me")
	if err != nil || lock.CutOff() {
		t.Errorf("after a Release: cut off, or %v", err)
	}
	lock.Release()
}

func TestOneAfterTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var inside atomic.Int32 // the race detector knows nothing of flock
	finished := make(chan error)
	for i := range 20 {
		go func() {
			lock, err := filelock.Acquire(t.Context(), path, fmt.Sprint(i))
			if err == nil {
				if n := inside.Add(1); n != 1 {
					err = fmt.Errorf("%d are inside at once", n)
				}
				inside.Add(-1)
				lock.Release()
			}
			finished <- err
		}()
	}
	for range 20 {
		if err := <-finished; err != nil {
			t.Error(err)
		}
	}
}

func TestSharing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, err := filelock.Share(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing lock: %v", err)
	}
	made, err := filelock.Acquire(t.Context(), path, "me")
	if err != nil {
		t.Fatal(err)
	}
	made.Release()
	made.Release()
	a, errA := filelock.Share(t.Context(), path)
	b, errB := filelock.Share(t.Context(), path)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := filelock.Acquire(ctx, path, "me"); !errors.Is(err, filelock.ErrHeld) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("while it is shared: %v", err)
	}
	a.Release()
	b.Release()
	lock, err := filelock.Acquire(t.Context(), path, "me")
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
}

func TestALinkIsNoLock(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := filelock.Acquire(t.Context(), filepath.Join(dir, "lock"), "me"); err == nil {
		t.Error("a symbolic link was followed")
	}
	if _, err := os.Stat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("its target was made")
	}
}
