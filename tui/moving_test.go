package tui

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/gateway"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
)

// TestCopyInTmux: a tmux in between gets what is copied too: it does not hand
// on what programs inside it say to the terminal's clipboard.
func TestCopyInTmux(t *testing.T) {
	dir := t.TempDir()
	got := filepath.Join(dir, "got")
	must(t, os.WriteFile(filepath.Join(dir, "tmux"), []byte("#!/bin/sh\n[ \"$2\" = -w ] || exit 1\ncat > "+got+"\n"), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for _, inside := range []bool{false, true} {
		b := newBench(t, func(o *Options) {
			o.Environ = append(o.Environ, "PATH="+os.Getenv("PATH"))
			if inside {
				o.Environ = append(o.Environ, "TMUX=/tmp/tmux,1,0")
			}
		})
		b.keys("2", "c")
		copied, err := os.ReadFile(got)
		if inside != contains(string(copied), "10.87.1.7") {
			t.Errorf("inside tmux %v: it has %q, %v", inside, copied, err)
		}
	}
}

// TestMouse: the wheel scrolls what is under the mouse, a click on a tab goes
// there, and switching the mouse on is said.
func TestMouse(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 120, 40).start()
	d.keys("ctrl+o")
	if !contains(d.screen(), d.m.t.Screen.MouseOn) {
		t.Errorf("it is not said that the mouse is on:\n%s", d.screen())
	}
	d.send(tea.MouseWheelMsg{X: 70, Y: 20, Button: tea.MouseWheelDown})
	if d.m.focus != 3 || d.m.panes[0].Selected() != "link" {
		t.Errorf("the wheel over pane 4 moved pane %d", d.m.focus+1)
	}
	for _, size := range [][2]int{{80, 24}, {60, 15}} {
		d = newDriver(t, exampleOptions(true), size[0], size[1]).start()
		for i := range d.m.panes {
			x := 0
			for at := d.m.tabAt(x); at != i; at = d.m.tabAt(x) {
				x++
			}
			d.send(tea.MouseClickMsg{X: x, Y: 1, Button: tea.MouseLeft})
			if d.m.focus != i {
				t.Errorf("%v: a click on tab %d went to %d", size, i+1, d.m.focus+1)
			}
		}
	}
}

// TestSideways: right is what stands at the right.
func TestSideways(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 120, 40).start()
	for _, step := range []struct {
		key  string
		want int
	}{{"right", 2}, {"right", 2}, {"left", 0}, {"2", 1}, {"l", 3}, {"h", 1}} {
		if d.keys(step.key); d.m.focus != step.want {
			t.Errorf("%s leads to pane %d, want %d", step.key, d.m.focus+1, step.want+1)
		}
	}
	d = newDriver(t, exampleOptions(true), 80, 24).start()
	if d.keys("right", "right"); d.m.focus != 2 {
		t.Errorf("among tabs right, right leads to %d", d.m.focus+1)
	}
}

// TestPaletteFindsWhatIsMeant: a short command is that command, whatever else
// has its letters; panes and themes go by their names.
func TestPaletteFindsWhatIsMeant(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 120, 40).start()
	d.keys(":").typed("leases").keys("enter")
	if d.m.focused().ID() != pane.LeasesID {
		t.Errorf(":leases leads to %s", d.m.focused().ID())
	}
	d.keys(":").typed("theme-contrast").keys("enter")
	if d.m.style.theme() != "contrast" || !contains(d.screen(), "theme: High contrast") {
		t.Errorf("the theme is %s", d.m.style.theme())
	}
	d.keys(":").typed("q")
	_, cmd := d.m.Update(press("enter"))
	if cmd == nil {
		t.Fatal(":q does nothing")
	}
	if _, ok := cmd().(tea.QuitMsg); !ok {
		t.Error(":q does not quit")
	}
}

// TestCursorStaysOnItsSite: a site that goes into maintenance is probed no
// more; the next M must not be for its neighbour.
func TestCursorStaysOnItsSite(t *testing.T) {
	view := example.Upstreams(false)
	d := newDriver(t, func() Options {
		o := exampleOptions(false)
		o.Sources.Upstreams = func(_ context.Context) (pane.UpstreamsView, error) { return view, nil }
		return o
	}(), 120, 40).start()
	d.keys("4")
	for d.m.site() != "forgejo.local" {
		d.keys("down")
	}
	probed := view.Probes
	view.Probes = nil
	for _, p := range probed {
		if p.Host != "forgejo.local" {
			view.Probes = append(view.Probes, p)
		}
	}
	view.Gateway.Value.Sites = []gateway.SiteStatus{{Host: "forgejo.local", Maintenance: true}}
	d.run(d.m.refreshAll(true))
	if d.m.site() != "forgejo.local" {
		t.Errorf("the cursor went to %q:\n%s", d.m.site(), d.screen())
	}
}
