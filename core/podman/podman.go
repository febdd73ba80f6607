// Package podman asks Podman which containers there are, over its API socket
// and, where nobody listens there, by the command that has the same store. It only reads. The plugin
// never links it: Podman would wait for its own caller.
package podman

import (
	"context"
	"net/netip"
	"time"

	"flatnet/core/say"
)

// ErrUnavailable says that Podman could not be asked. What it would have said is
// unknown, which is never the same as "no containers".
var ErrUnavailable = say.New("Podman cannot be asked")

// Container is one container, as far as this project needs it. Names and
// labels are chosen by whoever starts it and are not trusted.
type Container struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	State     string            `json:"state"` // "running", "exited", "created", "paused", …
	Labels    map[string]string `json:"labels,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	// Networks by network name; a stopped container may have entries
	// without an address.
	Networks map[string]Attachment `json:"networks,omitempty"`
	// NameServers are those that it was started with (podman run --dns);
	// looked up while it runs.
	NameServers []netip.Addr `json:"name_servers,omitempty"`
}

// Running tells whether its processes are alive (a paused container's are).
func (c Container) Running() bool { return c.State == "running" || c.State == "paused" }

// Attachment is a container's place on one network.
type Attachment struct {
	IP netip.Addr `json:"ip,omitzero"`
}

// Info is Podman itself.
type Info struct {
	Version        string `json:"version"`         // "4.3.1"
	NetworkBackend string `json:"network_backend"` // "cni", "netavark"
}

// Event says that a container came, went or changed; what changed is to be
// looked up anew.
type Event struct {
	Time   time.Time
	Status string // "start", "died", "remove", …
	ID     string
	Name   string
}

// Client asks one Podman. All errors wrap ErrUnavailable.
type Client interface {
	// Containers lists all, running or not.
	Containers(ctx context.Context) ([]Container, error)
	Info(ctx context.Context) (Info, error)
	// Events delivers until ctx ends or the connection breaks, then closes.
	// It needs the API socket; where there is none, its caller looks from
	// time to time.
	Events(ctx context.Context) (<-chan Event, error)
}
