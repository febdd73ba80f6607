package gateway

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/podman"
)

// goneFor is how long the site of a labelled container that was removed goes
// on answering that it is down; after that nobody knows its name any more.
const goneFor = 24 * time.Hour

// Input is everything that decides which sites there are.
type Input struct {
	Config        config.Gateway
	Network       config.Network
	Containers    []podman.Container
	ContainersErr error // Podman could not be asked: Containers is not known
	Leases        []ipam.Lease
	Health        map[netip.AddrPort]Health
	Maintenance   []string // hosts put into maintenance by hand
	Previous      []Site   // of the last generation: what went down when, whose container is gone
	Now           time.Time
}

// Site is one host, or paths of one, with the servers behind it. Its values
// have been checked.
type Site struct {
	config.Site
	Source  Source   `json:"source"`
	Servers []Server `json:"servers"`
}

// Source is who asked for a site. The zero value is the configuration.
type Source struct {
	Container string `json:"container,omitempty"` // the name of a labelled container
	ID        string `json:"id,omitempty"`
}

// String names the source for people.
func (s Source) String() string {
	if s.ID == "" {
		return "config"
	}
	return "container " + s.Container
}

// Server is one server behind a site.
type Server struct {
	Address   netip.AddrPort `json:"address,omitzero"`    // zero: there is none now
	Container string         `json:"container,omitempty"` // "" : configured by address
	Down      string         `json:"down,omitempty"`      // why it is not asked; "" : it is
	Since     time.Time      `json:"since,omitzero"`      // of Down
}

// Down tells whether no server of the site can be asked, and since when.
func (s Site) Down() (since time.Time, down bool) {
	if s.Redirect != "" {
		return time.Time{}, false
	}
	for _, srv := range s.Servers {
		if srv.Down == "" {
			return time.Time{}, false
		}
		if srv.Since.After(since) {
			since = srv.Since
		}
	}
	return since, true
}

// Prefixes gives the paths that the site serves; "/" is all.
func (s Site) Prefixes() []string {
	if len(s.Paths) == 0 {
		return []string{"/"}
	}
	return s.Paths
}

// Resolve decides which sites there are and what serves each, ordered by host
// and path. The configuration wins over labels, the older container over the
// newer, and a site that cannot be served as it is asked for is set aside.
func Resolve(in Input) ([]Site, []SetAside) {
	r := newResolver(in)
	for _, s := range in.Config.Sites {
		r.configured(s)
	}
	for _, c := range byAge(in.Containers) {
		r.labelled(c)
	}
	for _, s := range in.Previous {
		r.remembered(s)
	}
	slices.SortFunc(r.sites, func(a, b Site) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Prefixes()[0], b.Prefixes()[0]))
	})
	return r.sites, r.aside
}

// resolver collects sites; claims holds who has which host and path.
type resolver struct {
	in     Input
	byName map[string]podman.Container
	ids    map[string]bool
	claims map[string]map[string]Source // host, then path
	sites  []Site
	aside  []SetAside
}

func newResolver(in Input) *resolver {
	r := &resolver{in: in, byName: map[string]podman.Container{}, ids: map[string]bool{}, claims: map[string]map[string]Source{}}
	for _, c := range in.Containers {
		r.byName[c.Name] = c
		r.ids[c.ID] = true
	}
	return r
}

