package pane

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"flatnet/core/health"
	"flatnet/core/leases"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// LeasesID is the leases pane's.
const LeasesID ID = "leases"

// Leases is the pane of the addresses that are held.
type Leases struct{ *list[[]leases.Status] }

// NewLeases makes the pane of the addresses that are held.
func NewLeases(look Source[[]leases.Status], d Deps) Pane {
	t := leaseTexts{&d.Text.Leases, d.Text}
	columns := []widget.Column{
		{Title: t.Address, Min: 10},
		{Title: t.State, Min: 8},
		{Title: t.Name, Min: 8, Enough: 20},
		{Title: t.Age, Right: true, Drop: 1, Min: 5, Restless: true},
		{Title: t.Container, Drop: 3, Min: 12},
		{Title: t.Interface, Drop: 2, Min: 4},
	}
	return Leases{newList(kind[[]leases.Status]{
		id: LeasesID, title: d.Text.Panes.Leases, columns: columns, empty: t.None, look: look,
		rows: t.rows, judge: t.judge, detail: t.detail,
	}, d)}
}

// Stale gives how many of the leases seen last are stale.
func (p Leases) Stale() int {
	return p.feed.value.judged.due
}

// HasMarks tells whether a row is marked.
func (p Leases) HasMarks() bool { return p.table.Marked() > 0 }

// MarkedAddresses gives the addresses of the marked rows.
func (p Leases) MarkedAddresses() []netip.Addr {
	var ips []netip.Addr
	for _, key := range p.Marked() {
		if ip, err := netip.ParseAddr(key); err == nil {
			ips = append(ips, ip)
		}
	}
	return ips
}

func count(all []leases.Status, s leases.State) int {
	n := 0
	for _, l := range all {
		if l.State == s {
			n++
		}
	}
	return n
}

type leaseTexts struct {
	*text.Leases
	all *text.Texts
}

// leaseOrder puts what needs a decision first.
var leaseOrder = []leases.State{leases.Stale, leases.Unknown, leases.Active, leases.Quarantined, leases.Reserved}

func rank(s leases.State) int { return slices.Index(leaseOrder, s) }

func (t leaseTexts) rows(all []leases.Status, now time.Time) []widget.Row {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b leases.Status) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), a.IP.Compare(b.IP))
	})
	rows := make([]widget.Row, 0, len(sorted))
	for _, l := range sorted {
		word, tone := t.state(l.State)
		name := widget.Cell{Text: text.Line(l.Name)}
		if l.Name == "" {
			name = widget.Cell{Text: t.NoName, Tone: widget.Muted}
		}
		rows = append(rows, widget.Row{Key: l.IP.String(), Cells: []widget.Cell{
			{Text: l.IP.String(), Sort: addressOrder(l.IP)},
			{Text: word, Tone: tone, Sign: true, Sort: string(rune('0' + rank(l.State)))},
			name,
			{Text: t.age(l, now), Tone: widget.Muted, Sort: l.AllocatedAt.UTC().Format(time.RFC3339Nano)},
			{Text: shortID(text.Line(l.ContainerID)), Tone: widget.Muted},
			{Text: text.Line(l.IfName), Tone: widget.Muted},
		}})
	}
	return rows
}

// shortID is the form in which Podman lists containers.
func shortID(id string) string {
	if len(id) <= 12 || text.Width(id) != len(id) {
		return text.Cut(id, 12)
	}
	return id[:12]
}

func addressOrder(ip netip.Addr) string { b := ip.As16(); return string(b[:]) }

func (t leaseTexts) age(l leases.Status, now time.Time) string {
	if l.AllocatedAt.IsZero() {
		return ""
	}
	return t.all.Age(now.Sub(l.AllocatedAt))
}

func (t leaseTexts) state(s leases.State) (string, widget.Tone) {
	switch s {
	case leases.Active:
		return t.Active, widget.OK
	case leases.Stale:
		return t.Leases.Stale, widget.Warn
	case leases.Reserved:
		return t.Reserved, widget.Muted
	case leases.Quarantined:
		return t.Quarantined, widget.Muted
	case leases.Unknown:
	}
	return t.all.State.Unknown, widget.Unknown
}

func (t leaseTexts) judge(all []leases.Status) judgement {
	active, stale, unknown := count(all, leases.Active), count(all, leases.Stale), count(all, leases.Unknown)
	j := judgement{severity: health.OK, words: fmt.Sprintf(t.Sum, active), due: stale}
	if unknown > 0 {
		j.severity = health.Unknown
		j.words += fmt.Sprintf(", %d %s", unknown, t.all.State.Unknown)
	}
	if stale > 0 {
		j.severity = health.Worst(j.severity, health.Warn)
		j.words += t.all.State.And + fmt.Sprintf(t.SumStale, stale)
	}
	return j
}

func (t leaseTexts) detail(all []leases.Status, key string) Detail {
	i := slices.IndexFunc(all, func(l leases.Status) bool { return l.IP.String() == key })
	if i < 0 {
		return Detail{}
	}
	l := all[i]
	word, tone := t.state(l.State)
	d := Detail{Title: key, Fields: []Field{{Name: t.State, Text: word, Tone: tone}}}
	for _, f := range [][2]string{
		{t.Reason, t.all.Say(l.Reason)},
		{t.Name, l.Name},
		{t.Container, l.ContainerID},
		{t.Interface, l.IfName},
		{t.Veth, l.HostVeth},
		{t.MAC, l.MAC},
		{t.Namespace, l.NetNS},
		{t.Boot, l.BootID},
		{t.Since, stamp(l.AllocatedAt)},
		{t.Until, stamp(l.Until)},
	} {
		d.Fields = append(d.Fields, field(f[0], text.Line(f[1]))...)
	}
	return d
}

// stamp writes a time in full, in local time; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
