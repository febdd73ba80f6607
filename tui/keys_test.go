package tui

import (
	"os"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"flatnet/testdata/golden"
)

// TestKeyList: the list in the documentation is the one in the code.
func TestKeyList(t *testing.T) {
	const path = "../docs/keys.md"
	if *golden.Update {
		if err := os.WriteFile(path, []byte(KeyList()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != KeyList() {
		t.Errorf("%s is not what the code says: go test ./tui -run TestKeyList -args -update", path)
	}
}

// TestKeysAreUnambiguous: no key stands for two things, and everything has a
// name.
func TestKeysAreUnambiguous(t *testing.T) {
	for _, language := range []string{"en", "ja"} {
		o := exampleOptions(true)
		o.Config.TUI.Language = language
		d := newDriver(t, o, 120, 40).start()
		for i := range d.m.panes {
			d.m.show(i)
			keys, ids := map[string]string{}, map[string]bool{}
			for _, a := range d.m.actions() {
				if a.Name == "" || a.ID == "" || a.Group == "" || len(a.Keys) == 0 || a.Run == nil {
					t.Errorf("%+v is not whole", a)
				}
				if ids[a.ID] {
					t.Errorf("two actions are %q", a.ID)
				}
				ids[a.ID] = true
				for _, k := range a.Keys {
					if keys[k] != "" {
						t.Errorf("%q is %s and %s", k, keys[k], a.ID)
					}
					keys[k] = a.ID
				}
			}
		}
	}
}

// TestHelpHasEverything: help lists every action.
func TestHelpHasEverything(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 200, 200).start()
	d.keys("?")
	for _, a := range d.m.actions() {
		if !contains(d.screen(), a.Name[:min(24, len(a.Name))]) {
			t.Errorf("help lacks %q", a.Name)
		}
	}
}

// TestPaletteRunsActions: what is found by name does what its key does.
func TestPaletteRunsActions(t *testing.T) {
	b := newBench(t, nil)
	b.keys(":", "f", "i", "r", "e", "w", "enter")
	if !contains(b.screen(), "echo firewall 1") {
		t.Errorf("the palette did not open the plan:\n%s", b.screen())
	}
}

func TestFilterAndSort(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 80, 24).start()
	d.keys("2", "/", "w", "i", "k")
	if s := d.screen(); !contains(s, "wiki") || contains(s, "forgejo") || !contains(s, "1/6") {
		t.Errorf("the filter shows:\n%s", s)
	}
	d.run(d.m.refreshAll(false)) // a filter survives a refresh
	d.keys("q")                  // and while it is typed, letters are text
	if s := d.screen(); !contains(s, "/wikq") || !contains(s, d.m.t.State.NoMatch) {
		t.Errorf("while typing:\n%s", s)
	}
	d.keys("esc")
	if s := d.screen(); !contains(s, "forgejo") {
		t.Errorf("esc does not clear the filter:\n%s", s)
	}
	d.keys("s", "s", "s") // by name
	if s := d.screen(); !contains(s, "Name ↑") || index(s, "build-7f3a") > index(s, "wiki") {
		t.Errorf("sorted by name:\n%s", s)
	}
	d.keys("S")
	if s := d.screen(); !contains(s, "Name ↓") || index(s, "build-7f3a") < index(s, "wiki") {
		t.Errorf("sorted by name, reversed:\n%s", s)
	}
}

func TestSelectionSurvivesARefresh(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 80, 24).start()
	d.keys("2", "down", "down", "space")
	before, marks := d.m.focused().Selected(), d.m.focused().Marked()
	d.keys("s", "S")
	d.run(d.m.refreshAll(true))
	if got := d.m.focused().Selected(); got != before {
		t.Errorf("the cursor went from %q to %q", before, got)
	}
	if got := d.m.focused().Marked(); len(got) != 1 || got[0] != marks[0] {
		t.Errorf("marks were %v and are %v", marks, got)
	}
}

// TestUnseenDialogHearsNothing: where the window is too small for a dialog no
// key says yes to it; it can be cancelled all the same.
func TestUnseenDialogHearsNothing(t *testing.T) {
	b := newBench(t, nil)
	b.keys("F")
	b.later().send(tea.WindowSizeMsg{Width: 59, Height: 14})
	b.keys("y", "right", "enter", "q")
	b.send(tea.PasteMsg{Content: "y"})
	b.send(tea.WindowSizeMsg{Width: 100, Height: 30})
	if len(b.done) > 0 {
		t.Errorf("done unseen: %v", b.done)
	}
	b.shows("echo firewall 1", "▸ Cancel")
	b.send(tea.WindowSizeMsg{Width: 59, Height: 14})
	b.keys("ctrl+c")
	if b.m.dialog != nil {
		t.Error("ctrl+c does not lead out")
	}
}

// TestLongNetworkNameHidesNoFinding: the header's place is the worst finding's.
func TestLongNetworkNameHidesNoFinding(t *testing.T) {
	o := exampleOptions(true)
	o.Config.Network.Name = strings.Repeat("office-", 12)
	d := newDriver(t, o, 80, 24).start()
	if head, _, _ := strings.Cut(d.screen(), "\n"); !contains(head, "FORWARD drops packets") || !contains(head, "3 more") {
		t.Errorf("the header is %q", head)
	}
}
