// Package config is the one TOML file that plugin and console share: its
// keys, their defaults, and the check of every value with its line. It reads
// and checks; edits that keep comments are in core/config/edit, which the
// plugin does not link.
package config

import (
	"net/netip"
	"time"
)

// DefaultPath is where the configuration is when neither --config nor
// FLATNET_CONFIG says otherwise.
const DefaultPath = "/etc/flatnet/flatnet.toml"

// Config is a checked configuration. Every value in it is possible.
type Config struct {
	Path     string // the file it came from; "" when there was none
	Network  Network
	IPAM     IPAM
	Podman   Podman
	Firewall Firewall
	DNS      DNS
	Log      Log
	Windows  Windows
	Gateway  Gateway
	Probes   Probes
	TUI      TUI
}

// Network is the network itself (seed 4.1).
type Network struct {
	Name       string       // "flatnet"
	Bridge     string       // "flatnet-br0", at most 15 bytes
	Subnet     netip.Prefix // 10.87.1.0/24
	Gateway    netip.Addr   // 10.87.1.1, the bridge's own address
	RangeStart netip.Addr   // first address of the pool, inclusive
	RangeEnd   netip.Addr   // last address of the pool, inclusive
	MTU        int          // 0: follow the default route's link
	Masquerade bool
	Hairpin    bool
}

// IPAM says who gets which address.
type IPAM struct {
	StateDir     string
	Sticky       bool          // a container gets its last address again
	Quarantine   time.Duration // how long a freed address stays out of use
	Reservations []Reservation // [[ipam.reservation]]
}

// Reservation keeps an address for the container of that name.
type Reservation struct {
	Name string
	IP   netip.Addr
}

// Podman says where Podman's API socket is.
type Podman struct{ Socket string }

// usualSocket is where root's Podman listens.
const usualSocket = "/run/podman/podman.sock"

// Program is the command that asks the same Podman as the socket, and may be
// asked in its place. It is "" for any socket but the usual one: the command
// has root's own store, and would answer, rightly, that it has none of the
// containers behind that socket.
func (p Podman) Program() string {
	if p.Socket == usualSocket {
		return "podman"
	}
	return ""
}

// Firewall says which iptables to use: "auto", "iptables-nft", "iptables-legacy".
type Firewall struct{ Backend string }

// DNS is how containers find each other by name.
type DNS struct {
	// Enabled: Auto has watch answer names, and containers told of it that
	// start while it does; On tells every container.
	Enabled Tristate
	Domain  string // "flatnet": a container is web and web.flatnet
}

// Log is the plugin's log.
type Log struct {
	File    string
	Level   string // "debug", "info", "warn", "error"
	MaxSize int64  // bytes at which it is rotated
	Keep    int    // rotated files kept
}

// Tristate is a switch that may be left to the program.
type Tristate string

// The three positions of a Tristate.
const (
	Auto Tristate = "auto"
	On   Tristate = "true"
	Off  Tristate = "false"
)

// Windows says where Windows is, seen from WSL and by its own name.
type Windows struct {
	Enabled     Tristate
	SystemRoot  string // "/mnt/c/Windows"
	Root        string // "/mnt/f/flatnet"
	WindowsPath string // `F:\flatnet`, the same place as Root
	Timeout     time.Duration
}

// Gateway is the nginx (OpenResty) in front, seed 4.2.
type Gateway struct {
	ConfigDir   string // as this machine sees it: "/mnt/f/flatnet/config"
	WindowsPath string // as the gateway's nginx sees it: "F:/flatnet/config"; the same as ConfigDir where nginx runs on Linux
	Nginx       string // the program, as this machine sees it
	Listen      string // "80" or "address:port"
	Mode        string // "static" or "lua"
	HealthURL   string // a URL, "auto" (see HealthAt) or "off"; ask HealthAt, not this
	Generations int    // kept ones, 1 to 100
	Sites       []Site // [[gateway.site]]
}

// Site is one host name and what serves it.
type Site struct {
	Host       string
	Container  string   // by name; one of Container, Containers, Address
	Containers []string // several servers for one host
	Address    netip.Addr
	Port       int // 1 to 65535

	Paths          []string          // path prefixes; none: "/"
	WebSocket      bool              // default true
	MaxBody        string            // client_max_body_size: "0" (no limit), "20m"
	ConnectTimeout time.Duration     // default 5 s
	ReadTimeout    time.Duration     // default 1 h with WebSocket, see docs
	Headers        map[string]string // extra response headers
	Allow          []netip.Prefix    // client networks; none: everyone
	AuthFile       string            // basic auth file, as nginx sees it
	Redirect       string            // answer 301 to this URL instead
	TLSCert        string            // pair of paths, as nginx sees them
	TLSKey         string
	Maintenance    bool
	DownMessage    string // what the 503 page says; "" : a default
}

// Probes is how reachability is watched.
type Probes struct {
	Interval time.Duration
	Timeout  time.Duration
	Targets  []ProbeTarget // [[probes.target]]
}

// ProbeTarget is one more thing to probe, besides the sites.
type ProbeTarget struct {
	Name     string
	Kind     string // "icmp", "tcp", "http"
	Target   string // address, address:port, URL
	Interval time.Duration
	Enabled  bool
	// For Kind "http" only.
	Host            string // Host header; "": the URL's
	StatusMin       int    // lowest good status; 0: 200
	StatusMax       int    // highest good status; 0: 399
	Body            string // text that the answer must hold; "": any
	FollowRedirects bool
}

// TUI is the console's own.
type TUI struct {
	Theme    string
	Refresh  time.Duration
	Mouse    bool
	ReadOnly bool
	Language string // "auto", "en", "ja"
}
