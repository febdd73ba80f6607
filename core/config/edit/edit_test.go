package edit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"flatnet/core/config"
	"flatnet/core/config/edit"
)

const original = `# Ours. Do not delete!

[network]	# the office
  subnet  = "10.50.0.0/24"   # agreed with IT
#mtu = 0
masquerade = true

# The wiki.
[[gateway.site]]
host = "wiki.local"
container = "wiki" # Kenji's

# The forge.
[[gateway.site]]
host = "git.local"
container = "forgejo"
[gateway.site.headers]
X-A = "1"

[tui]
theme = "dark"`

func open(t *testing.T, text string) *edit.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flatnet.toml")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := edit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Each change, as the lines that it takes away and adds; nothing else moves.
func TestChanges(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*edit.File) error
		want   string
	}{
		{"replace", set("network.subnet", `"10.60.0.0/24"`), "-  subnet  = \"10.50.0.0/24\"   # agreed with IT\n+  subnet  = \"10.60.0.0/24\"   # agreed with IT"},
		{"under its commented line", set("network.mtu", "1400"), "+mtu = 1400"},
		{"after the last key", set("network.hairpin", "false"), "+hairpin = false"},
		{"last table", set("tui.mouse", "true"), "-theme = \"dark\"\n\\ No newline at end of file\n+theme = \"dark\"\n+mouse = true"},
		{"in a site", set("gateway.site[0].port", "3000"), "+port = 3000"},
		{"in a site before its table", set("gateway.site[1].port", "3000"), "+port = 3000"},
		{"new table", set("log.level", `"debug"`), "-theme = \"dark\"\n\\ No newline at end of file\n+theme = \"dark\"\n+\n+[log]\n+level = \"debug\""},
		{"new table before its lists", set("gateway.mode", `"lua"`), "+\n+[gateway]\n+mode = \"lua\""},
		{"unset", func(f *edit.File) error { return f.Unset("gateway.site[0].container") }, "-container = \"wiki\" # Kenji's"},
		{"remove", func(f *edit.File) error { return f.Remove("gateway.site[1]") }, "-\n-# The forge.\n-[[gateway.site]]\n-host = \"git.local\"\n-container = \"forgejo\"\n-[gateway.site.headers]\n-X-A = \"1\""},
		{"add", func(f *edit.File) error {
			key, err := f.Add("gateway.site")
			if err != nil || key != "gateway.site[2]" {
				t.Errorf("added %q, %v", key, err)
			}
			return errors.Join(f.Set(key+".host", `"new.local"`), f.Set(key+".container", `"new"`))
		}, "+\n+[[gateway.site]]\n+host = \"new.local\"\n+container = \"new\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := open(t, original)
			if err := test.change(f); err != nil {
				t.Fatal(err)
			}
			if got := changedLines(f.Diff()); got != test.want {
				t.Errorf("changed\n%s\nwant\n%s\nin\n%s", got, test.want, f.Text())
			}
			if test.name == "unset" {
				return
			}
			if err := f.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func set(key, value string) func(*edit.File) error {
	return func(f *edit.File) error { return f.Set(key, value) }
}

// changedLines is a unified diff without its headers and unchanged lines.
func changedLines(diff string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(diff, "\n"), "\n") {
		if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "+++") || strings.HasPrefix(line, "@@") || strings.HasPrefix(line, " ") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSuffix(strings.Join(lines, "\n"), "\n\\ No newline at end of file")
}

func TestMtuStandsUnderItsComment(t *testing.T) {
	f := open(t, original)
	if err := f.Set("network.mtu", "1400"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.Text(), "#mtu = 0\nmtu = 1400\nmasquerade") {
		t.Error(f.Text())
	}
}

func TestRefusedChanges(t *testing.T) {
	for _, test := range []struct{ text, key, value, want string }{
		{original, "network.mtu", `"x"`, "this is a string"},
		{original, "network.mtu", "1\n[x]", "more than a value"},
		{original, "network.nothing", "1", "no such key"},
		{original, "gateway.site[5].port", "1", edit.ErrNoKey.Error()},
		{"network = { mtu = 1400 }\n", "network.hairpin", "false", edit.ErrShape.Error()},
		{"network.mtu = 1400\n", "network.hairpin", "false", edit.ErrShape.Error()},
		{"a = [", "network.mtu", "1400", edit.ErrShape.Error()},
		{"[gateway]\nsite = [{host = \"a\"}]", "gateway.site[0].port", "80", edit.ErrShape.Error()},
	} {
		f := open(t, test.text)
		err := f.Set(test.key, test.value)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s = %s: %v, want %s", test.key, test.value, err, test.want)
		}
		if f.Changed() {
			t.Errorf("%s = %s changed the text to\n%s", test.key, test.value, f.Text())
		}
	}
	f := open(t, "network = { mtu = 1400 }\n")
	if err := f.Unset("network.mtu"); !errors.Is(err, edit.ErrShape) {
		t.Errorf("unset in an inline table: %v", err)
	}
	if err := f.Set("network.mtu", "1300"); err != nil || f.Text() != "network = { mtu = 1300 }\n" {
		t.Errorf("set in an inline table: %v, %s", err, f.Text())
	}
}

