package names

import (
	"errors"
	"io/fs"
	"net/netip"
	"path/filepath"

	"flatnet/core/config"
	"flatnet/core/filelock"
)

// LockName is the file in a network's state directory that is locked while
// its names are answered.
const LockName = "names.lock"

// Answered tells whether somebody answers the names of the network whose state
// is in dir. A network that is so new that nobody has tried yet counts as the
// configured one, in stateDir, does.
func Answered(stateDir, dir string) bool {
	held, err := filelock.Held(filepath.Join(dir, LockName))
	if errors.Is(err, fs.ErrNotExist) && dir != stateDir {
		held, _ = filelock.Held(filepath.Join(stateDir, LockName))
	}
	return held
}

// Told is what a container is told when it starts.
type Told struct {
	Server netip.Addr // zero: nothing is told
	Domain string
}

// Tell decides what a container on the network whose state is in dir is told.
func Tell(c config.Config, dir string) Told {
	told := Told{Server: c.Network.Gateway, Domain: c.DNS.Domain}
	switch c.DNS.Enabled {
	case config.On:
		return told
	case config.Auto:
		if Answered(c.IPAM.StateDir, dir) {
			return told
		}
	case config.Off:
	}
	return Told{}
}

// WithFallback gives the servers and search domains of a container whose
// resolv.conf holds nothing else (netavark's): ours, then the machine's own
// first one, so that other names are found while nobody answers ours.
func (t Told) WithFallback(machine Servers) Servers {
	s := Servers{Addrs: []netip.Addr{t.Server}, Search: []string{t.Domain}}
	for _, ip := range machine.Addrs {
		if ip != t.Server {
			s.Addrs = append(s.Addrs, ip)
			break
		}
	}
	for _, d := range machine.Search {
		if d != t.Domain {
			s.Search = append(s.Search, d)
		}
	}
	return s
}
