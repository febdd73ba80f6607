package ipam_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flatnet/core"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/testdata/nettest"
)

// smallDisk mounts a disk of so many pages of 4 KiB.
func smallDisk(t *testing.T, pages int) string {
	t.Helper()
	nettest.Need(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", pages*4096)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// TestDiskFull fills the disk up to the last few pages, each number of them,
// so that each write comes to fail.
func TestDiskFull(t *testing.T) {
	failed := map[string]bool{}
	for left := range 24 {
		t.Run(fmt.Sprintf("%d pages left", left), func(t *testing.T) {
			const pages = 64
			dir := smallDisk(t, pages)
			s := storeIn(dir)
			if _, err := add(t.Context(), s, "first", pool(), start); err != nil {
				t.Fatal(err)
			}
			ballast := filepath.Join(dir, "ballast")
			fillDisk(t, ballast, left)
			before, err := s.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
				for i := range 4 { // some 12 KiB each
					r := request(fmt.Sprintf("%04000d", i))
					if _, _, err := ipam.Allocate(st, pool(), r, start); err != nil {
						return nil, err
					}
				}
				return []journal.Entry{{Time: start, Action: "allocate", Text: fmt.Sprintf("%05000d", 1)}}, nil
			})
			if err != nil {
				for _, name := range []string{"spare", journal.FileName} {
					failed[name] = failed[name] || strings.Contains(err.Error(), name)
				}
				checkFull(t, s, before, err)
			} else if after, err := s.Read(t.Context()); err != nil || after.Len() != before.Len()+4 {
				t.Errorf("no error, and %d leases (%v)", after.Len(), err)
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			if _, err := add(t.Context(), s, "later", pool(), start); err != nil {
				t.Errorf("with room again: %v", err)
			}
			entries, err := journal.Open(dir, "test").Recent(t.Context(), 9, func(e journal.Entry) bool { return e.ContainerID != "" })
			if err != nil || len(entries) < 2 || entries[0].ContainerID != "later" || entries[len(entries)-1].ContainerID != "first" {
				t.Errorf("journal: %+v, %v", entries, err)
			}
		})
	}
	if len(failed) != 2 || !failed["spare"] || !failed[journal.FileName] {
		t.Errorf("not every file met a full disk: %v", failed)
	}
}

// A container that ends on a full disk is taken off the network, also after
// another one could not be put on it.
func TestReleaseOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, 64)
	s := storeIn(dir)
	for _, id := range []string{"first", "second"} {
		if _, err := add(t.Context(), s, id, pool(), start); err != nil {
			t.Fatal(err)
		}
	}
	fillDisk(t, filepath.Join(dir, "ballast"), 0)
	if _, err := add(t.Context(), s, strings.Repeat("0", 8000), pool(), start); !errors.Is(err, ipam.ErrNoSpace) {
		t.Fatalf("error %v, want ErrNoSpace", err)
	}
	err := s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		return ipam.ReleaseAttachment(st, "first", "eth0", "plugin DEL", start), nil
	})
	if err != nil {
		t.Errorf("release: %v", err)
	}
	if after, err := s.Read(t.Context()); err != nil || after.Len() != 1 {
		t.Errorf("%d leases, %v, want 1", after.Len(), err)
	}
}

func checkFull(t *testing.T, s ipam.Store, before ipam.State, err error) {
	t.Helper()
	if !errors.Is(err, ipam.ErrNoSpace) || core.Hint(err) == "" {
		t.Errorf("error %v, want ErrNoSpace with a hint", err)
	}
	after, err := s.Read(t.Context())
	if err != nil || after.Len() != before.Len() {
		t.Errorf("%d leases, %v; were %d", after.Len(), err, before.Len())
	}
}

// fillDisk writes to path until only so many pages are left.
func fillDisk(t *testing.T, path string, left int) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	size := int64(0)
	for {
		n, err := file.Write(make([]byte, 4096))
		size += int64(n)
		if errors.Is(err, unix.ENOSPC) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Truncate(size - int64(left)*4096); err != nil {
		t.Fatal(err)
	}
}