func TestValue(t *testing.T) {
	f := open(t, original)
	if v, ok := f.Value("network.subnet"); !ok || v != `"10.50.0.0/24"` {
		t.Errorf("%q %v", v, ok)
	}
	if v, ok := f.Value("network.mtu"); ok {
		t.Errorf("%q", v)
	}
}

func TestSave(t *testing.T) {
	f := open(t, original)
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(f.Path(), link); err != nil {
		t.Fatal(err)
	}
	f, err := edit.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(f.Path(), 1234, 2345); err != nil {
			t.Fatal(err)
		}
		if f, err = edit.Open(link); err != nil {
			t.Fatal(err)
		}
	}
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, mtu := range []string{"1400", "1300"} { // the second on what the first saved
		if err := errors.Join(f.Set("network.mtu", mtu), f.Save(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v", info.Mode())
	}
	if st := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (st.Uid != 1234 || st.Gid != 2345) {
		t.Errorf("owner is %d:%d", st.Uid, st.Gid)
	}
	if target, err := os.Readlink(link); err != nil || target != f.Path() {
		t.Errorf("the link is gone: %q %v", target, err)
	}
	if c, err := config.Load(link); err != nil || c.Network.MTU != 1300 {
		t.Errorf("saved %v %v", c.Network.MTU, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Path()), ".*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestSaveRefuses(t *testing.T) {
	f := open(t, original)
	if err := f.SetText("[network]\nmtu = 1"); err != nil {
		t.Fatal(err)
	}
	var problems *config.Error
	if err := f.Save(t.Context()); !errors.As(err, &problems) {
		t.Errorf("a bad text: %v", err)
	}
	if err := f.SetText("[network]\nmtu = 1400"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path(), []byte("# another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(t.Context()); !errors.Is(err, edit.ErrChanged) {
		t.Errorf("changed meanwhile: %v", err)
	}
	if data, _ := os.ReadFile(f.Path()); string(data) != "# another's\n" {
		t.Errorf("overwrote it with %s", data)
	}
	if err := f.SetText(strings.Repeat("#", config.MaxFile+1)); err == nil {
		t.Error("a text too long was taken")
	}
}

func TestNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "flatnet.toml")
	f, err := edit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.SetText(config.Sample()), f.Set("network.mtu", "1400"), f.Save(t.Context())); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Load(path); err != nil || c.Network.MTU != 1400 {
		t.Errorf("%v %v", c.Network.MTU, err)
	}
	if err := errors.Join(os.Remove(path), f.Set("network.mtu", "1300")); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(t.Context()); !errors.Is(err, edit.ErrChanged) {
		t.Errorf("removed meanwhile: %v", err)
	}
}

// A change of any key in any readable text either fails and leaves the text,
// or leaves every other line.
func FuzzSet(f *testing.F) {
	f.Add(original, "network.mtu", "1400")
	f.Add(config.Sample(), "gateway.mode", `"lua"`)
	f.Add("a = 1\r\n[gateway]\r\n", "gateway.listen", "81")
	f.Fuzz(func(t *testing.T, text, key, value string) {
		file := open(t, text)
		if err := file.Set(key, value); err != nil {
			if file.Changed() {
				t.Fatalf("%v, and the text is\n%s", err, file.Text())
			}
			return
		}
		if got, ok := file.Value(key); !ok || got != strings.TrimSpace(value) && !strings.HasPrefix(strings.TrimSpace(value), got) {
			t.Fatalf("set %s = %s, and it is %q in\n%s", key, value, got, file.Text())
		}
	})
}

// Somebody else's change and ours are both in what is saved, unless they are of
// the same lines.
func TestRebase(t *testing.T) {
	for _, test := range []struct {
		name, theirs string
		want         []string
		err          error
	}{
		{"nobody wrote", original, []string{"mtu = 1400"}, nil},
		{"elsewhere", strings.Replace(original, `"dark"`, `"light"`, 1), []string{"mtu = 1400", `theme = "light"`}, nil},
		{"the same lines", strings.Replace(original, "#mtu = 0\n", "mtu = 9000\n", 1), nil, edit.ErrConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := open(t, original)
			if err := f.SetText(strings.Replace(original, "#mtu = 0\n", "mtu = 1400\n", 1)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Path(), []byte(test.theirs), 0o640); err != nil {
				t.Fatal(err)
			}
			now, err := f.Rebase()
			if !errors.Is(err, test.err) || (err == nil) != (now != nil) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			for _, want := range test.want {
				if !strings.Contains(now.Text(), want) {
					t.Errorf("it lacks %q:\n%s", want, now.Text())
				}
			}
			if err == nil {
				if err := now.Save(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
