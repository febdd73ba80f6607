package pane

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/say"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// UpstreamsID is the upstreams pane's.
const UpstreamsID ID = "upstreams"

// Upstreams is the pane of the gateway's sites and everything that is probed.
type Upstreams struct{ *list[UpstreamsView] }

// NewUpstreams makes the pane of the gateway's sites and everything that is
// probed.
func NewUpstreams(look Source[UpstreamsView], d Deps) Pane {
	t := siteTexts{&d.Text.Sites, d.Text}
	columns := []widget.Column{
		{Title: t.State, Min: 8},
		{Title: t.Name, Min: 10, Enough: 20},
		{Title: t.Latency, Right: true, Min: 7, Restless: true},
		{Title: t.History, Drop: 1, Min: 8, Restless: true},
		{Title: t.Loss, Right: true, Drop: 3, Min: 4, Restless: true},
		{Title: t.Kind, Drop: 4, Min: 4},
		{Title: t.Target, Drop: 2, Min: 12},
		{Title: t.Since, Right: true, Drop: 5, Min: 5, Restless: true},
	}
	return Upstreams{newList(kind[UpstreamsView]{
		id: UpstreamsID, title: d.Text.Panes.Upstreams, columns: columns, empty: t.None, look: look,
		rows: t.rows, judge: t.judge, note: t.note, detail: t.detail,
	}, d)}
}

// Site gives the host name of the site under the cursor, "" if what is there
// is no site.
func (p Upstreams) Site() string {
	for _, l := range lines(p.feed.value.value) {
		if l.key == p.Selected() {
			return l.host
		}
	}
	return ""
}

// Target gives the probe's name under the cursor, "" if there is none.
func (p Upstreams) Target() string {
	for _, l := range lines(p.feed.value.value) {
		if l.key == p.Selected() && l.probe != nil {
			return l.probe.Name
		}
	}
	return ""
}

// line is a row before it is worded: a probe, a site without one, or a site
// that was set aside.
type line struct {
	key, host string
	probe     *Upstream
	site      *gateway.SiteStatus
	aside     *gateway.SetAside
}

// lines brings sites and probes together: each probe a line, sites that nothing
// probes among them by name, then those that were set aside.
func lines(v UpstreamsView) []line {
	var out []line
	sites := map[string]*gateway.SiteStatus{}
	for i := range v.Gateway.Value.Sites {
		sites[v.Gateway.Value.Sites[i].Host] = &v.Gateway.Value.Sites[i]
	}
	probed := map[string]bool{}
	for i := range v.Probes {
		p := &v.Probes[i]
		probed[p.Host] = true
		out = append(out, line{
			key: strings.Join([]string{"probe", p.Host, p.Name, p.Kind, p.Target}, " "), host: p.Host, probe: p, site: sites[p.Host],
		})
	}
	for i := range v.Gateway.Value.Sites {
		if s := &v.Gateway.Value.Sites[i]; !probed[s.Host] {
			out = slices.Insert(out, placeOf(out, s.Host), line{key: "site " + s.Host + s.Path, host: s.Host, site: s})
		}
	}
	for i := range v.Gateway.Value.SetAside {
		a := &v.Gateway.Value.SetAside[i]
		out = append(out, line{key: fmt.Sprintf("aside %d %s", i, a.Host), host: a.Host, aside: a})
	}
	return out
}

// placeOf is where a site that nothing probes belongs: it stays where it was
// while it was probed.
func placeOf(all []line, host string) int {
	if i := slices.IndexFunc(all, func(l line) bool { return l.host > host }); i >= 0 {
		return i
	}
	return len(all)
}

type siteTexts struct {
	*text.Sites
	all *text.Texts
}

func (t siteTexts) rows(v UpstreamsView, now time.Time) []widget.Row {
	rows := make([]widget.Row, 0, len(v.Probes))
	for _, l := range lines(v) {
		switch {
		case l.probe != nil:
			rows = append(rows, t.probeRow(l, now))
		case l.aside != nil:
			rows = append(rows, t.siteRow(l, health.Warn, t.SetAside, l.aside.Host, t.all.Say(l.aside.Reason), ""))
		default:
			rows = append(rows, t.unprobedRow(l, now))
		}
	}
	return rows
}

