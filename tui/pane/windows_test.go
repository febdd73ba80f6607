package pane_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"flatnet/core/windows"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// A wider route that leads to WSL is good, and nothing is missing then.
func TestAWiderRouteIsShownForTheRoute(t *testing.T) {
	s := example.Windows(false)
	s.Route = nil
	s.Verdict.Effective = &windows.Entry{Destination: netip.MustParsePrefix("10.87.0.0/16"), Gateway: s.WSLAddress}
	texts := text.English()
	p := pane.NewWindows((&source[windows.Status]{value: s}).look, pane.Deps{Text: texts, Now: example.Now, Limit: time.Minute})
	refresh(t, p)
	p.SetSize(100, 34)
	view := ansi.Strip(p.View(look(t, "dark", widget.Unicode(), texts), true))
	if strings.Contains(view, texts.Windows.Missing) || strings.Count(view, "10.87.0.0/16 via 172.29.112.5") != 1 {
		t.Errorf("%s", view)
	}
}
