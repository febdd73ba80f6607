package tui

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/core/journal"
	"flatnet/core/repair"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
)

// transcript is what the plain console has written.
type transcript struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *transcript) waitFor(t *testing.T, want string) { t.Helper(); s.waitForAfter(t, 0, want) }

// waitForAfter waits for what is written after the first so many bytes.
func (s *transcript) waitForAfter(t *testing.T, after int, want string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(s.String()[after:], want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q was not said:\n%s", want, s)
		}
	}
}

// TestPlain: everything once, then changes only; a key typed on a line acts.
func TestPlain(t *testing.T) {
	var mu sync.Mutex
	broken, done := true, false
	o := exampleOptions(true)
	o.Plain = true
	o.Config.TUI.Refresh = 20 * time.Millisecond
	o.Sources.Bridge = func(context.Context) (pane.BridgeView, error) {
		mu.Lock()
		defer mu.Unlock()
		return example.Bridge(broken), nil
	}
	o.Plans.Firewall = func(context.Context) (repair.Plan, error) {
		return repair.Plan{Title: "put the rules in place", Steps: []repair.Step{{
			Text: "three rules", Command: "iptables-restore",
			Do: func(context.Context) ([]journal.Entry, error) {
				mu.Lock()
				defer mu.Unlock()
				broken, done = false, true
				return nil, nil
			},
		}}}, nil
	}
	in, keys := io.Pipe()
	out := &transcript{}
	o.In, o.Out = in, out
	ended := make(chan error, 1)
	go func() { ended <- Run(context.Background(), o) }()
	out.waitFor(t, "Bridge: FORWARD rules, 3 missing (failing), iptables-nft")
	out.waitFor(t, "Leases: 10.87.1.7, stale (warning), build-7f3a")
	out.waitFor(t, "Findings: failing, FORWARD drops packets to the containers")
	said := out.String()
	time.Sleep(200 * time.Millisecond) // ten refreshes
	if now := out.String(); now != said {
		t.Errorf("nothing changed, and this was said:\n%s", strings.TrimPrefix(now, said))
	}
	_, _ = io.WriteString(keys, "F\n")
	out.waitFor(t, "Type yes and Enter")
	_, _ = io.WriteString(keys, "no\n")
	out.waitFor(t, "cancelled: put the rules in place")
	_, _ = io.WriteString(keys, "F\n")
	out.waitFor(t, "iptables-restore")
	time.Sleep(50 * time.Millisecond)
	_, _ = io.WriteString(keys, "yes\n")
	out.waitFor(t, "Bridge: FORWARD rules, present, iptables-nft")
	_, _ = io.WriteString(keys, "q\n")
	if err := <-ended; err != nil || !done {
		t.Errorf("ended with %v, done %v:\n%s", err, done, out)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("an escape sequence in plain text: %q", out.String())
	}
}

// TestPlainSaysWhereItIs: what a key is about is said before it acts, and a
// key that has nothing to show without a screen says that.
func TestPlainSaysWhereItIs(t *testing.T) {
	say, out := plainConsole(t, exampleOptions(true))
	out.waitFor(t, "Leases: 10.87.1.7, stale (warning), build-7f3a")
	for _, step := range []struct{ key, want string }{
		{"2", "Leases: warning"},
		{"j", "Leases: 10.87.1.2, active"},
		{"space", "1 marked"},
		{"e", "edit the configuration: only on a screen"},
		{":", "all commands, by name: only on a screen"},
		{"/", "filter as you type: only on a screen"},
	} {
		before := len(out.String())
		say(step.key)
		out.waitForAfter(t, before, step.want)
	}
}

// TestPlainGivesTheEditorTheKeys: what is typed while an editor runs is for it.
func TestPlainGivesTheEditorTheKeys(t *testing.T) {
	dir := t.TempDir()
	editor, path := filepath.Join(dir, "editor"), filepath.Join(dir, "flatnet.toml")
	must(t, os.WriteFile(editor, []byte("#!/bin/sh\necho which MTU?\nread -r mtu\nsed -i s/1500/$mtu/ \"$1\"\n"), 0o700))
	must(t, os.WriteFile(path, []byte(someConfig), 0o600))
	o := exampleOptions(true)
	o.Config.Path = path
	o.Environ = append(o.Environ, "EDITOR="+editor)
	say, out := plainConsole(t, o)
	say("E")
	out.waitFor(t, "which MTU?")
	say("1400")
	out.waitFor(t, "+mtu = 1400")
	say("no")
	out.waitFor(t, "cancelled")
}

// plainConsole runs a plain console until the test ends; say types a line.
func plainConsole(t *testing.T, o Options) (say func(string), out *transcript) {
	t.Helper()
	in, keys, err := os.Pipe() // an editor takes it over, which needs a file
	must(t, err)
	out = &transcript{}
	o.In, o.Out, o.Plain = in, out, true
	ended := make(chan error, 1)
	go func() { ended <- Run(context.Background(), o) }()
	t.Cleanup(func() {
		must(t, keys.Close())
		if err := <-ended; err != nil {
			t.Errorf("ended with %v:\n%s", err, out)
		}
		must(t, in.Close())
	})
	return func(line string) {
		_, err := io.WriteString(keys, line+"\n")
		must(t, err)
	}, out
}
