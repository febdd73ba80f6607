package names

import (
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ResolvConf is where this machine says whom it asks for names.
const ResolvConf = "/etc/resolv.conf"

// resolvedConf is where systemd-resolved writes the servers that stand behind
// its own address on loopback.
const resolvedConf = "/run/systemd/resolve/resolv.conf"

// Limits of what is read of a resolv.conf.
const (
	maxConf    = 64 << 10 // bytes
	maxServers = 8
	maxSearch  = 6 // glibc's, for long
)

// Servers is whom a machine asks for names (resolv.conf(5)).
type Servers struct {
	Addrs  []netip.Addr
	Search []string
}

// ParseServers reads a resolv.conf. What it cannot read it passes over, as
// the C library does.
func ParseServers(text string) Servers {
	var s Servers
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			ip, err := netip.ParseAddr(words[1])
			if err == nil && len(s.Addrs) < maxServers && !slices.Contains(s.Addrs, ip.Unmap()) {
				s.Addrs = append(s.Addrs, ip.Unmap())
			}
		case "search", "domain":
			s.Search = nil // the last one counts
			for _, w := range words[1:] {
				if d := label(strings.TrimSuffix(w, ".")); d != "" && len(s.Search) < maxSearch {
					s.Search = append(s.Search, d)
				}
			}
		}
	}
	return s
}

// ReadServers reads the file at path; one that cannot be read says nothing.
func ReadServers(path string) Servers {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return Servers{}
	}
	defer func() { _ = file.Close() }()
	text, _ := io.ReadAll(io.LimitReader(file, maxConf))
	return ParseServers(string(text))
}

// ForContainers reads whom a container of this machine could ask: a server on
// loopback is this machine's alone, and what stands behind it is taken then.
func ForContainers() Servers {
	s := ReadServers(ResolvConf)
	if s.Addrs = reachable(s.Addrs); len(s.Addrs) == 0 {
		s.Addrs = reachable(ReadServers(resolvedConf).Addrs)
	}
	return s
}

// reachable leaves out what a container with an IPv4 address does not reach.
func reachable(all []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(all, func(ip netip.Addr) bool { return !ip.Is4() || ip.IsLoopback() || ip.IsUnspecified() })
}