func (t siteTexts) probeRow(l line, now time.Time) widget.Row {
	p := l.probe
	severity, word := p.State, t.probeWord(p.State)
	if l.site != nil && l.site.Maintenance {
		severity, word = health.Warn, t.Maintenance
	}
	name := p.Host
	if name == "" {
		name = p.Name
	}
	latency := widget.Cell{Sort: fmt.Sprintf("%020d", 0)}
	if p.LatencyMS != nil {
		d := milliseconds(*p.LatencyMS)
		latency = widget.Cell{Text: text.Latency(d), Sort: fmt.Sprintf("%020d", d)}
	} else if p.Cause != "" {
		latency = widget.Cell{Text: text.Line(p.Cause), Tone: widget.ToneOf(p.State), Sort: fmt.Sprintf("%020d", time.Hour)}
	}
	return widget.Row{Key: l.key, Near: l.host, Cells: []widget.Cell{
		{Text: word, Tone: widget.ToneOf(severity), Sign: true},
		{Text: text.Line(name)},
		latency,
		{Spark: spark(p.Spark), Tone: widget.Muted},
		loss(p.Loss),
		{Text: text.Line(p.Kind), Tone: widget.Muted},
		{Text: text.Line(p.Target), Tone: widget.Muted},
		{Text: t.since(p.Since, now), Tone: widget.Muted, Sort: stamp(p.Since)},
	}}
}

func (t siteTexts) unprobedRow(l line, now time.Time) widget.Row {
	s := l.site
	word := t.all.State.Unknown
	switch {
	case s.Maintenance:
		word = t.Maintenance
	case s.State == gateway.OK:
		word = t.all.State.OK
	case s.State == gateway.Fail:
		word = t.Down
	case s.State == gateway.Warn:
		word = t.all.State.Warn
	}
	target := s.Upstream
	if s.Reason != "" {
		target = t.all.Say(s.Reason)
	}
	return t.siteRow(l, health.Severity(s.State), word, s.Host+s.Path, target, t.since(s.DownSince, now))
}

func (t siteTexts) siteRow(l line, s health.Severity, word, host, target, since string) widget.Row {
	return widget.Row{Key: l.key, Near: l.host, Cells: []widget.Cell{
		{Text: word, Tone: widget.ToneOf(s), Sign: true},
		{Text: text.Line(host)},
		{},
		{},
		{},
		{Text: t.Gateway, Tone: widget.Muted},
		{Text: text.Line(target), Tone: widget.Muted},
		{Text: since, Tone: widget.Muted},
	}}
}

func (t siteTexts) probeWord(s health.Severity) string {
	switch s {
	case health.OK:
		return t.Up
	case health.Fail:
		return t.Down
	case health.Warn:
		return t.all.State.Warn
	case health.Unknown:
	}
	return t.Unknown
}

