package pane

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"flatnet/core/health"
	"flatnet/core/windows"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// WindowsID is the route pane's.
const WindowsID ID = "windows"

// NewWindows makes the pane of Windows' route to the network.
func NewWindows(look Source[windows.Status], d Deps) Pane {
	w := windowsFacts{&d.Text.Windows, d}
	return newList(kind[windows.Status]{
		id: WindowsID, title: d.Text.Panes.Windows, columns: factColumns(), empty: d.Text.Windows.NotHere,
		look: partial(look), every: windowsEvery,
		rows:   func(s windows.Status, now time.Time) []widget.Row { return factRows(w.all(s, now)) },
		judge:  w.judge,
		note:   w.note,
		detail: func(s windows.Status, key string) Detail { return factDetail(w.all(s, s.ReadAt), key) },
	}, d)
}

// windowsEvery is how often Windows is asked while nobody insists: each time
// starts a Windows program, and routes seldom change.
const windowsEvery = 10 * time.Second

// partial keeps what is known where Windows itself did not answer: its
// addresses and the table of an earlier look are still worth showing, as
// unknown.
func partial(look Source[windows.Status]) Source[windows.Status] {
	if look == nil {
		return nil
	}
	return func(ctx context.Context) (windows.Status, error) {
		s, err := look(ctx)
		if err != nil && s.Enabled && s.State == windows.Unknown && s.Reason != "" {
			return s, nil
		}
		return s, err
	}
}

// windowsFacts turns what was seen into lines.
type windowsFacts struct {
	t *text.Windows
	d Deps
}

func (w windowsFacts) all(s windows.Status, now time.Time) []fact {
	if !s.Enabled {
		return []fact{{key: "windows", label: w.t.Windows, value: w.t.NotHere}}
	}
	facts := []fact{w.route(s)}
	if e := s.Verdict.Effective; e != nil && s.Verdict.Kind != windows.Good && (s.Route == nil || e.Gateway != s.Route.Gateway) {
		facts = append(facts, fact{key: "wins", label: w.t.Wins, value: w.via(e.Destination.String(), addr(e.Gateway))})
	}
	facts = append(facts, w.plain("wsl", w.t.WSL, addr(s.WSLAddress)), w.plain("mode", w.t.Mode, string(s.Mode)))
	if s.Facing.IsValid() {
		facts = append(facts, w.plain("facing", w.t.Facing, s.Facing.String()))
	}
	if !s.ReadAt.IsZero() && now.Sub(s.ReadAt) >= time.Minute {
		facts = append(facts, fact{key: "read", label: w.t.ReadAt, severity: health.Unknown, value: w.d.Text.SeenAgo(now.Sub(s.ReadAt))})
	}
	if s.Trouble != nil {
		facts = append(facts, fact{
			key: "trouble", label: w.t.Windows, severity: health.Unknown, value: w.d.Text.Say(s.Trouble.Title),
			fields: slices.Concat(field("", w.d.Text.SayAll(s.Trouble.Detail)), field(w.t.Remedy, w.d.Text.SayAll(s.Trouble.Remedy))),
		})
	}
	for _, r := range s.Reach {
		facts = append(facts, fact{
			key: "reach " + r.Kind + r.Target, label: text.Line(r.Name), severity: health.Severity(r.State),
			value: w.d.Text.Say(r.Detail), note: text.Line(r.Target),
		})
	}
	return facts
}

func (w windowsFacts) route(s windows.Status) fact {
	f := fact{
		key: "route", label: w.t.Route, severity: health.Severity(s.State), value: w.t.Missing,
		fields: slices.Concat(field(w.t.Verdict, w.d.Text.SayAll(s.Verdict.Text)), field(w.t.Remedy, w.d.Text.SayAll(s.Verdict.Remedy))),
	}
	r := s.Route
	switch {
	case r == nil && s.Verdict.Kind == windows.Good && s.Verdict.Effective != nil:
		f.value = w.via(s.Verdict.Effective.Destination.String(), addr(s.Verdict.Effective.Gateway))
	case r == nil && s.State == windows.Unknown:
		f.value = w.t.Unknown
	case r != nil:
		f.value = w.via("", addr(r.Gateway))
		lasts := w.t.Temporary
		if r.Persistent {
			lasts = w.t.Persistent
		}
		f.note = lasts + w.d.Text.State.And + fmt.Sprintf(w.t.Metric, r.Metric)
	}
	return f
}

func (w windowsFacts) via(destination, gateway string) string {
	how := w.t.Direct
	if gateway != "" {
		how = fmt.Sprintf(w.t.Via, gateway)
	}
	return strings.TrimSpace(destination + " " + how)
}

func (w windowsFacts) plain(key, label, value string) fact {
	if value == "" {
		return fact{key: key, label: label, severity: health.Unknown, value: w.t.Unknown}
	}
	return fact{key: key, label: label, value: text.Line(value)}
}

// addr writes an address, "" for none.
func addr(a interface {
	IsValid() bool
	String() string
},
) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func (w windowsFacts) judge(s windows.Status) judgement {
	if !s.Enabled {
		return judgement{severity: health.Unknown, words: w.t.NotHere}
	}
	return judgement{severity: health.Severity(s.State), words: w.kind(s.Verdict.Kind)}
}

// kind is a verdict in two words; "" leaves it to the state's own word.
func (w windowsFacts) kind(k windows.Kind) string {
	switch k {
	case windows.Good:
		return w.t.Present
	case windows.Missing:
		return w.t.Missing
	case windows.OldAddress:
		return w.t.OldAddress
	case windows.OtherGateway:
		return w.t.OtherGateway
	case windows.Shadowed:
		return w.t.Shadowed
	case windows.Duplicate:
		return w.t.Duplicate
	case windows.PersistentDisagrees:
		return w.t.PersistentDisagrees
	case windows.Mirrored:
		return w.t.Mirrored
	case windows.Undecided:
	}
	return ""
}

// note is the sentence that says what is wrong and what to do.
func (w windowsFacts) note(s windows.Status) []string {
	if !s.Enabled || s.State == windows.OK {
		return nil
	}
	said := s.Reason
	if said == "" {
		said = s.Verdict.Text
	}
	remedy := s.Verdict.Remedy
	if s.Trouble != nil {
		remedy = s.Trouble.Remedy
	}
	return slices.DeleteFunc([]string{w.d.Text.Say(said), w.d.Text.Say(remedy)}, func(l string) bool { return strings.TrimSpace(l) == "" })
}
