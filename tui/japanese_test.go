package tui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"
	"testing"

	tea "charm.land/bubbletea/v2"

	"flatnet/core"
	"flatnet/core/firewall"
	"flatnet/core/health"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/leases"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/core/windows"
	"flatnet/tui/pane"
)

// phrase is a run of ASCII words, as no Japanese screen has them but in
// commands and in what other programs say.
var phrase = regexp.MustCompile(`[A-Za-z][A-Za-z']*(?: [A-Za-z][A-Za-z']*)+`)

// betrays are words that are in English sentences and in no command.
const betrays = " an and are as at be by cannot for from has have if in is it its no not of on or out that the there this to was were which with "

// begins are words with which commands begin.
const begins = " sudo podman flatnet tui ip iptables systemctl nginx "

// englishIn gives the English phrases on a screen.
func englishIn(screen string) []string {
	var found []string
	for _, p := range phrase.FindAllString(screen, -1) {
		all := strings.Fields(p)
		says := len(all) >= 4 && !strings.Contains(begins, " "+all[0]+" ")
		for _, w := range all {
			says = says || strings.Contains(betrays, " "+strings.ToLower(w)+" ")
		}
		if says {
			found = append(found, p)
		}
	}
	return found
}

func TestTheOracleKnowsEnglish(t *testing.T) {
	for s, want := range map[string]int{
		"Press F in the console": 1, "│ not found │ it is missing │": 2, "lease release stale marked": 1,
		"ブリッジ flatnet-br0 があります: sudo podman network create -d flatnet web": 0, "-A FORWARD -j FLATNET-FORWARD": 0,
		"Windows ルート": 0, "The  Bridge": 0,
	} {
		if got := englishIn(s); len(got) != want {
			t.Errorf("%q holds %q", s, got)
		}
	}
}

// japanese is a console in Japanese over whatever changes it.
func japanese(t *testing.T, content string, change func(*Options)) *bench {
	t.Helper()
	b, _ := configBench(t, content, func(o *Options) {
		o.Config.TUI.Language = "ja"
		k, c := kernel.NewFake(), o.Config
		o.Plans.Firewall = func(ctx context.Context) (repair.Plan, error) { return repair.Firewall(ctx, k, firewall.WantOf(c)) }
		o.Plans.Bridge = func(ctx context.Context) (repair.Plan, error) { return repair.Bridge(ctx, k, c.Network) }
		o.Plans.ReleaseStale = func(context.Context) (repair.Plan, error) { return repair.Plan{}, errSeen }
		if change != nil {
			change(o)
		}
	})
	return b
}

// errSeen is a failure as core has them: an operation, a sentinel, the
// system's own word.
var errSeen error = &core.OpError{
	Op: "read the leases in", Target: "/var/lib/flatnet",
	Err:  say.Errorf("%w: %w", ipam.ErrUnreadable, &fs.PathError{Op: "open", Path: "/var/lib/flatnet", Err: syscall.ENOENT}),
	Hint: "run as root",
}

func blind(o *Options) {
	o.Sources = pane.Sources{
		Bridge:    always(pane.BridgeView{}, errSeen),
		Leases:    always([]leases.Status(nil), errSeen),
		Windows:   always(windows.Status{}, errors.Join(errSeen, context.DeadlineExceeded)),
		Upstreams: always(pane.UpstreamsView{}, fmt.Errorf("%w", kernel.ErrPermission)),
	}
	o.Findings = always([]health.Finding(nil), errSeen)
}

// saysNoEnglish looks at the screen in both sizes.
func (b *bench) saysNoEnglish(where string) {
	b.t.Helper()
	for _, s := range screens[:2] {
		b.send(tea.WindowSizeMsg{Width: s.width, Height: s.height})
		wellFormed(b.t, b.m.View().Content, s.width, s.height)
		if found := englishIn(b.screen()); len(found) > 0 {
			b.t.Errorf("%s, %dx%d: %q in\n%s", where, s.width, s.height, found, b.screen())
		}
	}
}