func (t siteTexts) since(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	return t.all.Age(now.Sub(at))
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// sparkCells is how many of the newest latencies are drawn.
const sparkCells = 12

func spark(values []float64) []float64 {
	return values[max(0, len(values)-sparkCells):]
}

func loss(part *float64) widget.Cell {
	if part == nil {
		return widget.Cell{}
	}
	c := widget.Cell{Text: fmt.Sprintf("%.0f%%", *part*100), Sort: fmt.Sprintf("%08.4f", *part), Tone: widget.Muted}
	if *part > 0 {
		c.Tone = widget.Warn
	}
	return c
}

func (t siteTexts) judge(v UpstreamsView) judgement {
	up, down, unknown := 0, 0, 0
	for _, p := range v.Probes {
		switch p.State {
		case health.OK:
			up++
		case health.Fail:
			down++
		case health.Warn, health.Unknown:
			unknown++
		}
	}
	j := judgement{severity: health.OK, words: fmt.Sprintf(t.Sum, up)}
	if unknown > 0 {
		j.severity = health.Unknown
		j.words += fmt.Sprintf(", %d %s", unknown, t.Unknown)
	}
	if down > 0 {
		j.severity = health.Fail
		j.words += t.all.State.And + fmt.Sprintf(t.SumDown, down)
	}
	if n := len(v.Gateway.Value.SetAside); n > 0 {
		j.severity = health.Worst(j.severity, health.Warn)
		j.words += fmt.Sprintf(", %d %s", n, t.SetAside)
	}
	if v.Gateway.Known() {
		j.severity = health.Worst(j.severity, health.Severity(v.Gateway.Value.State))
	} else if v.Gateway.Err != "" {
		j.severity = health.Worst(j.severity, health.Unknown)
	}
	return j
}

// note is what is to be said of the gateway itself.
func (t siteTexts) note(v UpstreamsView) []string {
	if v.Gateway.Err != "" {
		return []string{t.Gateway + ": " + t.all.Say(v.Gateway.Err)}
	}
	g := v.Gateway.Value
	if !v.Gateway.Known() || g.State == gateway.OK {
		return nil
	}
	var out []string
	for _, s := range append([]say.Text{g.Reason, g.Held, g.Unknown}, g.Drift...) {
		if line := t.Gateway + ": " + t.all.Say(s); s != "" && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

func (t siteTexts) detail(v UpstreamsView, key string) Detail {
	for _, l := range lines(v) {
		if l.key != key {
			continue
		}
		switch {
		case l.probe != nil:
			return t.probeDetail(l)
		case l.aside != nil:
			return Detail{Title: text.Line(l.aside.Host), Fields: []Field{
				{Name: t.State, Text: t.SetAside, Tone: widget.Warn},
				{Name: t.Detail, Text: t.all.SayAll(l.aside.Reason)},
				{Name: t.Host, Text: t.all.Say(l.aside.Source)},
			}}
		default:
			return Detail{Title: text.Line(l.host), Fields: t.siteFields(l.site)}
		}
	}
	return Detail{}
}

func (t siteTexts) probeDetail(l line) Detail {
	p := l.probe
	d := Detail{Title: text.Line(p.Name), Fields: []Field{{Name: t.State, Text: t.probeWord(p.State), Tone: widget.ToneOf(p.State)}}}
	for _, f := range [][2]string{
		{t.Detail, t.all.SayAll(p.Detail)},
		{t.Cause, p.Cause},
		{t.Kind, p.Kind},
		{t.Target, p.Target},
		{t.Role, t.role(p.Role)},
		{t.Since, stamp(p.Since)},
		{t.Latency, latencyText(p.LatencyMS)},
		{t.Median, latencyText(p.P50MS)},
		{t.Slowest, latencyText(p.P99MS)},
		{t.Loss, loss(p.Loss).Text},
	} {
		d.Fields = append(d.Fields, field(f[0], text.Block(f[1]))...)
	}
	if p.Status != 0 {
		d.Fields = append(d.Fields, Field{Name: t.Status, Text: fmt.Sprint(p.Status)})
	}
	if l.site != nil {
		d.Fields = append(d.Fields, t.siteFields(l.site)...)
	}
	return d
}

func (t siteTexts) siteFields(s *gateway.SiteStatus) []Field {
	fields := []Field{{Name: t.Host, Text: text.Line(s.Host+s.Path) + " (" + t.all.Say(s.Source) + ")"}}
	fields = append(fields, field(t.Detail, t.all.SayAll(s.Reason))...)
	for _, u := range s.Upstreams {
		words := []string{u.Container, t.all.Say(u.Reason)}
		if u.Address.IsValid() {
			words = append([]string{u.Address.String()}, words...)
		}
		fields = append(fields, Field{
			Name: t.Roles.Upstream, Text: text.Line(strings.TrimSpace(strings.Join(words, " "))),
			Tone: widget.ToneOf(health.Severity(u.State)),
		})
	}
	return fields
}

func latencyText(ms *float64) string {
	if ms == nil {
		return ""
	}
	return text.Exact(milliseconds(*ms))
}

func (t siteTexts) role(r health.Role) string {
	switch r {
	case health.RoleUpstream:
		return t.Roles.Upstream
	case health.RoleBridge:
		return t.Roles.Bridge
	case health.RoleWindows:
		return t.Roles.Windows
	case health.RoleGateway:
		return t.Roles.Gateway
	case health.RoleTarget:
		return t.Roles.Target
	}
	return ""
}
