package pane_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/rogpeppe/go-internal/txtar"

	"flatnet/core/health"
	"flatnet/core/leases"
	"flatnet/core/say"
	"flatnet/core/windows"
	"flatnet/testdata/example"
	"flatnet/testdata/golden"
	"flatnet/themes"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// sizes are those that a pane has on terminals of 80x24, 120x40 and 200x60,
// and one in which nothing fits.
var sizes = []struct{ width, height int }{{80, 20}, {60, 23}, {100, 34}, {24, 5}}

var errLook = errors.New("cannot read the state /var/lib/flatnet: permission denied")

// source answers as the test wants just then.
type source[T any] struct {
	value T
	err   error
}

func (s *source[T]) look(context.Context) (T, error) { return s.value, s.err }

// subject is a pane under test and the ways to change what it sees.
type subject struct {
	pane                      pane.Pane
	good, broken, fail, empty func()
	data                      []string // what must be seen of good
}

func subjectOf[T any](make func(pane.Source[T], pane.Deps) pane.Pane, d pane.Deps, good, broken, empty T, data ...string) subject {
	s := &source[T]{value: good}
	return subject{
		pane:   make(s.look, d),
		good:   func() { *s = source[T]{value: good} },
		broken: func() { *s = source[T]{value: broken} },
		fail:   func() { s.err = errLook },
		empty:  func() { *s = source[T]{value: empty} },
		data:   data,
	}
}

// clock is a time that a test can move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func subjects(c *clock, t *text.Texts) []subject {
	d := pane.Deps{Text: t, Now: c.now, Limit: time.Minute}
	findings := func(look pane.Source[[]health.Finding], d pane.Deps) pane.Pane { return pane.NewFindings(look, d) }
	return []subject{
		subjectOf(pane.NewBridge, d, example.Bridge(false), example.Bridge(true), pane.BridgeView{},
			"up", "10.87.1.1/24", "1500", "present", "iptables-nft", "fn-3fa81c00", "forgejo", "受付システム"),
		subjectOf(pane.NewLeases, d, example.Leases(), nil, nil,
			"10.87.1.2", "10.87.1.7", "10.87.1.200", "active", "stale", "quarantine", "reserved", "build-7f3a", "受付システム", "42 min"),
		subjectOf(pane.NewWindows, d, example.Windows(false), example.Windows(true), windows.Status{State: windows.Unknown},
			"via 172.29.112.5", "172.29.112.1", "nat", "metric 16"),
		subjectOf(pane.NewUpstreams, d, example.Upstreams(false), example.Upstreams(true), pane.UpstreamsView{},
			"forgejo.local", "受付.local", "10ms", "<1ms", "up", "bridge"),
		subjectOf(findings, d, example.Findings(true), nil, []health.Finding(nil),
			"FORWARD drops packets to the containers", "the lease of 10.87.1.7 is stale", "failing", "warning"),
	}
}

// refresh has the pane look and take the answer.
func refresh(t *testing.T, p pane.Pane) {
	t.Helper()
	cmd := p.Refresh(true)
	if cmd == nil {
		t.Fatal("the pane does not look")
	}
	p.Update(cmd())
}

// states are the ways a pane can be, in the order in which they can follow
// on one another.
func states(t *testing.T, c *clock, s subject) []struct {
	name  string
	enter func()
} {
	return []struct {
		name  string
		enter func()
	}{
		{"loading", func() {}},
		{"error", func() { s.fail(); refresh(t, s.pane) }},
		{"empty", func() { s.empty(); refresh(t, s.pane) }},
		{"broken", func() { s.broken(); refresh(t, s.pane) }},
		{"good", func() { s.good(); refresh(t, s.pane) }},
		{"stale", func() { s.fail(); c.at = c.at.Add(3 * time.Minute); refresh(t, s.pane) }},
	}
}

func look(t *testing.T, theme string, g widget.Glyphs, texts *text.Texts) *widget.Look {
	t.Helper()
	all, err := themes.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, th := range all {
		if th.ID == theme {
			return widget.NewLook(th, g, texts)
		}
	}
	t.Fatalf("no theme %q", theme)
	return nil
}

