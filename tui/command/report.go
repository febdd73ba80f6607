package command

import (
	"net/netip"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/kernel"
	"flatnet/core/leases"
	"flatnet/core/windows"
)

// schema is the version of the JSON documents (contracts.md).
const schema = 1

// statusReport is `status --json`.
type statusReport struct {
	Schema    int              `json:"schema"`
	Time      time.Time        `json:"time"`
	Bridge    bridgeReport     `json:"bridge"`
	Leases    []leaseReport    `json:"leases"`
	Windows   windowsReport    `json:"windows"`
	Gateway   gatewayReport    `json:"gateway"`
	Upstreams []upstreamReport `json:"upstreams"`
	Findings  []health.Finding `json:"findings"`

	leasesState health.Severity // of the pane; in the document each lease has its own
}

type bridgeReport struct {
	Name      string          `json:"name"`
	State     health.Severity `json:"state"`
	Addresses []string        `json:"addresses"`
	MTU       *int            `json:"mtu"`
	Ports     []bridge.Port   `json:"ports"`
	IPForward *bool           `json:"ip_forward"`
	Firewall  firewallReport  `json:"firewall"`
}

type firewallReport struct {
	Backend *kernel.Backend `json:"backend"`
	State   health.Severity `json:"state"`
}

type leaseReport struct {
	IP          netip.Addr   `json:"ip"`
	ContainerID string       `json:"container_id"`
	Name        string       `json:"name"`
	IfName      string       `json:"ifname"`
	State       leases.State `json:"state"`
	Reason      string       `json:"reason"`
	AllocatedAt *time.Time   `json:"allocated_at"`
}

type windowsReport struct {
	State      health.Severity `json:"state"`
	Mode       *windows.Mode   `json:"mode"`
	WSLAddress *netip.Addr     `json:"wsl_address"`
	Route      *routeReport    `json:"route"`
	Reason     string          `json:"reason,omitempty"`
}

type routeReport struct {
	Destination netip.Prefix `json:"destination"`
	Gateway     *netip.Addr  `json:"gateway"`
	Metric      int          `json:"metric"`
	Persistent  bool         `json:"persistent"`
}

type gatewayReport struct {
	State      health.Severity `json:"state"`
	Generation *int            `json:"generation"`
	Sites      []siteReport    `json:"sites"`
}

type siteReport struct {
	Host     string        `json:"host"`
	State    gateway.State `json:"state"`
	Upstream *string       `json:"upstream"`
	Reason   string        `json:"reason,omitempty"`
}

type upstreamReport struct {
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	Target    string          `json:"target"`
	State     health.Severity `json:"state"`
	LatencyMS *float64        `json:"latency_ms"`
	Loss      *float64        `json:"loss"`
	Since     *time.Time      `json:"since"`
}

// report writes facts and findings down as contracts.md has them. A state is
// the worst of the findings that are about the part.
func report(f health.Facts, findings []health.Finding) statusReport {
	groups := health.ByGroup(findings)
	return statusReport{
		Schema: schema, Time: f.Time,
		Bridge:    reportBridge(f, groups),
		Leases:    reportLeases(f.Leases.Value),
		Windows:   reportWindows(f, groups),
		Gateway:   reportGateway(f, groups),
		Upstreams: reportUpstreams(f.Probes.Value),
		Findings:  orEmpty(health.NotOK(findings)),

		leasesState: known(f.Leases.Known(), groups[health.GroupLeases]),
	}
}

func reportBridge(f health.Facts, groups map[health.Group]health.Severity) bridgeReport {
	r := bridgeReport{
		Name: f.Config.Network.Bridge, State: known(f.Bridge.Known(), groups[health.GroupBridge]),
		Addresses: []string{}, Ports: []bridge.Port{},
		Firewall: firewallReport{State: known(f.Firewall.Known(), groups[health.GroupFirewall])},
	}
	if f.Bridge.Known() {
		b := f.Bridge.Value
		r.Addresses, r.Ports = orEmpty(b.Addresses), orEmpty(b.Ports)
		r.IPForward = &b.IPForward
		if b.Exists {
			r.MTU = &b.MTU
		}
	}
	if f.Firewall.Known() {
		r.Firewall.Backend = &f.Firewall.Value.Backend
	}
	return r
}

func reportLeases(all []leases.Status) []leaseReport {
	out := make([]leaseReport, 0, len(all))
	for _, l := range all {
		out = append(out, leaseReport{
			IP: l.IP, ContainerID: l.ContainerID, Name: l.Name, IfName: l.IfName,
			State: l.State, Reason: l.Reason.String(), AllocatedAt: unlessZero(l.AllocatedAt),
		})
	}
	return out
}

func reportWindows(f health.Facts, groups map[health.Group]health.Severity) windowsReport {
	w := f.Windows.Value
	r := windowsReport{State: known(f.Windows.Known() && w.Enabled, groups[health.GroupWindows]), Reason: w.Reason.String()}
	if r.Reason == "" {
		r.Reason = f.Windows.Err.String()
	}
	if w.Mode != "" {
		r.Mode = &w.Mode
	}
	r.WSLAddress = unlessInvalid(w.WSLAddress)
	if w.Route != nil {
		r.Route = &routeReport{
			Destination: w.Route.Destination, Gateway: unlessInvalid(w.Route.Gateway),
			Metric: w.Route.Metric, Persistent: w.Route.Persistent,
		}
	}
	return r
}

func reportGateway(f health.Facts, groups map[health.Group]health.Severity) gatewayReport {
	g := f.Gateway.Value
	r := gatewayReport{State: known(f.Gateway.Known(), groups[health.GroupGateway]), Sites: []siteReport{}}
	if g.Generation > 0 {
		r.Generation = &g.Generation
	}
	for _, s := range g.Sites {
		site := siteReport{Host: s.Host, State: s.State, Reason: s.Reason.String()}
		if s.Upstream != "" {
			site.Upstream = &s.Upstream
		}
		r.Sites = append(r.Sites, site)
	}
	return r
}

func reportUpstreams(all []health.Probe) []upstreamReport {
	out := make([]upstreamReport, 0, len(all))
	for _, p := range all {
		out = append(out, upstreamReport{
			Name: p.Name, Kind: p.Kind, Target: p.Target, State: p.State,
			LatencyMS: p.LatencyMS, Loss: p.Loss, Since: unlessZero(p.Since),
		})
	}
	return out
}

// known is s where the part was seen and judged, unknown otherwise.
func known(seen bool, s health.Severity) health.Severity {
	if !seen || s == "" {
		return health.Unknown
	}
	return s
}

// orEmpty keeps a list from being null in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func unlessInvalid(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return &a
}
