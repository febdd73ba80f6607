package gateway

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/podman"
	"flatnet/core/say"
)

// Server is one server behind a site.
type Server struct {
	Address   netip.AddrPort `json:"address,omitzero"`    // zero: there is none now
	Container string         `json:"container,omitempty"` // "" : configured by address
	Down      say.Text       `json:"down,omitempty"`      // why it is not asked; "" : it is
	Since     time.Time      `json:"since,omitzero"`      // of Down
}

// named is the server in the container of that name.
func (r *resolver) named(host, name string, p int) Server {
	srv := Server{Container: name}
	c, there := r.byName[name]
	switch {
	case there:
		addr, why := r.address(c)
		srv.Down = why
		if addr.IsValid() {
			srv.Address = netip.AddrPortFrom(addr, port(p))
		}
	case r.in.ContainersErr != nil:
		srv = r.leased(host, name, p)
	default:
		srv.Down = say.F("there is no container %s", name)
	}
	return r.judge(host, srv)
}

// serves tells whether a container's processes run: a paused one takes
// connections and never answers.
func serves(c podman.Container) bool { return c.State == "running" }

// address gives where c is on the network, or why it has no usable address.
func (r *resolver) address(c podman.Container) (addr netip.Addr, why say.Text) {
	if !serves(c) {
		return addr, say.F("container %s is not running (%s)", c.Name, c.State)
	}
	addr = c.Networks[r.in.Network.Name].IP
	for _, l := range r.in.Leases {
		if !addr.IsValid() && l.ContainerID == c.ID {
			addr = l.IP
		}
	}
	return r.usable(addr, c.Name)
}

// leased is the server without Podman: at the lease of that name, or where it
// was while leases are not known either.
func (r *resolver) leased(host, name string, p int) Server {
	for _, l := range r.in.Leases {
		if l.Name == name {
			return r.leaseOf(l, name, p)
		}
	}
	if r.in.LeasesErr == nil {
		return Server{Container: name, Down: say.F("Podman cannot be asked, and no lease is held for container %s", name)}
	}
	for _, last := range r.before(host, name) {
		if last.Address.IsValid() && last.Address.Port() == port(p) {
			return Server{Container: name, Address: last.Address}
		}
	}
	return Server{Container: name, Down: "neither Podman nor the leases can be asked"}
}

// before are the servers of that container in the last generation's site.
func (r *resolver) before(host, container string) []Server {
	var all []Server
	for _, s := range r.in.Previous {
		for _, srv := range s.Servers {
			if s.Host == host && srv.Container == container {
				all = append(all, srv)
			}
		}
	}
	return all
}

// usable refuses addresses that no container of the network can have.
func (r *resolver) usable(addr netip.Addr, name string) (_ netip.Addr, why say.Text) {
	n := r.in.Network
	switch {
	case !addr.IsValid():
		return addr, say.F("container %s has no address on network %s", name, n.Name)
	case !n.Subnet.Contains(addr), addr == n.Gateway, slices.Contains(edges(n.Subnet), addr):
		return netip.Addr{}, say.F("container %s has the address %s, which no container can have in %s", name, addr, n.Subnet)
	}
	return addr, ""
}

// moved is where the server of a container that is not there is now: nowhere
// if it was removed; where Podman cannot be asked, where its lease says, or
// else where it was, unless another container has that address by now.
func (r *resolver) moved(s Site, srv Server) Server {
	if r.in.ContainersErr == nil {
		return Server{Container: srv.Container, Down: say.F("container %s was removed", s.Source.Container)}
	}
	if srv.Address.IsValid() {
		srv.Down = "" // judged anew
	}
	for _, l := range r.in.Leases {
		if l.ContainerID == s.Source.ID {
			return r.leaseOf(l, srv.Container, s.Port)
		}
		if l.IP == srv.Address.Addr() {
			srv.Address, srv.Down = netip.AddrPort{}, say.F("Podman cannot be asked, and %s is another container's by now", l.IP)
		}
	}
	return srv
}

// leaseOf is the server at a lease's address.
func (r *resolver) leaseOf(l ipam.Lease, name string, p int) Server {
	addr, why := r.usable(l.IP, name)
	if why != "" {
		return Server{Container: name, Down: why}
	}
	return Server{Container: name, Address: netip.AddrPortFrom(addr, port(p))}
}

// judge adds what the probes say, and since when a server is down.
func (r *resolver) judge(host string, srv Server) Server {
	var since time.Time
	if h := r.in.Health[srv.Address]; srv.Down == "" && h.Down {
		srv.Down, since = cmp.Or(h.Reason, "it does not answer"), h.Since
	}
	if srv.Down == "" {
		srv.Since = time.Time{}
		return srv
	}
	srv.Since = r.downSince(host, srv, since)
	return srv
}

// downSince is the earliest time known of the present failure.
func (r *resolver) downSince(host string, srv Server, since time.Time) time.Time {
	if since.IsZero() {
		since = r.in.Now
	}
	for _, p := range r.before(host, srv.Container) {
		same := p.Container != "" || p.Address == srv.Address
		if same && p.Down != "" && !p.Since.IsZero() && p.Since.Before(since) {
			return p.Since
		}
	}
	return since
}

// port is p, which was checked to be 1 to 65535.
func port(p int) uint16 { return uint16(p) }