// TestJapaneseScreensHoldNoEnglish: every pane, its rows in detail, the help,
// the commands, the plans and what fails.
func TestJapaneseScreensHoldNoEnglish(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"broken": nil, "blind": blind,
		"good":      func(o *Options) { good := exampleOptions(false); o.Sources, o.Findings = good.Sources, good.Findings },
		"empty":     func(o *Options) { o.Sources = emptyOptions().Sources },
		"read-only": func(o *Options) { o.ReadOnly = true },
	} {
		b := japanese(t, "", change)
		b.saysNoEnglish(name)
		for _, number := range []string{"1", "2", "3", "4", "5"} {
			b.keys(number, "z")
			b.saysNoEnglish(name + ", pane " + number)
			for range 12 {
				b.keys("enter")
				if b.m.dialog == nil && (name == "broken" || name == "good" && number != "5") {
					t.Fatalf("%s: pane %s has no detail", name, number)
				}
				b.saysNoEnglish(name + ", a row of pane " + number)
				b.keys("esc", number, "down")
			}
			b.keys("z")
		}
		for _, keys := range [][]string{{"?"}, {"?", "pgdown"}, {":"}, {"B"}, {"F"}, {"R"}, {"W"}, {"G"}, {"M"}, {"u"}, {"m"}, {"p"}, {"P"}, {"a"}, {"/", "x"}, {"t"}, {"x"}} {
			b.keys(keys...)
			b.saysNoEnglish(name + ", keys " + strings.Join(keys, " "))
			b.keys("esc", "esc", "esc")
		}
	}
}

// TestJapaneseEditorHoldsNoEnglish: what each key means, which values are
// right, and what is wrong with a value and with a text.
func TestJapaneseEditorHoldsNoEnglish(t *testing.T) {
	b := japanese(t, "[[gateway.site]]\nhost = \"a.local\"\ncontainer = \"a\"\n[[probes.target]]\nname = \"db\"\nkind = \"tcp\"\ntarget = \"10.87.1.9:1\"\n", nil)
	b.keys("e")
	form := b.m.dialog.(*editor).form
	for range form.settings {
		b.saysNoEnglish(form.table.Key())
		b.keys("enter")
		b.saysNoEnglish(form.table.Key() + " while it is typed")
		b.keys("/", ":", " ")
		b.saysNoEnglish(form.table.Key() + " with a wrong value")
		b.keys("esc", "down")
	}
	if form.table.Key() != form.settings[len(form.settings)-1].Name {
		t.Fatalf("the form ends at %s", form.table.Key())
	}
	for _, wrong := range []string{
		"x", "x =", "x = [", "x = [1", "x = { a", `x = "a`, "x = 1 2", "[x", "[]", "[a..b]", "= 1", ".a = 1", "x = 1\nx = 2", "x = 2026-99-99", "x = 01", "x = .5", "x = @",
		"[network]\nmtu = 1", "[network]\nmtuu = 1", "[networ]\n", "mtu = 1500", "network = 1", "[network]\nsubnet = \"10.87.1.1/24\"", "[network]\nrange_start = \"10.87.1.9\"\nrange_end = \"10.87.1.3\"",
		"[network]\ngateway = \"10.87.1.9\"\nrange_start = \"10.87.1.3\"", "[[gateway.site]]\nhost = \"a b\"", "[[gateway.site]]\nhost = \"a\"", "[[gateway.site]]\nhost = \"a\"\ncontainer = \"a\"\nredirect = \"http://x/\"",
		"[[ipam.reservation]]\nname = \"a\"\nip = \"10.9.9.9\"", "[[probes.target]]\nname = \"a\"\nkind = \"icmp\"\ntarget = \"a\"\nbody = \"x\"", "[log]\nlevel = \"loud\"\n",
	} {
		b := japanese(t, wrong+"\n", nil)
		b.keys("e", "ctrl+t")
		if b.m.dialog.(*editor).problem == nil {
			t.Errorf("%q is right", wrong)
		}
		b.saysNoEnglish("the text " + wrong)
	}
}

// TestJapaneseConfigurationIsSaved: the plan of a change, and a second writer.
func TestJapaneseConfigurationIsSaved(t *testing.T) {
	b := japanese(t, "[tui]\nlanguage = \"ja\"\n", nil)
	b.keys("e", "ctrl+t").typed("[log]\nkeep = 3\n").keys("ctrl+s")
	b.saysNoEnglish("the plan of a save")
	if !contains(b.screen(), "+keep = 3") {
		t.Errorf("no plan is shown:\n%s", b.screen())
	}
}
