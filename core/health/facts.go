package health

import (
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/host"
	"flatnet/core/leases"
	"flatnet/core/podman"
	"flatnet/core/resolver"
	"flatnet/core/say"
	"flatnet/core/windows"
)

// Facts is everything that was seen at one time. It is plain data: it can be
// written down on one machine and judged on another.
type Facts struct {
	Time    time.Time     `json:"time"`
	Version string        `json:"version"` // of the program that looked
	Config  config.Config `json:"config"`  // what was looked for; the default where the file is wrong
	// Problems are what is wrong with the configuration file.
	Problems []config.Problem `json:"problems,omitempty"`

	Bridge   Seen[bridge.Status]   `json:"bridge"`
	Firewall Seen[firewall.Status] `json:"firewall"`
	Leases   Seen[[]leases.Status] `json:"leases"`
	Names    Seen[resolver.Status] `json:"names"`
	Podman   Seen[Podman]          `json:"podman"`
	Windows  Seen[windows.Status]  `json:"windows"`
	Gateway  Seen[gateway.Status]  `json:"gateway"`
	Host     Seen[host.Status]     `json:"host"`
	Probes   Seen[[]Probe]         `json:"probes"`
}

// Podman is what Podman says of itself and its containers.
type Podman struct {
	Info       podman.Info        `json:"info"`
	InfoErr    say.Text           `json:"info_error,omitempty"` // why Info is not known though Containers are
	Containers []podman.Container `json:"containers"`
}

// Role is what a probe stands for.
type Role string

// The roles.
const (
	RoleUpstream Role = "upstream" // a server behind a site
	RoleBridge   Role = "bridge"   // the bridge's own address
	RoleWindows  Role = "windows"  // Windows as WSL reaches it: the default gateway
	RoleGateway  Role = "gateway"  // the gateway's /health
	RoleTarget   Role = "target"   // one of [[probes.target]]
)

// Probe is one probed target and what its history says, as plain values.
// Numbers that do not exist are nil.
type Probe struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"` // "icmp", "tcp", "http"
	Target    string    `json:"target"`
	Role      Role      `json:"role"`
	Host      string    `json:"host,omitempty"`  // upstream: the site it serves
	State     Severity  `json:"state"`           // ok: it answers as it should; fail; unknown: not asked yet, or it cannot be
	Cause     string    `json:"cause,omitempty"` // "timeout", "refused", "status", …: package probes
	Detail    say.Text  `json:"detail,omitempty"`
	Status    int       `json:"status,omitempty"` // HTTP
	LatencyMS *float64  `json:"latency_ms"`
	P50MS     *float64  `json:"p50_ms"`
	P99MS     *float64  `json:"p99_ms"`
	Loss      *float64  `json:"loss"` // 0 to 1
	Since     time.Time `json:"since,omitzero"`
	At        time.Time `json:"at,omitzero"` // of the last result
	// Skew is how far the answering machine's clock is ahead of ours, by its
	// HTTP Date header; nil where it sent none.
	Skew *time.Duration `json:"skew,omitempty"`
}
