package journal_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/core/journal"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func entry(i int) journal.Entry {
	return journal.Entry{
		Time: start.Add(time.Duration(i) * time.Minute), Action: "allocate", By: "plugin ADD",
		IP: fmt.Sprintf("10.87.1.%d", i), Name: "web\u202e\x1b[31m\n", Text: "given",
	}
}

func TestAppendAndRecent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "ipam")
	j := journal.Open(dir, "test")
	if got, err := j.Recent(t.Context(), 5, nil); err != nil || len(got) != 0 {
		t.Fatalf("before the first: %v, %v", got, err)
	}
	for i := range 10 {
		if err := j.Append(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := j.Recent(t.Context(), 3, nil)
	if err != nil || len(got) != 3 || got[0] != entry(9) || got[2] != entry(7) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = j.Recent(t.Context(), 3, journal.OfIP(netip.MustParseAddr("10.87.1.4")))
	if err != nil || len(got) != 1 || got[0] != entry(4) {
		t.Errorf("%+v, %v", got, err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, journal.FileName))
	if bytes.Count(text, []byte("\n")) != 10 || bytes.ContainsRune(text, '\x1b') {
		t.Errorf("not one clean line an entry:\n%s", text)
	}
}

func TestBrokenLinesLoseOnlyThemselves(t *testing.T) {
	dir := t.TempDir()
	j := journal.Open(dir, "test")
	for i, broken := range []string{"", "\x00\x00\x00", `{"time":"2026`, "{}\n", "null\n", `{"time":"x","action":"y"}` + "\n", strings.Repeat("z", 200<<10)} {
		file, err := os.OpenFile(filepath.Join(dir, journal.FileName), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.WriteString(broken)
		_ = file.Close()
		if err := j.Append(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := j.Recent(t.Context(), 100, nil)
	if err != nil || len(got) != 7 || got[0] != entry(6) || got[6] != entry(0) {
		t.Errorf("%d entries, %v", len(got), err)
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			j := journal.Open(dir, "test")
			for i := range 25 {
				if err := j.Append(t.Context(), entry(w), entry(100+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, err := journal.Open(dir, "test").Recent(t.Context(), 1000, nil); err != nil || len(got) != 200 {
		t.Errorf("%d entries, %v; want 200", len(got), err)
	}
}

// FuzzLine reads any text as a journal, beside a good entry.
func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"time":"2026-11-23T10:00:00Z","action":"release","by":"key r","ip":"10.87.1.2"}`))
	f.Add([]byte(`{"time":1}`))
	f.Add([]byte("\n\n{\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journal.FileName), text, 0o600); err != nil {
			t.Fatal(err)
		}
		j := journal.Open(dir, "test")
		if err := j.Append(t.Context(), entry(1)); err != nil {
			t.Fatal(err)
		}
		got, err := j.Recent(t.Context(), 10, nil)
		if err != nil || len(got) == 0 || got[0] != entry(1) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
