package tui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/config"
)

const someConfig = `# the office network
[network]
name = "flatnet" # as in podman run
mtu = 1500       # the VPN's

[tui]
theme = "dark"
`

// configBench is a console whose configuration is a file of the test's own.
func configBench(t *testing.T, content string, change func(*Options)) (*bench, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flatnet.toml")
	must(t, os.WriteFile(path, []byte(content), 0o600))
	return newBench(t, func(o *Options) {
		o.Config.Path = path
		if change != nil {
			change(o)
		}
	}), path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

func (b *bench) shows(wants ...string) {
	b.t.Helper()
	for _, w := range wants {
		if !contains(b.screen(), w) {
			b.t.Errorf("the screen lacks %q:\n%s", w, b.screen())
		}
	}
}

func (d *driver) typed(s string) *driver {
	for _, r := range s {
		d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return d
}

func TestFormChangesOneKey(t *testing.T) {
	b, path := configBench(t, someConfig, nil)
	b.keys("e")
	b.shows("network.mtu", "1500", "valid")
	for b.m.dialog.(*editor).form.table.Key() != "network.mtu" {
		b.keys("down")
	}
	b.keys("enter").typed("00")
	b.shows("150000") // not an MTU
	b.keys("enter")
	if b.m.dialog.(*editor).file.Changed() {
		t.Error("an impossible value was taken")
	}
	b.keys("backspace", "backspace", "backspace").typed("1")
	b.keys("backspace", "backspace", "backspace", "backspace").typed("1400").keys("enter")
	b.shows("1400", "not saved")
	b.keys("ctrl+s")
	b.shows("-mtu = 1500       # the VPN's", "+mtu = 1400       # the VPN's", "Cancel")
	if read(t, path) != someConfig {
		t.Error("saved before it was confirmed")
	}
	b.later().keys("y")
	if want := strings.Replace(someConfig, "1500", "1400", 1); read(t, path) != want {
		t.Errorf("the file is\n%s\nwant\n%s", read(t, path), want)
	}
}

// TestFormFindsAKey: a key is found by typing a part of it or of its meaning,
// and esc leads back one step at a time.
func TestFormFindsAKey(t *testing.T) {
	b, _ := configBench(t, someConfig, nil)
	b.keys("e", "/").typed("mtu")
	b.shows("/mtu", "network.mtu")
	if contains(b.screen(), "ipam.sticky") {
		t.Errorf("everything is shown still:\n%s", b.screen())
	}
	b.keys("enter", "enter")
	b.shows("network.mtu = 1500")
	b.keys("esc", "esc")
	b.shows("ipam.sticky")
	b.keys("/").typed("no such key")
	b.shows(b.m.t.State.NoMatch)
	b.keys("esc")
	b.shows("ipam.sticky")
	b.keys("enter", "ctrl+t", "esc") // a value that is being typed keeps nobody in the text
	if b.m.dialog != nil {
		t.Errorf("esc does not leave the editor:\n%s", b.screen())
	}
}

func TestTextIsCheckedAsItIsTyped(t *testing.T) {
	b, path := configBench(t, someConfig, nil)
	b.keys("e", "ctrl+t")
	b.typed("x")
	b.shows("not saved", "✗", "1:")
	b.keys("ctrl+s")
	if _, ok := b.m.dialog.(*editor); !ok || read(t, path) != someConfig {
		t.Fatal("a wrong text can be saved")
	}
	b.keys("backspace").typed("# more\n")
	b.shows("✓ valid")
	b.keys("esc")
	b.shows("esc once more")
	b.keys("esc")
	if b.m.dialog != nil || read(t, path) != someConfig {
		t.Error("left without saving, and something was saved")
	}
}

func TestAnotherWriterIsNoticed(t *testing.T) {
	b, path := configBench(t, someConfig, nil)
	b.keys("e", "ctrl+t").typed("# mine\n")
	b.keys("ctrl+s")
	theirs := someConfig + "# theirs\n"
	must(t, os.WriteFile(path, []byte(theirs), 0o600))
	b.later().keys("y")
	b.shows("It did not work")
	if read(t, path) != theirs {
		t.Error("somebody else's change was written over")
	}
	b.keys("esc")
	b.shows("# mine", "not saved") // nothing that was typed is lost
}

// TestBothChangesAreSaved: what somebody else wrote meanwhile stays, and so
// does what was typed.
func TestBothChangesAreSaved(t *testing.T) {
	b, path := configBench(t, someConfig, nil)
	b.keys("e", "ctrl+t").typed("# mine\n")
	must(t, os.WriteFile(path, []byte(strings.Replace(someConfig, `"dark"`, `"light"`, 1)), 0o600))
	b.keys("ctrl+s")
	b.shows("+# mine", "Somebody else has changed the file")
	b.later().keys("y")
	if got := read(t, path); !strings.HasPrefix(got, "# mine\n") || !contains(got, `"light"`) {
		t.Errorf("saved:\n%s", got)
	}
}

// TestTheSameLines: where both changed the same lines the person decides.
func TestTheSameLines(t *testing.T) {
	b, path := configBench(t, someConfig, nil)
	b.keys("e", "ctrl+t").typed("mine ")
	b.keys("home").typed("# ")
	theirs := "# theirs\n" + strings.TrimPrefix(someConfig, "# the office network\n")
	must(t, os.WriteFile(path, []byte(theirs), 0o600))
	b.keys("ctrl+s")
	b.shows("somebody else has changed the same lines", "ctrl+r", "# mine")
	b.keys("ctrl+r")
	b.shows("# theirs", "valid")
	b.keys("esc")
	if b.m.dialog != nil || read(t, path) != theirs {
		t.Error("their change was not taken up whole")
	}
}

func TestReadOnlySavesNothing(t *testing.T) {
	b, path := configBench(t, someConfig, func(o *Options) { o.ReadOnly = true })
	b.keys("e", "ctrl+t").typed("# mine\n")
	b.keys("ctrl+s", "y")
	b.later().keys("y")
	if read(t, path) != someConfig {
		t.Error("read-only, and the file was written")
	}
}

func TestConfigurationIsTakenUp(t *testing.T) {
	next := exampleOptions(false)
	next.Config.Network.Bridge = "other-br0"
	var problem error
	changed := false
	b, _ := configBench(t, someConfig, func(o *Options) {
		o.Reload = func(context.Context) (Options, bool, error) { return next, changed, problem }
	})
	b.keys("2", "/").typed("10.87").keys("enter", "down", "space")
	was := b.m.focused().Selected()
	problem = &config.Error{Problems: []config.Problem{{File: "f", Line: 3, Column: 1, Key: "network.mtu", Text: "is too small"}}}
	b.run(b.m.reload())
	b.shows("network.mtu: is too small", "the last good one stays", "flatnet-br0")
	problem, changed = nil, true
	b.run(b.m.reload())
	b.shows("is in use", "other-br0", "everything is fine")
	if b.m.focus != 1 || b.m.focused().Selected() != was || len(b.m.focused().Marked()) != 1 || !contains(b.screen(), "/10.87") {
		t.Errorf("where the person was is lost: pane %d, %s\n%s", b.m.focus+1, b.m.focused().Selected(), b.screen())
	}
}

func TestOwnEditor(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "editor")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\nsed -i s/1500/1400/ \"$1\"\n"), 0o700))
	path := filepath.Join(dir, "flatnet.toml")
	must(t, os.WriteFile(path, []byte(someConfig), 0o600))
	term := console(t, "config", 100, 30, "EDITOR="+script, "FLATNET_FILE="+path)
	must(t, term.WaitFor("Bridge", patience))
	must(t, term.Type("E"))
	must(t, term.WaitFor("+mtu = 1400", patience))
	must(t, term.Type("n"))
	must(t, term.WaitFor("not saved", patience))
	must(t, term.Type("\x13")) // ctrl+s
	must(t, term.WaitFor("+mtu = 1400", patience))
	for range 5 {
		_ = term.Type("y")
		if term.WaitFor("done: Save", patience/20) == nil {
			break
		}
	}
	if got := read(t, path); !contains(got, "mtu = 1400       # the VPN's") {
		t.Errorf("the file is\n%s", got)
	}
}

