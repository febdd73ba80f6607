package linefile_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"flatnet/core/linefile"
)

func newFile(t *testing.T) linefile.File {
	return linefile.File{Path: filepath.Join(t.TempDir(), "f"), Mode: 0o600, MaxSize: 100, Keep: 3}
}

// backwards gives all lines, newest first.
func backwards(t *testing.T, f linefile.File) []string {
	t.Helper()
	var lines []string
	for line, err := range f.Backwards(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	return lines
}

func TestAppendAndReadBackwards(t *testing.T) {
	f := newFile(t)
	var want []string
	for i := range 30 {
		line := fmt.Sprintf("line %02d %s", i, strings.Repeat("x", i))
		want = append(want, line)
		if err := f.AppendWhole([]byte(line+"\n"), true); err != nil {
			t.Fatal(err)
		}
	}
	got := backwards(t, f)
	slices.Reverse(want)
	if !slices.Equal(got, want[:len(got)]) || len(got) < 8 {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	files, _ := filepath.Glob(f.Path + "*")
	if len(files) != 4 {
		t.Errorf("files: %v, want the newest and three older ones", files)
	}
	for _, name := range files {
		if info, _ := os.Stat(name); info.Mode() != 0o600 || info.Size() > 200 {
			t.Errorf("%s: mode %v, %d bytes", name, info.Mode(), info.Size())
		}
	}
}

func TestACutLineLosesOnlyItself(t *testing.T) {
	f := newFile(t)
	f.MaxSize = 0
	_ = f.AppendWhole([]byte("first\n"), true)
	if err := f.Append([]byte(`{"cut`)); err != nil {
		t.Fatal(err)
	}
	if err := f.AppendWhole([]byte("last\n"), true); err != nil {
		t.Fatal(err)
	}
	if got := backwards(t, f); !slices.Equal(got, []string{"last", `{"cut`, "first"}) {
		t.Errorf("got %q", got)
	}
}

// TestABrokenOffShiftLosesNothing makes every state that a kill within a
// rotation can leave, and goes on from there.
func TestABrokenOffShiftLosesNothing(t *testing.T) {
	for broken := range 4 {
		f := newFile(t)
		f.Keep = 5
		contents := []string{"new", "old1", "old2", "old3"}
		for n, text := range contents {
			name := f.Path
			at := n
			if n >= 4-broken {
				at++ // this one was moved before the kill
			}
			if at > 0 {
				name = fmt.Sprintf("%s.%d", f.Path, at)
			}
			line := text + strings.Repeat(".", 100) + "\n"
			if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.AppendWhole([]byte("next\n"), true); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range backwards(t, f) {
			got = append(got, strings.TrimRight(line, "."))
		}
		if want := append([]string{"next"}, contents...); !slices.Equal(got, want) {
			t.Errorf("killed after %d moves: %q, want %q", broken, got, want)
		}
	}
}

func TestReadingIsBounded(t *testing.T) {
	f := newFile(t)
	f.MaxSize = 0
	long := bytes.Repeat([]byte("y"), 3*linefile.LineLimit)
	for _, text := range []string{"first\n", string(long) + "\n", "second\n", string(long[:linefile.LineLimit]) + "\n", string(long)} {
		if err := f.Append([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	got := backwards(t, f)
	if len(got) != 3 || len(got[0]) != linefile.LineLimit || got[1] != "second" || got[2] != "first" {
		t.Errorf("%d lines, the first of %d bytes", len(got), len(got[0]))
	}
}

func TestKeepingNone(t *testing.T) {
	f := newFile(t)
	f.Keep = 0
	for i := range 30 {
		if err := f.AppendWhole(fmt.Appendf(nil, "line %d\n", i), true); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(f.Path + "*")
	if got := backwards(t, f); len(files) != 1 || len(got) == 0 || len(got) > 15 || got[0] != "line 29" {
		t.Errorf("files %v, lines %q", files, got)
	}
}

func TestMissingFileHasNoLines(t *testing.T) {
	if got := backwards(t, newFile(t)); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestLinksAndDirectoriesAreNotFollowed(t *testing.T) {
	f := newFile(t)
	target := f.Path + ".target"
	if err := os.Symlink(target, f.Path); err != nil {
		t.Fatal(err)
	}
	if err := f.Append([]byte("x\n")); err == nil {
		t.Error("a symbolic link was written through")
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("its target was made")
	}
}

// TestManyWritersOneRotation has writers without a lock, as the log has: no
// line is lost but with the oldest file, and none is torn.
func TestManyWritersOneRotation(t *testing.T) {
	f := newFile(t)
	f.MaxSize, f.Keep = 2000, 1000
	var wg sync.WaitGroup
	const writers, lines = 8, 200
	for w := range writers {
		wg.Go(func() {
			for i := range lines {
				if err := f.RotateShared(); err != nil {
					t.Error(err)
				}
				if err := f.Append(fmt.Appendf(nil, "writer %d line %d\n", w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := backwards(t, f)
	slices.Sort(got)
	if len(slices.Compact(got)) != writers*lines {
		t.Errorf("%d different lines, want %d", len(slices.Compact(got)), writers*lines)
	}
	for _, line := range got {
		var w, i int
		if n, err := fmt.Sscanf(line, "writer %d line %d", &w, &i); n != 2 || err != nil {
			t.Errorf("torn line %q", line)
		}
	}
}

func FuzzBackwards(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"))
	f.Add(bytes.Repeat([]byte("line\n"), 20000))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := newFile(t)
		if err := os.WriteFile(file.Path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, line := range bytes.Split(text, []byte("\n")) {
			if len(line) > 0 && len(line) <= linefile.LineLimit {
				want = append(want, string(line))
			}
		}
		slices.Reverse(want)
		if got := backwards(t, file); !slices.Equal(got, want) {
			t.Errorf("%d lines, want %d", len(got), len(want))
		}
	})
}
