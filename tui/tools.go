package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/health"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// probeNow asks the upstreams again at once. One that is silent takes its time:
// whatever is asked for meanwhile goes before it.
func (m *Model) probeNow() tea.Cmd {
	name, ask := m.t.Screen.Probing, m.o.Tools.AskAgain
	j, ctx := m.begin(name, "p", name)
	j.yields = true
	told := m.toldParts(j, name)
	return j.look(ctx, func(ctx context.Context) toldMsg {
		total := 0
		err := ask(ctx, func(done, all int) { total = all; told(done, all) })
		return toldMsg{err: err, tone: widget.OK, said: fmt.Sprintf(m.t.Screen.Probed, total)}
	})
}

// probedMsg says that the upstreams are being asked: it is time to look.
type probedMsg struct{}

func (m *Model) probeAgain() tea.Cmd {
	probe := m.o.Tools.ProbeNow
	if probe == nil {
		return nil
	}
	return func() tea.Msg {
		probe()
		return probedMsg{}
	}
}

func (m *Model) needPath() string {
	if m.o.Tools.Path == nil {
		return m.t.Why.NotHere
	}
	if m.busy() {
		return m.t.Why.Busy
	}
	return need(m.site() != "", m.t.Why.NoPath)()
}

// followPath follows the way to the site under the cursor and shows each hop.
func (m *Model) followPath() tea.Cmd {
	host, path := m.site(), m.o.Tools.Path
	name := fmt.Sprintf(m.t.Screen.Following, text.Line(host))
	j, ctx := m.begin(name, "o", name)
	told := m.toldParts(j, name)
	return j.look(ctx, func(ctx context.Context) toldMsg {
		hops, err := path(ctx, host, told)
		return toldMsg{
			err: err, tone: widget.ToneOf(pathState(hops)), said: pathVerdict(m.t, hops),
			show: func(m *Model) { m.dialog = m.pathPager(host, hops) },
		}
	})
}

// toldParts says of a long look how many of its parts are seen.
func (m *Model) toldParts(j *job, name string) Progress {
	t := m.t
	return func(done, total int) { j.tell(fmt.Sprintf(t.Screen.Parts, name, done, total)) }
}

// pathState is that of the worst hop that is known.
func pathState(hops []PathHop) health.Severity {
	worst := health.OK
	for _, h := range hops {
		if h.State != health.Unknown {
			worst = health.Worst(worst, h.State)
		}
	}
	return worst
}

func pathVerdict(t *text.Texts, hops []PathHop) string {
	for _, h := range hops {
		if h.State == health.Fail {
			return fmt.Sprintf(t.Screen.Broken, t.Say(h.Name))
		}
	}
	return t.Screen.Whole
}

func (m *Model) pathPager(host string, hops []PathHop) dialog {
	lines := func(l *widget.Look, width int) []string {
		out := []string{l.Paint(widget.Title, pathVerdict(m.t, hops)), ""}
		for _, h := range hops {
			out = append(out, l.Status(h.State, m.t.Say(h.Name)))
			out = append(out, l.Indented("  ", widget.Muted, m.t.SayAll(h.Detail), width)...)
			if h.Remedy != "" {
				out = append(out, l.Indented("  "+l.Glyphs.Arrow+" ", widget.Plain, m.t.SayAll(h.Remedy), width)...)
			}
		}
		return out
	}
	title := fmt.Sprintf(m.t.Screen.PathTitle, text.Line(host))
	return m.pager(title, lines, plainPath(title, m.t, hops))
}

// plainPath is the path as text, to be copied.
func plainPath(title string, t *text.Texts, hops []PathHop) string {
	lines := []string{title, pathVerdict(t, hops)}
	for _, h := range hops {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", t.Say(h.Name), widget.Word(h.State, t), t.SayAll(h.Detail)))
		if h.Remedy != "" {
			lines = append(lines, "  "+t.SayAll(h.Remedy))
		}
	}
	return strings.Join(lines, "\n")
}

func (m *Model) needBundle() string {
	if m.o.Tools.Bundle == nil {
		return m.t.Why.NotHere
	}
	return m.idle()
}

// writeBundle writes an incident bundle.
func (m *Model) writeBundle() tea.Cmd {
	write := m.o.Tools.Bundle
	j, ctx := m.begin(m.t.Actions.Bundle, "b", m.t.Screen.Writing)
	told := m.toldParts(j, m.t.Screen.Writing)
	return j.look(ctx, func(ctx context.Context) toldMsg {
		path, err := write(ctx, told)
		return toldMsg{err: err, tone: widget.OK, said: fmt.Sprintf(m.t.Screen.BundleWritten, path)}
	})
}
