package command_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flatnet/core/bundle"
	"flatnet/core/journal"
	"flatnet/testdata/windows/standin"
	"flatnet/tui"
	"flatnet/tui/command"
)

func TestBundleHoldsWhatIsThere(t *testing.T) {
	r := newRig(t)
	r.crash(r.db)
	file := filepath.Join(r.dir, "bundle.json")
	if status, out := r.run("bundle", file); status != 0 {
		t.Fatal(out)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file is for others, too: %v, %v", st.Mode(), err)
	}
	f, err := os.Open(file)
	r.must(err)
	defer f.Close()
	b, err := bundle.Read(f)
	r.must(err)
	if len(b.Findings) == 0 || b.Findings[0].Code != "lease-stale" {
		t.Errorf("findings: %+v", b.Findings)
	}
	if _, ok := b.PathTo("web.local"); !ok {
		t.Error("no path to web.local")
	}
	for name, part := range map[string]string{
		"iptables-save": "FLATNET-FORWARD", "conf.d/flatnet.conf": "web.local", "nginx.conf": "include", "allocations.json": "10.87.1.2",
	} {
		if !strings.Contains(b.Texts[name], part) {
			t.Errorf("%s: %.200s", name, b.Texts[name])
		}
	}
	if len(b.Links) < 3 || len(b.Routes) == 0 || len(b.Journal) == 0 || b.Versions.Kernel == "" || b.Versions.Podman != "4.3.1" {
		t.Errorf("%d links, %d routes, %d entries, %+v", len(b.Links), len(b.Routes), len(b.Journal), b.Versions)
	}
	if !slices.IsSortedFunc(b.Journal, func(x, y journal.Entry) int { return x.Time.Compare(y.Time) }) {
		t.Error("the journal is not in order")
	}
}

func TestBundleOverwritesNothing(t *testing.T) {
	r := newRig(t)
	file := filepath.Join(r.dir, "bundle.json")
	r.write(file, "mine")
	status, out := r.run("bundle", file)
	text, err := os.ReadFile(file)
	r.must(err)
	if status != 1 || string(text) != "mine" || !strings.Contains(out, "not there yet") {
		t.Errorf("exit status %d, %q\n%s", status, text, out)
	}
	if status, out := r.run("bundle", "a", "b"); status != 2 {
		t.Errorf("two files: %d %s", status, out)
	}
	if status, out := r.run("bundle", "-"); status != 0 || !strings.HasPrefix(out, "{") {
		t.Errorf("to stdout: %d %.100s", status, out)
	}
}

func TestBundleOfAWrongConfiguration(t *testing.T) {
	r := newRig(t)
	r.edit("mtu = 1400", "mtoo = 1400")
	file := filepath.Join(r.dir, "bundle.json")
	if status, out := r.run("bundle", file); status != 0 {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if status, out := r.run("--replay", file); status != 1 || !strings.Contains(out, "mistake") {
		t.Errorf("replayed: %d\n%s", status, out)
	}
}

// A bundle opened elsewhere shows what status showed where it was made.
func TestReplayShowsWhatWasSeen(t *testing.T) {
	r := newRig(t)
	r.crash(r.db)
	r.say(func(s *standin.State) { *s = standin.AfterRestart() })
	file := filepath.Join(r.dir, "bundle.json")
	if status, out := r.run("bundle", file); status != 0 {
		t.Fatal(out)
	}
	r.run("leases", "release", "--stale", "--yes") // what is replayed is the past
	status, out := r.run("--replay", file)
	if status != 1 {
		t.Errorf("exit status %d", status)
	}
	for _, want := range []string{"Bridge         ok", "10.87.1.3       stale       db", "route", "the lease of 10.87.1.3 (db) is stale", "web.local"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestReplayInTheConsoleChangesNothing(t *testing.T) {
	r := newRig(t)
	file := filepath.Join(r.dir, "bundle.json")
	if status, out := r.run("bundle", file); status != 0 {
		t.Fatal(out)
	}
	var got tui.Options
	a := &command.App{
		In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Screen: true, Now: r.now,
		Console: func(_ context.Context, o tui.Options) error { got = o; return nil },
	}
	if status := command.Run(t.Context(), a, []string{"--replay", file}); status != 0 {
		t.Fatalf("exit status %d: %s", status, a.Err)
	}
	if !got.ReadOnly || got.Plans.Firewall != nil || got.Plans.ByFinding != nil || got.Journal != nil || got.Notice == "" {
		t.Errorf("it could change something: %+v", got.Plans)
	}
	if age := time.Until(got.Now()).Abs(); age > time.Minute || !got.Now().Equal(got.Now()) {
		t.Errorf("its clock is %v away, or runs", age)
	}
	leases, err := got.Sources.Leases(t.Context())
	if err != nil || len(leases) != 2 {
		t.Errorf("%d leases, %v", len(leases), err)
	}
	view, err := got.Sources.Bridge(t.Context())
	if err != nil || len(view.Bridge.Ports) != 2 || !view.Firewall.Known() {
		t.Errorf("%+v, %v", view, err)
	}
	up, err := got.Sources.Upstreams(t.Context())
	if err != nil || len(up.Probes) == 0 || !up.Gateway.Known() {
		t.Errorf("%+v, %v", up, err)
	}
	hops, err := got.Tools.Path(t.Context(), "web.local", nil)
	if err != nil || len(hops) == 0 {
		t.Errorf("%d hops, %v", len(hops), err)
	}
	if _, err := got.Tools.Path(t.Context(), "other.local", nil); err == nil {
		t.Error("a path that is not in the bundle")
	}
}

func TestReplayOfNoBundle(t *testing.T) {
	r := newRig(t)
	if status, out := r.run("--replay", r.conf); status != 1 || !strings.Contains(out, "not an incident bundle") {
		t.Errorf("%d %s", status, out)
	}
	if status, out := r.run("--replay", "/nowhere"); status != 1 || !strings.Contains(out, "/nowhere") {
		t.Errorf("%d %s", status, out)
	}
}
