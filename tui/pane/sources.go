package pane

import (
	"flatnet/core/bridge"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/leases"
	"flatnet/core/windows"
)

// Sources are where the panes' data comes from. A source that is nil says
// that there is nothing to ask.
type Sources struct {
	Bridge    Source[BridgeView]
	Leases    Source[[]leases.Status]
	Windows   Source[windows.Status]
	Upstreams Source[UpstreamsView]
}

// BridgeView is the bridge and the packet filter around it. The filter may be
// unknown (no iptables program) while the bridge is well known.
type BridgeView struct {
	Bridge   bridge.Status
	Firewall health.Seen[firewall.Status]
}

// UpstreamsView is everything that is probed, and the gateway before it.
type UpstreamsView struct {
	Gateway health.Seen[gateway.Status] // never looked at: no gateway is configured
	Probes  []Upstream
}

// Upstream is one probed target with its recent latencies.
type Upstream struct {
	health.Probe
	Spark []float64 // milliseconds, oldest first; NaN: no answer (probes.History.Sparkline)
}
