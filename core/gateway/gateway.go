// Package gateway is the nginx (or OpenResty) in front: which sites there
// are, the configuration that serves them, and its deployment in generations
// of which only whole, tested ones are ever loaded (seed 4.2).
//
// Resolve and Render are pure. Gateway does the rest: it looks, plans,
// deploys and rolls back. It asks Podman and the lease store only for plain
// values, probes nothing itself (health is handed in), and starts no nginx:
// it tests and reloads the one that runs.
package gateway

import (
	"context"
	"net/netip"
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/podman"
	"flatnet/core/say"
)

// Sentinels.
var (
	// ErrTest: nginx refused the configuration; nothing was changed.
	ErrTest = say.New("nginx refused the new configuration")
	// ErrNotServed: the gateway did not take the new generation; the last
	// good one was put back.
	ErrNotServed = say.New("the gateway did not take the new generation")
	// ErrBusy: another deployment is under way.
	ErrBusy = say.New("another deployment is under way")
	// ErrOvertaken: what a change was prepared for is there no more.
	ErrOvertaken = say.New("someone else deployed since this was planned")
	// ErrNoDrive: the drive or folder of config_dir is not there.
	ErrNoDrive = say.New("the gateway's drive is not there")
	// ErrNoGeneration: no such generation is kept.
	ErrNoGeneration = say.New("no such generation")
	// ErrNoSite: no site has that host name.
	ErrNoSite = say.New("no such site")
	// ErrHeld: the watcher leaves the gateway alone: it was rolled back, or
	// its file was edited by hand. Applying by hand goes on.
	ErrHeld = say.New("automatic changes are held")
)

// State is how a part is, in the words of health.Severity.
type State string

// The states.
const (
	OK      State = "ok"
	Warn    State = "warn"
	Fail    State = "fail"
	Unknown State = "unknown"
)

// Options of New. Config, Network, Runner and Now are needed.
type Options struct {
	Config  config.Gateway
	Network config.Network
	Runner  Runner
	// HealthURL gives where the gateway answers for its health
	// (config.Gateway.HealthAt); "" or nil: off, a reload is then not confirmed.
	HealthURL  func(context.Context) string
	Containers func(context.Context) ([]podman.Container, error) // nil: Podman is not asked
	Leases     func(context.Context) ([]ipam.Lease, error)       // nil: no leases
	Health     func() map[netip.AddrPort]Health                  // nil: nothing is probed
	Now        func() time.Time
}

// Health is what a probe says of one upstream server.
type Health struct {
	Down   bool
	Since  time.Time // of its present state
	Reason say.Text  // "connection refused"; "" while up
}

// Gateway looks at, plans, deploys and rolls back the configuration of one
// nginx.
type Gateway struct {
	o      Options
	layout layout
	store  store

	rendered rendering
}

// New gives the gateway of o. It touches nothing yet.
func New(o Options) *Gateway {
	if o.HealthURL == nil {
		o.HealthURL = func(context.Context) string { return "" }
	}
	l := layoutOf(o.Config)
	return &Gateway{o: o, layout: l, store: store{dir: l.generations()}}
}

// Runner runs the gateway's nginx program and gives what it printed, stdout
// and stderr together. It keeps a time limit of its own.
type Runner interface {
	Run(ctx context.Context, args ...string) ([]byte, error)
}

// Status is the gateway at one look.
type Status struct {
	State      State        `json:"state"`
	Reason     say.Text     `json:"reason,omitempty"` // of a state that is not ok
	Mode       string       `json:"mode"`             // "static", "lua"
	Generation int          `json:"generation"`       // deployed; 0: none yet
	Served     int          `json:"served"`           // by the running nginx; 0: none or not known
	ServedErr  string       `json:"served_error,omitempty"`
	Silent     bool         `json:"silent,omitempty"` // the running nginx did not answer in time
	DeployedAt time.Time    `json:"deployed_at,omitzero"`
	Held       say.Text     `json:"held,omitempty"`    // why the watcher leaves it alone
	Drift      []say.Text   `json:"drift,omitempty"`   // each a sentence; empty: as it should be
	Pending    bool         `json:"pending"`           // sites changed since; a regeneration would change something
	Moving     []string     `json:"moving,omitempty"`  // hosts that a regeneration would begin or cease to serve
	Sites      []SiteStatus `json:"sites"`             // by host
	SetAside   []SetAside   `json:"set_aside"`         // by host
	Unknown    say.Text     `json:"unknown,omitempty"` // why containers or leases could not be looked at
}

// SiteStatus is one site as it is to be served.
type SiteStatus struct {
	Host        string         `json:"host"`
	Path        string         `json:"path,omitempty"` // prefix, when not all of the host
	State       State          `json:"state"`
	Reason      say.Text       `json:"reason,omitempty"`
	Source      say.Text       `json:"source"`    // "config", "container forgejo"
	Upstream    string         `json:"upstream"`  // first address:port, "" if none
	Upstreams   []ServerStatus `json:"upstreams"` // all servers
	Maintenance bool           `json:"maintenance"`
	TLS         bool           `json:"tls"`
	CertUntil   time.Time      `json:"certificate_until,omitzero"` // zero: none, or not seen from here
	DownSince   time.Time      `json:"down_since,omitzero"`
}

// ServerStatus is one server behind a site.
type ServerStatus struct {
	Address   netip.AddrPort `json:"address,omitzero"` // zero: has no address now
	Container string         `json:"container,omitempty"`
	State     State          `json:"state"`
	Reason    say.Text       `json:"reason,omitempty"`
	Since     time.Time      `json:"since,omitzero"`
}

// SetAside is a site that is not served, and why. Host and Source come from
// outside.
type SetAside struct {
	Host   string   `json:"host"`
	Source say.Text `json:"source"`
	Reason say.Text `json:"reason"`
	Twice  bool     `json:"twice,omitempty"` // another site has the host name or path already
	// Closed are the addresses of a site with a password or allowed clients:
	// nor are they to be had by address, while nothing asks for either.
	Closed []netip.Addr `json:"-"`
}

// Say says on one line what was set aside and why.
func (a SetAside) Say() say.Text {
	if a.Host == "" {
		return say.F("Set aside: the site of %s: %s", a.Source, a.Reason)
	}
	return say.F("Set aside: %s (%s): %s", a.Host, a.Source, a.Reason)
}
