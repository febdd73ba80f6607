package windows

import (
	"net/netip"
	"time"
)

// Target is something to reach from Windows, or Windows' gateway from here.
type Target struct {
	Kind string     // "ping" (ping.exe), "http" (curl.exe), "health" (the gateway's URL, asked from WSL)
	Name string     // for people: "bridge", "web1", "forgejo.local"
	Addr netip.Addr // ping
	Host string     // http: the Host header
	URL  string     // http, health
}

// Reach is one check of whether the way carries anything.
type Reach struct {
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Target string    `json:"target"`
	State  State     `json:"state"`
	Detail string    `json:"detail"`
	At     time.Time `json:"at"`
}