// TestEditorThatFails: an editor that ends with an error (vim's :cq) changes
// nothing and says so; a wrong text opens where it is wrong.
func TestEditorThatFails(t *testing.T) {
	dir := t.TempDir()
	for script, want := range map[string]string{
		"exit 3": "the editor ended with exit status 3: nothing was changed",
		`for i in $(seq 60); do echo "# $i"; done >> "$1"; echo "mtu = = 1" >> "$1"`: "mtu = = 1",
	} {
		editor := filepath.Join(dir, "editor")
		must(t, os.WriteFile(editor, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
		path := filepath.Join(dir, "flatnet.toml")
		must(t, os.WriteFile(path, []byte(someConfig), 0o600))
		term := console(t, "config", 100, 30, "EDITOR="+editor, "FLATNET_FILE="+path)
		must(t, term.WaitFor("Bridge", patience))
		must(t, term.Type("E"))
		must(t, term.WaitFor(want, patience))
		if read(t, path) != someConfig {
			t.Error("something was saved")
		}
	}
}

func TestNoEditor(t *testing.T) {
	_, err := draft(filepath.Join(t.TempDir(), "flatnet.toml"), []string{"", "no-such-editor"})
	if !errors.Is(err, ErrNoEditor) {
		t.Errorf("error %v", err)
	}
}

// TestWrongConfigurationStaysNamed: whoever comes later sees it too, until the
// file is as it was.
func TestWrongConfigurationStaysNamed(t *testing.T) {
	var problem error = &config.Error{Problems: []config.Problem{{File: "f", Line: 3, Column: 1, Key: "network.mtu", Text: "is too small"}}}
	b, _ := configBench(t, someConfig, func(o *Options) {
		o.Reload = func(context.Context) (Options, bool, error) { return Options{}, false, problem }
	})
	b.run(b.m.reload())
	b.keys("W") // says something else in the strip
	b.shows(b.m.t.Editor.Wrong)
	problem = nil
	b.run(b.m.reload())
	b.shows(b.m.t.Editor.Right)
	if contains(b.screen(), b.m.t.Editor.Wrong) {
		t.Errorf("it is right, and this is shown:\n%s", b.screen())
	}
}

// TestFormSaysEverything: on a small screen too, what a key takes, what it
// means and what is lost by leaving are read to their end.
func TestFormSaysEverything(t *testing.T) {
	b, _ := configBench(t, someConfig, nil)
	b.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	b.keys("e", "/").typed("podman.socket").keys("enter") // the longest there is
	b.shows("are then not known.")
	b.keys("enter").typed("ä")
	b.shows("such as", "@~(),=")
	b.keys("esc", "esc", "/").typed("dns.enabled").keys("enter", "enter", "ctrl+u").typed("maybe")
	b.shows(`right is "auto", true or false`)
	b.keys("ctrl+u").typed("true").keys("enter", "esc", "esc")
	b.shows("saves.")
}

// TestFormOnASmallScreen: rows are left beside what explains, and the keys that
// save and leave are named.
func TestFormOnASmallScreen(t *testing.T) {
	for _, language := range []string{"en", "ja"} {
		b, _ := configBench(t, someConfig, func(o *Options) { o.Config.TUI.Language = language })
		b.send(tea.WindowSizeMsg{Width: minWidth, Height: minHeight})
		b.keys("e")
		b.shows("network.name", "network.bridge", "network.subnet", "ctrl+s", "esc")
	}
}

// TestWrongFileOpensWhereItIsWrong: the form has nothing to show of it.
func TestWrongFileOpensWhereItIsWrong(t *testing.T) {
	b, _ := configBench(t, someConfig+strings.Repeat("# more\n", 60)+"[nope\n", nil)
	b.keys("e")
	b.shows("[nope", "✗ 69:6:")
}