// TestWhateverTheSpareHolds: only what differs is written into the spare file,
// and the state is whole all the same.
func TestWhateverTheSpareHolds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ipam")
	s := storeIn(dir)
	fill(t, s, 200) // some 40 KiB: more than is compared in one go
	update := func(id string) []byte {
		t.Helper()
		if _, err := add(t.Context(), s, id, wide(), start); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, ipam.FileName))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	text := update("first")
	turned := slices.Clone(text)
	turned[len(turned)/2] ^= 1
	for i, spare := range [][]byte{
		nil, text, text[:1], text[:len(text)-1], text[:20000], turned, slices.Concat(text, text), make([]byte, 100000),
	} {
		if err := os.WriteFile(filepath.Join(dir, "."+ipam.FileName+".spare"), spare, 0o600); err != nil {
			t.Fatal(err)
		}
		text := update(fmt.Sprintf("later-%d", i))
		got, err := s.Read(t.Context())
		if err != nil || got.Len() != 200+2+i || !json.Valid(text) {
			t.Errorf("with a spare of %d bytes: %d leases, %v", len(spare), got.Len(), err)
		}
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, 64)
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "first", pool(), start); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := add(t.Context(), s, "second", pool(), start); !errors.Is(err, ipam.ErrNotReadable) || core.Hint(err) == "" {
		t.Errorf("a change: %v", err)
	}
	if st, err := s.Read(t.Context()); err != nil || st.Len() != 1 {
		t.Errorf("reading: %d leases, %v", st.Len(), err)
	}
}

func TestReaderWithoutRights(t *testing.T) {
	nettest.Need(t)
	dir := t.TempDir()
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "first", pool(), start); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: its rights go with it
		if err := dropRights(); err != nil {
			done <- err
			return
		}
		_, err := s.Read(t.Context())
		done <- err
	}()
	if err := <-done; !errors.Is(err, ipam.ErrNotReadable) || core.Hint(err) != "run as root" {
		t.Errorf("error %v (hint %q)", err, core.Hint(err).String())
	}
}

// dropRights takes root's right to pass over file modes from this thread.
func dropRights() error {
	var none [2]unix.CapUserData
	return unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0])
}

func TestStateDirectoryIsChecked(t *testing.T) {
	t.Run("a link", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(t.TempDir(), dir); err != nil {
			t.Fatal(err)
		}
		if _, err := add(t.Context(), storeIn(dir), "a", pool(), start); !errors.Is(err, ipam.ErrNotReadable) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a file", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := add(t.Context(), storeIn(dir), "a", pool(), start); !errors.Is(err, ipam.ErrNotReadable) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("open to others", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := add(t.Context(), storeIn(dir), "a", pool(), start); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
			t.Errorf("mode %v, want 0700", info.Mode())
		}
	})
	for name, place := range map[string]func(string) error{
		"the state is a link":      func(path string) error { return os.Symlink("/etc/hostname", path) },
		"the state is a pipe":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"the state is a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := place(filepath.Join(dir, ipam.FileName)); err != nil {
				t.Fatal(err)
			}
			if _, err := storeIn(dir).Read(t.Context()); !errors.Is(err, ipam.ErrUnreadable) {
				t.Errorf("reading: %v", err)
			}
			if err := takeAndGiveBack(dir, "a"); err != nil {
				t.Errorf("a change: %v", err)
			}
			if st, err := storeIn(dir).Read(t.Context()); err != nil || st.Len() != 1 {
				t.Errorf("afterwards: %d leases, %v", st.Len(), err)
			}
			if aside, _ := filepath.Glob(filepath.Join(dir, "allocations.json.bad-*")); len(aside) != 1 {
				t.Errorf("set aside: %v", aside)
			}
		})
	}
}

func TestACopyOfTheStateIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "a", pool(), start); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ipam.FileName)
	if err := os.Link(path, path+".mine"); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(path)
	for _, id := range []string{"b", "c", "d"} {
		if _, err := add(t.Context(), s, id, pool(), start); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(path + ".mine"); string(got) != string(want) {
		t.Errorf("the copy became %q", got)
	}
}

func TestAnOpenStateFileIsClosed(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, oldForm)
	path := filepath.Join(dir, ipam.FileName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := takeAndGiveBack(dir, "a"); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("after change %d: mode %v, %v", i, info.Mode(), err)
		}
	}
}