// TestGolden draws every pane in every state and size, and compares it with
// what was drawn, looked at and found good before.
func TestGolden(t *testing.T) {
	texts := text.English()
	c := &clock{example.Now()}
	l := look(t, "dark", widget.Unicode(), texts)
	for _, s := range subjects(c, texts) {
		t.Run(string(s.pane.ID()), func(t *testing.T) {
			c.at = example.Now()
			var drawn txtar.Archive
			for _, st := range states(t, c, s) {
				st.enter()
				for _, size := range sizes {
					s.pane.SetSize(size.width, size.height)
					view := s.pane.View(l, true)
					fits(t, view, size.width, size.height)
					drawn.Files = append(drawn.Files, txtar.File{
						Name: fmt.Sprintf("%s %dx%d", st.name, size.width, size.height), Data: []byte(golden.Shorten(ansi.Strip(view))),
					})
				}
			}
			golden.Compare(t, filepath.Join("testdata", string(s.pane.ID())+".txtar"), &drawn)
		})
	}
}

// fits is an oracle that does not come from the renderer: exactly so many
// lines, each exactly so wide.
func fits(t *testing.T, view string, width, height int) {
	t.Helper()
	lines := strings.Split(view, "\n")
	if len(lines) != height {
		t.Errorf("%d lines, want %d", len(lines), height)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w != width {
			t.Errorf("%q has %d cells, want %d", ansi.Strip(l), w, width)
		}
	}
}

// TestEveryDatumIsShown looks for title and data where there is room, and for
// the reason where nothing could be seen.
func TestEveryDatumIsShown(t *testing.T) {
	texts := text.English()
	for _, glyphs := range []widget.Glyphs{widget.Unicode(), widget.ASCII()} {
		c := &clock{example.Now()}
		for _, s := range subjects(c, texts) {
			l := look(t, "mono", glyphs, texts)
			s.pane.SetSize(120, 30)
			s.fail()
			refresh(t, s.pane)
			sees(t, s.pane.View(l, false), s.pane.Title(), "permission denied", texts.State.NotSeen)
			s.good()
			refresh(t, s.pane)
			sees(t, s.pane.View(l, false), append(s.data, s.pane.Title())...)
			s.fail()
			refresh(t, s.pane)
			sees(t, s.pane.View(l, false), append(s.data, "permission denied", texts.State.StaleNow)...)
			if sev, _ := s.pane.State(); sev == health.OK {
				t.Errorf("%s: stale data is shown as good", s.pane.ID())
			}
		}
	}
}

func sees(t *testing.T, view string, wants ...string) {
	t.Helper()
	plain := ansi.Strip(view)
	for _, w := range wants {
		if !strings.Contains(plain, w) {
			t.Errorf("%q is not on the screen:\n%s", w, plain)
		}
	}
}

// TestASCII: without UTF-8 nothing but ASCII comes from the console itself.
func TestASCII(t *testing.T) {
	texts := text.English()
	c := &clock{example.Now()}
	l := look(t, "mono", widget.ASCII(), texts)
	for _, s := range subjects(c, texts) {
		s.empty()
		refresh(t, s.pane)
		s.pane.SetSize(100, 20)
		for _, r := range ansi.Strip(s.pane.View(l, true)) {
			if r > 0x7e {
				t.Errorf("%s: %q is drawn on a terminal without UTF-8", s.pane.ID(), r)
				break
			}
		}
	}
}

