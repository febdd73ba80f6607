package command_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/tui/command"
)

// result is what one command line did.
type result struct {
	status   int
	out, err string
}

// configRun runs one command line with a person at the terminal who types
// input; "" is nobody.
func configRun(t *testing.T, input string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	a := &command.App{
		In: typed(t, input), Out: &out, Err: &err, Version: "test", Interactive: input != "", Now: time.Now,
		Open: func(c config.Config) (*command.Parts, error) { return &command.Parts{Config: c}, nil },
	}
	status := command.Run(t.Context(), a, args)
	return result{status, out.String(), err.String()}
}

// typed is a terminal's end, as a file, on which input was typed.
func typed(t *testing.T, input string) *os.File {
	t.Helper()
	in, keyboard, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	if _, err := keyboard.WriteString(input); err != nil {
		t.Fatal(err)
	}
	_ = keyboard.Close()
	return in
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	t.Setenv(config.Env, "")
	path := filepath.Join(t.TempDir(), "flatnet.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigCheck(t *testing.T) {
	good := configFile(t, "[network]\nmtu = 1400\n")
	bad := configFile(t, "[network]\nmtu = 14\nsubnett = 1\n")
	missing := filepath.Join(t.TempDir(), "x")
	for _, test := range []struct {
		file   string
		status int
		text   string
	}{
		{good, 0, "is good"},
		{bad, 2, bad + ":3:1: network.subnett: there is no such key; right is subnet"},
		{missing, 2, "there is no such configuration file"},
	} {
		r := configRun(t, "", "config", "check", "--config", test.file)
		if r.status != test.status || !strings.Contains(r.out+r.err, test.text) {
			t.Errorf("%s: %+v", test.file, r)
		}
		j := configRun(t, "", "config", "check", "--json", "--config", test.file)
		var report struct {
			Good     bool
			Problems []config.Problem
		}
		if err := json.Unmarshal([]byte(j.out), &report); err != nil || j.status != test.status || report.Good != (test.status == 0) || report.Good != (len(report.Problems) == 0) {
			t.Errorf("%s: %+v %v", test.file, j, err)
		}
	}
}

func TestConfigShow(t *testing.T) {
	path := configFile(t, "[network]\nmtu = 1400\n[[gateway.site]]\nhost = \"a\"\ncontainer = \"b\"\n")
	r := configRun(t, "", "config", "show", "--changed", "--config", path)
	if want := "[network]\nmtu = 1400\n\n[[gateway.site]]\nhost = \"a\"\ncontainer = \"b\"\n"; r.out != want {
		t.Errorf("got\n%s\nwant\n%s", r.out, want)
	}
	// What is shown is a configuration that says the same.
	whole := configRun(t, "", "config", "show", "--config", path)
	again := configRun(t, "", "config", "show", "--config", configFile(t, whole.out))
	if again.status != 0 || again.out != whole.out {
		t.Errorf("%+v", again)
	}
	if s := configRun(t, "", "config", "show", "--sample"); s.out != config.Sample() {
		t.Errorf("%+v", s)
	}
}

func TestConfigEditSets(t *testing.T) {
	path := configFile(t, "# ours\n[network]\nmtu = 1400 # VPN\n")
	for _, test := range []struct {
		name, input string
		args        []string
		status      int
		want        string // in the output
		file        string // the line of the file
	}{
		{"nobody asked", "", []string{"network.mtu=1300"}, 2, "add --yes", "mtu = 1400 # VPN"},
		{"dry run", "", []string{"--dry-run", "network.mtu=1300"}, 0, "+mtu = 1300 # VPN", "mtu = 1400 # VPN"},
		{"no", "n\n", []string{"network.mtu=1300"}, 1, "Nothing was changed", "mtu = 1400 # VPN"},
		{"yes", "y\n", []string{"network.mtu=1300"}, 0, "Done", "mtu = 1300 # VPN"},
		{"bare words", "", []string{"--yes", "tui.theme=light", "network.subnet=10.60.0.0/24"}, 0, "Done", `theme = "light"`},
		{"json", "", []string{"--yes", "--json", "network.mtu=1200"}, 0, `"applied": true`, "mtu = 1200 # VPN"},
		{"unset", "", []string{"--yes", "--unset", "network.mtu"}, 0, "Done", "# ours"},
		{"unset again", "", []string{"--yes", "--unset", "network.mtu"}, 2, "does not set this key", "# ours"},
		{"nothing", "", []string{"--yes", "tui.theme=light"}, 0, "Nothing was changed", "# ours"},
		{"bad value", "", []string{"--yes", "network.mtu=14"}, 2, "network.mtu: 14 is out of range", "# ours"},
		{"bad beside others", "", []string{"--yes", "network.gateway=10.1.1.1"}, 2, "is no host's address", "# ours"},
		{"no value", "", []string{"--yes", "network.mtu"}, 2, "sets nothing", "# ours"},
	} {
		r := configRun(t, test.input, append([]string{"config", "edit", "--config", path}, test.args...)...)
		if r.status != test.status || !strings.Contains(r.out+r.err, test.want) {
			t.Errorf("%s: %+v", test.name, r)
		}
		if data, _ := os.ReadFile(path); !strings.Contains(string(data), test.file) {
			t.Errorf("%s: the file is\n%s", test.name, data)
		}
	}
}

// A wrong configuration can be mended by the command.
func TestConfigEditMends(t *testing.T) {
	path := configFile(t, "[network]\nmtu = 14\n")
	if r := configRun(t, "", "config", "edit", "--config", path, "--yes", "network.mtu=1400"); r.status != 0 {
		t.Errorf("%+v", r)
	}
}

func TestConfigEditInAnEditor(t *testing.T) {
	path := configFile(t, "[network]\nmtu = 1400\n")
	editor := filepath.Join(t.TempDir(), "editor")
	state := filepath.Join(t.TempDir(), "state")
	script := "#!/bin/sh\nif [ -e " + state + " ]; then sed -i 's/mtu = .*/mtu = 1300/' $2; else touch " + state + "; sed -i 's/mtu = .*/mtu = 13/' $2; fi\n"
	if err := os.WriteFile(editor, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VISUAL", editor+" --wait")
	r := configRun(t, "\n", "config", "edit", "--config", path, "--yes")
	if r.status != 0 || !strings.Contains(r.err, "Edit it again?") || !strings.Contains(r.err, "13 is out of range") {
		t.Errorf("%+v", r)
	}
	if data, _ := os.ReadFile(path); string(data) != "[network]\nmtu = 1300\n" {
		t.Errorf("the file is\n%s", data)
	}
}

// TestNoSuchConfiguration names a configuration that no command can read.
func TestNoSuchConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none.toml")} {
		for _, line := range []string{"status", "leases list", "firewall show", "config check"} {
			r := configRun(t, "", append([]string{"--config", path}, strings.Fields(line)...)...)
			if r.status != command.ExitUsage || !strings.Contains(r.err, path) {
				t.Errorf("%s with %s: %+v", line, path, r)
			}
		}
	}
}
