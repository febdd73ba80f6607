package tui

import (
	"fmt"
	"image/color"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/rogpeppe/go-internal/txtar"

	"flatnet/testdata/golden"
)

var screens = []struct{ width, height int }{{120, 40}, {80, 24}, {200, 60}, {90, 50}, {60, 15}, {40, 10}}

// wellFormed is an oracle that does not come from the renderer: no line is
// wider than the screen, and there are no more lines than it has.
func wellFormed(t testing.TB, content string, width, height int) {
	t.Helper()
	lines := strings.Split(content, "\n")
	if len(lines) > height {
		t.Fatalf("%d lines on a screen of %d", len(lines), height)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > width {
			t.Fatalf("%q has %d cells on a screen of %d", ansi.Strip(l), w, width)
		}
	}
}

func TestScreens(t *testing.T) {
	for name, o := range map[string]Options{
		"good": exampleOptions(false), "broken": exampleOptions(true), "empty": emptyOptions(), "failing": failingOptions(),
	} {
		var drawn txtar.Archive
		for _, s := range screens {
			d := newDriver(t, o, s.width, s.height)
			wellFormed(t, d.m.View().Content, s.width, s.height)
			d.start()
			wellFormed(t, d.m.View().Content, s.width, s.height)
			drawn.Files = append(drawn.Files, txtar.File{Name: fmt.Sprintf("%dx%d", s.width, s.height), Data: []byte(golden.Shorten(d.screen()))})
		}
		compare(t, name, &drawn)
	}
}

func TestDialogs(t *testing.T) {
	var drawn txtar.Archive
	for _, s := range screens[:2] {
		for _, keys := range [][]string{{"?"}, {":"}, {":", "f", "i", "r"}, {"2", "enter"}, {"4", "down", "enter"}, {"5", "enter"}, {"R"}, {"R", "right"}, {"a"}} {
			b := newBench(t, nil)
			b.send(tea.WindowSizeMsg{Width: s.width, Height: s.height})
			b.keys(keys...)
			wellFormed(t, b.m.View().Content, s.width, s.height)
			name := fmt.Sprintf("%s %dx%d", strings.Join(keys, " "), s.width, s.height)
			drawn.Files = append(drawn.Files, txtar.File{Name: name, Data: []byte(golden.Shorten(b.screen()))})
		}
	}
	compare(t, "dialogs", &drawn)
}

// TestThemeClasses compares what is sent for each class of terminal, colours
// and all.
func TestThemeClasses(t *testing.T) {
	var drawn txtar.Archive
	for name, p := range map[string]colorprofile.Profile{"colour": colorprofile.TrueColor, "ansi": colorprofile.ANSI, "mono": colorprofile.ASCII} {
		d := newDriver(t, exampleOptions(true), 80, 24).start()
		d.send(tea.ColorProfileMsg{Profile: p})
		d.keys("2")
		wellFormed(t, d.m.View().Content, 80, 24)
		if name != "colour" && strings.Contains(d.m.View().Content, "38;2;") {
			t.Errorf("%s: full colours on a terminal without", name)
		}
		drawn.Files = append(drawn.Files, txtar.File{Name: name, Data: []byte(strings.ReplaceAll(golden.Shorten(d.m.View().Content), "\x1b", "␛"))})
	}
	sortFiles(&drawn)
	compare(t, "themes", &drawn)
}

func sortFiles(a *txtar.Archive) {
	for i := range a.Files {
		for j := i + 1; j < len(a.Files); j++ {
			if a.Files[j].Name < a.Files[i].Name {
				a.Files[i], a.Files[j] = a.Files[j], a.Files[i]
			}
		}
	}
}

func TestNoColour(t *testing.T) {
	o := exampleOptions(true)
	o.Environ = []string{"TERM=vt100", "NO_COLOR=1"}
	d := newDriver(t, o, 100, 30).start()
	content := d.m.View().Content
	for _, sgr := range regexp.MustCompile(`\x1b\[([0-9;]*)m`).FindAllStringSubmatch(content, -1) {
		for _, param := range strings.Split(sgr[1], ";") {
			if n, _ := strconv.Atoi(param); n >= 30 {
				t.Fatalf("NO_COLOR, and %q is sent", sgr[0])
			}
		}
	}
	for _, r := range ansi.Strip(content) {
		if r > 0x7e {
			t.Errorf("%q is drawn on a terminal without UTF-8", r)
		}
	}
	wellFormed(t, content, 100, 30)
	if !strings.Contains(ansi.Strip(content), "X 3 missing") {
		t.Errorf("a locale without UTF-8 gets other signs than ASCII:\n%s", ansi.Strip(content))
	}
}

// TestThemesFollowTheBackground: by itself, and when the person goes through
// the themes.
func TestThemesFollowTheBackground(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 100, 30).start()
	if got := d.m.style.theme(); got != "dark" {
		t.Errorf("before the terminal has said anything: %s", got)
	}
	d.send(tea.BackgroundColorMsg{Color: color.White})
	if got := d.m.style.theme(); got != "light" {
		t.Errorf("on white: %s", got)
	}
	seen := map[string]bool{}
	for range 10 {
		d.keys("t")
		seen[d.m.style.theme()] = true
	}
	if seen["dark"] || !seen["light"] || !seen["ansi"] || !seen["mono"] {
		t.Errorf("themes on white: %v", seen)
	}
	d.send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	if d.keys("t"); !contains(d.screen(), d.m.t.Why.NoColour) {
		t.Errorf("without colours the key does not say why:\n%s", d.screen())
	}
}

// TestFirstFrameWaitsForNothing: the frame is there before any source has
// answered.
func TestFirstFrameWaitsForNothing(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 120, 40)
	for _, want := range []string{"Bridge", "Leases", "Windows route", "Upstreams", "looking…", "flatnet-br0"} {
		if !strings.Contains(d.screen(), want) {
			t.Errorf("the first frame lacks %q", want)
		}
	}
}

// TestNothingChangesNothing: looking again at the same things draws the same
// screen, to the byte.
func TestNothingChangesNothing(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 120, 40).start()
	before := d.m.View().Content
	for range 5 {
		d.run(d.m.refreshAll(false))
		if d.m.View().Content != before {
			t.Fatal("the screen changed although nothing else did")
		}
	}
}

func TestJapanese(t *testing.T) {
	o := exampleOptions(true)
	o.Config.TUI.Language = "ja"
	var drawn txtar.Archive
	for _, s := range screens[:2] {
		d := newDriver(t, o, s.width, s.height).start()
		wellFormed(t, d.m.View().Content, s.width, s.height)
		drawn.Files = append(drawn.Files, txtar.File{Name: fmt.Sprintf("%dx%d", s.width, s.height), Data: []byte(golden.Shorten(d.screen()))})
		d.keys("?")
		wellFormed(t, d.m.View().Content, s.width, s.height)
		drawn.Files = append(drawn.Files, txtar.File{Name: fmt.Sprintf("? %dx%d", s.width, s.height), Data: []byte(golden.Shorten(d.screen()))})
	}
	compare(t, "japanese", &drawn)
}

func compare(t *testing.T, name string, drawn *txtar.Archive) {
	t.Helper()
	golden.Compare(t, filepath.Join("testdata", name+".txtar"), drawn)
}
