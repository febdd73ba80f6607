package themes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuiltinThemes(t *testing.T) {
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 6 {
		t.Errorf("%d themes, want at least six", len(all))
	}
	there := map[string]Theme{}
	for _, th := range all {
		there[th.ID] = th
	}
	for _, id := range []string{"dark", "light", "contrast", "safe", "mono", "ansi"} {
		if _, ok := there[id]; !ok {
			t.Errorf("no theme %q", id)
		}
	}
	for _, s := range []Spec{there["mono"].OK, there["mono"].Fail, there["mono"].Selected, there["mono"].Button} {
		if s.Foreground != "" || s.Background != "" {
			t.Error("mono has a colour")
		}
	}
	if !there["mono"].Selected.Reverse {
		t.Error("mono cannot show the selected row")
	}
}

// contrast is WCAG's ratio of two colours' luminance: 4.5 is legible text.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTextIsLegible(t *testing.T) {
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, th := range all {
		behind := map[string]string{Dark: "#1c1c20", Light: "#ffffff"}[th.Background]
		if behind == "" {
			continue
		}
		for name, s := range map[string]Spec{
			"text": th.Text, "muted": th.Muted, "ok": th.OK, "warn": th.Warn, "fail": th.Fail, "unknown": th.Unknown,
			"accent": th.Accent, "selected": th.Selected, "button": th.Button, "added": th.Added, "removed": th.Removed,
		} {
			on := s.Background
			if on == "" {
				on = behind
			}
			if c := contrast(t, s.Foreground, on); c < 4.5 {
				t.Errorf("%s: %s has contrast %.1f on %s, want 4.5", th.ID, name, c, on)
			}
		}
	}
}

func TestBadThemes(t *testing.T) {
	data, err := builtin.ReadFile("dark.toml")
	if err != nil {
		t.Fatal(err)
	}
	dark := string(data)
	for name, c := range map[string]struct{ data, want string }{
		"missing": {strings.Replace(dark, "warn ", "#warn ", 1), `"warn" is missing`},
		"unknown": {dark + "\nwarm = \"1\"\n", `unknown key "warm"`},
		"colour":  {strings.Replace(dark, "#7fc98b", "green-ish", 1), "green-ish"},
		"on":      {strings.Replace(dark, "on #2f3b52", "on", 1), `after "on" comes a colour`},
		"syntax":  {"name = \n", "bad.toml:1"},
		"kind":    {strings.Replace(dark, `background = "dark"`, `background = "noon"`, 1), "one of dark, light, any"},
	} {
		if _, err := Parse("bad.toml", []byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestOwnThemes(t *testing.T) {
	dir := t.TempDir()
	data, err := builtin.ReadFile("dark.toml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, s string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mine.toml", strings.Replace(string(data), `"Dark"`, `"Mine"`, 1))
	write("light.toml", strings.Replace(string(data), `"Dark"`, `"My light"`, 1))
	write("bad.toml", "name = 3")
	write("huge.toml", strings.Repeat("#", maxFile+1))
	all, err := Load(dir)
	if err == nil || !strings.Contains(err.Error(), "bad.toml") || !strings.Contains(err.Error(), "huge.toml") {
		t.Errorf("bad themes are not named: %v", err)
	}
	names := map[string]string{}
	for _, th := range all {
		names[th.ID] = th.Name
	}
	if names["mine"] != "Mine" || names["light"] != "My light" || names["dark"] != "Dark" {
		t.Errorf("themes are %v", names)
	}
	if all, err := Load(filepath.Join(dir, "absent")); err != nil || len(all) < 6 {
		t.Errorf("an absent folder: %d themes, %v", len(all), err)
	}
}

func FuzzParse(f *testing.F) {
	data, err := builtin.ReadFile("dark.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add("text = \"bold #ffffff on 256\"")
	f.Fuzz(func(t *testing.T, s string) {
		if th, err := Parse("x.toml", []byte(s)); err == nil && th.ID != "x" {
			t.Errorf("id %q", th.ID)
		}
	})
}

// luminance is a colour's relative luminance (WCAG 2).
func luminance(t *testing.T, c string) float64 {
	t.Helper()
	r, g, b := channels(t, c)
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