// TestHostileNames: what comes from outside cannot move the cursor or break a
// column.
func TestHostileNames(t *testing.T) {
	names := []string{
		"\x1b[2J\x1b[H", "\x1b]0;owned\a", "a\r\nb\x00\x08", "\u202e\u2066evil", strings.Repeat("長い", 5000),
		strings.Repeat("a", 10_000), "👨\u200d👩\u200d👧\u200d👦🏽", "z\u0301\u0301\u0301\u0301\u0301", "\u009b31m", "\ufeff\u200b",
	}
	texts := text.English()
	l := look(t, "dark", widget.Unicode(), texts)
	d := pane.Deps{Text: texts, Now: example.Now, Limit: time.Minute}
	for _, name := range names {
		all := example.Leases()
		all[0].Name, all[0].ContainerID, all[0].Reason = name, name, say.Data(name)
		b := example.Bridge(false)
		b.Bridge.Ports[0].Alias, b.Bridge.Ports[0].Name, b.Bridge.Kind = name, name, name
		w := example.Windows(true)
		w.Reason, w.Verdict.Text = say.Data(name), say.Data(name)
		u := example.Upstreams(true)
		u.Probes[0].Host, u.Probes[0].Name, u.Probes[0].Target, u.Gateway.Value.Drift = name, name, name, []say.Text{say.Data(name)}
		u.Gateway.Value.SetAside[0].Host, u.Gateway.Value.SetAside[0].Reason = name, say.Data(name)
		f := example.Findings(true)
		f[0].Title, f[0].Target, f[0].Detail = say.Data(name), name, say.Data(name)
		for _, s := range []subject{
			subjectOf(pane.NewLeases, d, all, nil, nil), subjectOf(pane.NewBridge, d, b, b, b),
			subjectOf(pane.NewWindows, d, w, w, w), subjectOf(pane.NewUpstreams, d, u, u, u),
			subjectOf(func(l pane.Source[[]health.Finding], d pane.Deps) pane.Pane { return pane.NewFindings(l, d) }, d, f, f, f),
		} {
			s.good()
			refresh(t, s.pane)
			for _, size := range sizes {
				s.pane.SetSize(size.width, size.height)
				view := s.pane.View(l, true)
				fits(t, view, size.width, size.height)
				onlyColours(t, view)
			}
			onlyColours(t, s.pane.Detail().Title)
		}
	}
}

// onlyColours: the only escape sequences are SGR.
func onlyColours(t *testing.T, view string) {
	t.Helper()
	p := ansi.NewParser()
	var state byte
	for rest := view; rest != ""; {
		seq, _, n, next := ansi.DecodeSequence(rest, state, p)
		if strings.HasPrefix(seq, "\x1b") && !strings.HasSuffix(seq, "m") {
			t.Fatalf("escape sequence %q is drawn", seq)
		}
		if len(seq) == 1 && seq[0] < 0x20 && seq[0] != '\n' {
			t.Fatalf("control character %q is drawn", seq)
		}
		state, rest = next, rest[n:]
	}
}

func TestLeasesState(t *testing.T) {
	s := subjectOf(pane.NewLeases, pane.Deps{Text: text.English(), Now: example.Now, Limit: time.Minute}, []leases.Status{{State: leases.Unknown}}, nil, nil)
	refresh(t, s.pane)
	if sev, words := s.pane.State(); sev != health.Unknown || !strings.Contains(words, "1 unknown") {
		t.Errorf("unknown leases are %s, %q", sev, words)
	}
}

// TestFeed: one look at a time, late and foreign answers dropped, Windows
// asked seldom.
func TestFeed(t *testing.T) {
	c := &clock{example.Now()}
	d := pane.Deps{Text: text.English(), Now: c.now, Limit: time.Minute}
	n := 0
	p := pane.NewLeases(func(context.Context) ([]leases.Status, error) {
		n++
		return example.ManyLeases(n), nil
	}, d)
	first := p.Refresh(false)
	if p.Refresh(false) != nil || p.Refresh(true) != nil {
		t.Fatal("two looks at a time")
	}
	answer := first()
	again := p.Update(answer)
	if again == nil {
		t.Fatal("what was insisted on is not looked at again")
	}
	if p.Update(answer) != nil {
		t.Error("an answer is taken twice")
	}
	if _, words := p.State(); words != "1 active" {
		t.Errorf("after the first answer: %q", words)
	}
	p.Update(again())
	if _, words := p.State(); words != "2 active" || p.Busy() {
		t.Errorf("after the second answer: %q, busy %v", words, p.Busy())
	}
	w := pane.NewWindows((&source[windows.Status]{value: example.Windows(false)}).look, d)
	w.Update(w.Refresh(false)())
	if w.Refresh(false) != nil {
		t.Error("Windows is asked again at once")
	}
	c.at = c.at.Add(time.Minute)
	if w.Refresh(false) == nil {
		t.Error("Windows is never asked again")
	}
}