// byAge orders containers, the oldest first.
func byAge(all []podman.Container) []podman.Container {
	return slices.SortedFunc(slices.Values(all), func(a, b podman.Container) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
}

func (r *resolver) setAside(host string, from Source, format string, args ...any) {
	r.aside = append(r.aside, SetAside{Host: host, Source: from.String(), Reason: fmt.Sprintf(format, args...)})
}

// configured takes a [[gateway.site]]; its values were checked when the
// configuration was read.
func (r *resolver) configured(c config.Site) {
	s := Site{Site: c}
	r.normalize(&s)
	if err := cmp.Or(reserved(s.Host), oversized(s.Site)); err != nil {
		r.setAside(s.Host, s.Source, "%v", err)
		return
	}
	if !r.claim(&s) {
		return
	}
	names := s.Containers
	if s.Container != "" {
		names = []string{s.Container}
	}
	for _, name := range names {
		s.Servers = append(s.Servers, r.named(s.Host, name, s.Port))
	}
	if s.Address.IsValid() {
		s.Servers = append(s.Servers, r.judge(s.Host, Server{Address: netip.AddrPortFrom(s.Address, port(s.Port))}))
	}
	r.sites = append(r.sites, s)
}

// labelled takes the site that a container asks for by its labels.
func (r *resolver) labelled(c podman.Container) {
	from := Source{Container: c.Name, ID: c.ID}
	site, asked, err := fromLabels(c.Labels, r.in.Config.WindowsPath)
	if !asked {
		return
	}
	s := Site{Site: site, Source: from}
	if err != nil {
		r.setAside(s.Host, from, "%v", err)
		return
	}
	r.normalize(&s)
	addr, why := r.address(c)
	if why != "" && c.Running() {
		r.setAside(s.Host, from, "%s", why)
		return
	}
	if _, taken := r.claims[s.Host]; taken {
		r.refuse(s, "")
		return
	}
	r.claim(&s)
	if s.Redirect == "" {
		srv := Server{Container: c.Name, Down: why}
		if why == "" {
			srv.Address = netip.AddrPortFrom(addr, port(s.Port))
		}
		s.Servers = []Server{r.judge(s.Host, srv)}
	}
	r.sites = append(r.sites, s)
}

// remembered keeps the site of a labelled container that is gone, so that its
// host says so; where Podman could not be asked, as it was.
func (r *resolver) remembered(s Site) {
	if s.Source.ID == "" || r.ids[s.Source.ID] {
		return
	}
	if _, taken := r.claims[s.Host]; taken {
		return
	}
	s.Servers = slices.Clone(s.Servers)
	for i := range s.Servers {
		if r.in.ContainersErr == nil {
			s.Servers[i].Address = netip.AddrPort{}
			s.Servers[i].Down = fmt.Sprintf("container %s was removed", s.Source.Container)
		} else if s.Servers[i].Address.IsValid() {
			s.Servers[i].Down = "" // judged anew
		}
		s.Servers[i] = r.judge(s.Host, s.Servers[i])
	}
	if since, down := s.Down(); down && r.in.ContainersErr == nil && r.in.Now.Sub(since) > goneFor {
		return
	}
	if s.Redirect != "" && r.in.ContainersErr == nil {
		return
	}
	s.Maintenance = slices.Contains(r.in.Maintenance, s.Host)
	r.claim(&s)
	r.sites = append(r.sites, s)
}

// normalize brings host and paths into the one form that nginx compares.
func (r *resolver) normalize(s *Site) {
	s.Host = strings.ToLower(s.Host)
	s.Maintenance = s.Maintenance || slices.Contains(r.in.Maintenance, s.Host)
	var paths []string
	for _, p := range s.Paths {
		if !slices.ContainsFunc(paths, func(q string) bool { return strings.EqualFold(p, q) }) {
			paths = append(paths, p)
		}
	}
	s.Paths = paths
}

// claim takes the site's host and paths for it, or sets it aside. Paths are
// compared without case: nginx on Windows does so too.
func (r *resolver) claim(s *Site) bool {
	host := r.claims[s.Host]
	for _, p := range s.Prefixes() {
		if _, taken := host[strings.ToLower(p)]; taken {
			r.refuse(*s, p)
			return false
		}
	}
	if host == nil {
		host = map[string]Source{}
		r.claims[s.Host] = host
	}
	for _, p := range s.Prefixes() {
		host[strings.ToLower(p)] = s.Source
	}
	return true
}

// refuse says whose the host is. All claims of a labelled host have one owner.
func (r *resolver) refuse(s Site, path string) {
	var owner Source
	for _, o := range r.claims[s.Host] {
		owner = o
	}
	switch {
	case s.Source.ID == "":
		r.setAside(s.Host, s.Source, "an earlier [[gateway.site]] serves %s%s", s.Host, path)
	case owner.ID == "":
		r.setAside(s.Host, s.Source, "%s belongs to a [[gateway.site]] of the configuration, which wins over labels", s.Host)
	default:
		r.setAside(s.Host, s.Source, "%s belongs to %s, which is older", s.Host, owner)
	}
	r.aside[len(r.aside)-1].Twice = true
}

// named is the server in the container of that name.
func (r *resolver) named(host, name string, p int) Server {
	srv := Server{Container: name}
	var addr netip.Addr
	c, there := r.byName[name]
	switch {
	case there:
		addr, srv.Down = r.address(c)
	case r.in.ContainersErr != nil:
		addr, srv.Down = r.leased(name)
	default:
		srv.Down = fmt.Sprintf("there is no container %s", name)
	}
	if addr.IsValid() {
		srv.Address = netip.AddrPortFrom(addr, port(p))
	}
	return r.judge(host, srv)
}

// address gives where c is on the network, or why it has no usable address.
func (r *resolver) address(c podman.Container) (addr netip.Addr, why string) {
	if !c.Running() {
		return addr, fmt.Sprintf("container %s is not running (%s)", c.Name, c.State)
	}
	addr = c.Networks[r.in.Network.Name].IP
	for _, l := range r.in.Leases {
		if !addr.IsValid() && l.ContainerID == c.ID {
			addr = l.IP
		}
	}
	return r.usable(addr, c.Name)
}

// leased is address without Podman: the lease of that name.
func (r *resolver) leased(name string) (addr netip.Addr, why string) {
	for _, l := range r.in.Leases {
		if l.Name == name {
			return r.usable(l.IP, name)
		}
	}
	return addr, fmt.Sprintf("Podman cannot be asked, and no lease is held for container %s", name)
}

// usable refuses addresses that no container of the network can have.
func (r *resolver) usable(addr netip.Addr, name string) (_ netip.Addr, why string) {
	n := r.in.Network
	switch {
	case !addr.IsValid():
		return addr, fmt.Sprintf("container %s has no address on network %s", name, n.Name)
	case !n.Subnet.Contains(addr), addr == n.Gateway, slices.Contains(edges(n.Subnet), addr):
		return netip.Addr{}, fmt.Sprintf("container %s has the address %s, which no container can have in %s", name, addr, n.Subnet)
	}
	return addr, ""
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
	for _, s := range r.in.Previous {
		for _, p := range s.Servers {
			same := s.Host == host && p.Container == srv.Container && (p.Container != "" || p.Address == srv.Address)
			if same && p.Down != "" && !p.Since.IsZero() && p.Since.Before(since) {
				return p.Since
			}
		}
	}
	return since
}

// port is p, which was checked to be 1 to 65535.
func port(p int) uint16 { return uint16(p) }
