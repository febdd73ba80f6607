package repair_test

import (
	"os"
	"strings"
	"testing"

	"flatnet/core/config/edit"
	"flatnet/core/repair"
)

// save writes a configuration as the console does.
func (h *leasehold) save(text string) {
	h.Helper()
	f, err := edit.Open(h.config)
	if err != nil {
		h.Fatal(err)
	}
	if err := f.SetText(text); err != nil {
		h.Fatal(err)
	}
	p, err := repair.Config(f)
	if err != nil {
		h.Fatal(err)
	}
	if err := h.apply(p); err != nil {
		h.Fatal(err)
	}
}

// saved gives what the file holds.
func (h *leasehold) saved() string {
	h.Helper()
	f, err := edit.Open(h.config)
	if err != nil {
		h.Fatal(err)
	}
	return f.Text()
}

const (
	first  = "[network]\nmtu = 1300 # one\n"
	second = "[network]\nmtu = 1400 # two\n"
	third  = "[network]\nmtu = 1500 # three\n"
)

// TestUndoOfSavings goes back step by step, in the order of what was done.
func TestUndoOfSavings(t *testing.T) {
	h := newLeasehold(t)
	h.save(first)
	h.save(second)
	h.crash("web", h.start("web"))
	if err := h.apply(h.plan(repair.ReleaseStale)); err != nil {
		t.Fatal(err)
	}
	h.save(third)
	for _, want := range []struct{ title, text, held string }{
		{"configuration", second, ""},
		{"release", second, "10.87.1.2 web"},
		{"configuration", first, "10.87.1.2 web"},
	} {
		p := h.undo()
		if len(p.Steps) != 1 || !strings.Contains(p.Title.String(), want.title) {
			t.Fatalf("plan: %+v, want that of the %s", p, want.title)
		}
		if err := h.apply(p); err != nil {
			t.Fatal(err)
		}
		if got := h.saved(); got != want.text || h.held() != want.held {
			t.Errorf("saved %q, held %q", got, h.held())
		}
	}
	if p := h.undo(); len(p.Steps) != 0 || len(p.Notes) == 0 {
		t.Errorf("one more: %+v", p)
	}
}

// TestUndoWithoutAConfiguration: no file at all is valid, and no reason to keep
// a release.
func TestUndoWithoutAConfiguration(t *testing.T) {
	h := newLeasehold(t)
	h.config = ""
	if p := h.undo(); len(p.Steps) != 0 || len(p.Notes) == 0 {
		t.Errorf("nothing was done: %+v", p)
	}
	h.crash("web", h.start("web"))
	if err := h.apply(h.plan(repair.ReleaseStale)); err != nil {
		t.Fatal(err)
	}
	if err := h.apply(h.undo()); err != nil || h.held() != "10.87.1.2 web" {
		t.Errorf("held %q, %v", h.held(), err)
	}
}

func TestUndoShowsWhatItPutsBack(t *testing.T) {
	h := newLeasehold(t)
	h.save(first)
	h.save(second)
	p := h.undo()
	if diff := p.Steps[0].Diff; !strings.Contains(diff, "-mtu = 1400 # two") || !strings.Contains(diff, "+mtu = 1300 # one") {
		t.Errorf("diff:\n%s", diff)
	}
	h.save(third)
	if err := h.apply(p); err == nil || h.saved() != third {
		t.Errorf("an old plan was applied over a newer file: %v, %q", err, h.saved())
	}
}

// TestUndoLeavesAnotherFileAlone: what somebody else wrote since is not
// overwritten, and what the journal cannot hold is not offered.
func TestUndoLeavesAnotherFileAlone(t *testing.T) {
	h := newLeasehold(t)
	h.save(first)
	h.save(second)
	if err := os.WriteFile(h.config, []byte(second+"# by hand\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p := h.undo(); len(p.Steps) != 0 {
		t.Errorf("plan: %+v", p)
	}
	long := first + strings.Repeat("# comment\n", 8<<10)
	h.save(long)
	h.save(third)
	if p := h.undo(); len(p.Steps) != 0 {
		t.Errorf("plan: %+v", p.Title)
	}
}
