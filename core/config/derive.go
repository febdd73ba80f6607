package config

import (
	"encoding/binary"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"
)

// Default is the configuration of an empty file: the seed's network.
func Default() Config {
	c := bare()
	derive(&c)
	return c
}

// bare has the defaults that stand alone; those that follow from other keys
// are empty and filled in by derive.
func bare() Config {
	return Config{
		Network: Network{
			Name:       "flatnet",
			Bridge:     "flatnet-br0",
			Subnet:     netip.MustParsePrefix("10.87.1.0/24"),
			Masquerade: true,
			Hairpin:    true,
		},
		IPAM:     IPAM{StateDir: "/var/lib/flatnet/ipam", Sticky: true},
		Podman:   Podman{Socket: usualSocket},
		Firewall: Firewall{Backend: "auto"},
		DNS:      DNS{Enabled: Auto, Domain: "flatnet"},
		Log:      Log{File: "/var/log/flatnet/flatnet.log", Level: "info", MaxSize: 10 << 20, Keep: 5},
		Windows: Windows{
			Enabled:    Auto,
			SystemRoot: "/mnt/c/Windows",
			Root:       "/mnt/f/flatnet",
			Timeout:    10 * time.Second,
		},
		Gateway: Gateway{Listen: "80", Mode: "static", HealthURL: "auto", Generations: 10},
		Probes:  Probes{Interval: 10 * time.Second, Timeout: 2 * time.Second},
		TUI:     TUI{Theme: "auto", Refresh: 3 * time.Second, Language: "auto"},
	}
}

// derive fills in what is still empty and follows from other keys.
func derive(c *Config) {
	c.Network.derive()
	c.Windows.derive()
	c.Gateway.derive(c.Windows)
}

// derive gives the gateway the first address and containers the rest; where
// the gateway stands in the middle, the larger part of the rest.
func (n *Network) derive() {
	first, last := n.Subnet.Addr().Next(), lastAddr(n.Subnet).Prev()
	if !n.Gateway.IsValid() {
		n.Gateway = first
	}
	low, high := n.Gateway.Next(), last
	if number(n.Gateway)-number(first) > number(last)-number(n.Gateway) {
		low, high = first, n.Gateway.Prev()
	}
	if !n.RangeStart.IsValid() {
		n.RangeStart = low
	}
	if !n.RangeEnd.IsValid() {
		n.RangeEnd = high
	}
}

// number is an IPv4 address as a number, for distances.
func number(a netip.Addr) int64 {
	b := a.As4()
	return int64(binary.BigEndian.Uint32(b[:]))
}

// lastAddr is the broadcast address of an IPv4 network.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	n := binary.BigEndian.Uint32(b[:]) | (1<<(32-p.Bits()) - 1)
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

// derive gives Root its Windows name: WSL shows the drive F: as /mnt/f.
func (w *Windows) derive() {
	if w.WindowsPath != "" {
		return
	}
	w.WindowsPath = `F:\flatnet`
	if p, ok := driveName(w.Root); ok {
		w.WindowsPath = strings.ReplaceAll(p, "/", `\`)
	}
}

// driveName is the Windows name, with forward slashes, of a path on a drive
// that WSL shows under /mnt.
func driveName(p string) (string, bool) {
	rest, ok := strings.CutPrefix(path.Clean(p), "/mnt/")
	if !ok || rest == "" || !isDriveLetter(rest[0]) || len(rest) > 1 && rest[1] != '/' {
		return "", false
	}
	return strings.ToUpper(rest[:1]) + ":/" + strings.TrimPrefix(rest[1:], "/"), true
}

func (g *Gateway) derive(w Windows) {
	if g.ConfigDir == "" {
		g.ConfigDir = path.Join(w.Root, "config")
	}
	if g.Nginx == "" {
		g.Nginx = path.Join(w.Root, "openresty", "nginx.exe")
	}
	if g.WindowsPath == "" {
		g.WindowsPath = g.seenByNginx(w)
	}
}

// seenByNginx is the name that the gateway's nginx has for ConfigDir: one of
// Windows if nginx is a Windows program.
func (g *Gateway) seenByNginx(w Windows) string {
	if !strings.HasSuffix(g.Nginx, ".exe") {
		return g.ConfigDir
	}
	if rest, ok := strings.CutPrefix(path.Clean(g.ConfigDir)+"/", path.Clean(w.Root)+"/"); ok {
		return strings.TrimSuffix(strings.ReplaceAll(w.WindowsPath, `\`, "/")+"/"+rest, "/")
	}
	if p, ok := driveName(g.ConfigDir); ok {
		return p
	}
	return g.ConfigDir
}

// HealthAt gives the URL at which the gateway answers for its health, "" if
// that is off. host is where the gateway is, seen from here: Windows' address,
// or the zero Addr for this machine; it counts only when HealthURL is "auto".
func (g Gateway) HealthAt(host netip.Addr) string {
	switch g.HealthURL {
	case "off", "":
		return ""
	case "auto":
	default:
		return g.HealthURL
	}
	if !host.IsValid() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	port := uint16(80)
	if listen, err := netip.ParseAddrPort(g.Listen); err == nil {
		port = listen.Port()
		if !listen.Addr().IsUnspecified() {
			host = listen.Addr()
		}
	} else if n, err := strconv.ParseUint(g.Listen, 10, 16); err == nil {
		port = uint16(n)
	}
	if port == 80 {
		return "http://" + urlHost(host) + "/health"
	}
	return "http://" + netip.AddrPortFrom(host, port).String() + "/health"
}

func urlHost(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}
