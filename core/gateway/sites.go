package gateway

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/podman"
	"flatnet/core/say"
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
	LeasesErr     error // Leases is not known
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
	CertSum string   `json:"certificate_sum,omitempty"` // of tls_cert's text, in hex, so that a renewed one is another site
}

// Source is who asked for a site. The zero value is the configuration.
type Source struct {
	Container string `json:"container,omitempty"` // the name of a labelled container
	ID        string `json:"id,omitempty"`
}

// String names the source in English.
func (s Source) String() string { return s.Say().String() }

// Say names the source for people.
func (s Source) Say() say.Text {
	if s.ID == "" {
		return "config"
	}
	return say.F("container %s", s.Container)
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

// guarded tells whether the site asks for a password or for certain clients.
func (s Site) guarded() bool { return s.AuthFile != "" || len(s.Allow) > 0 }

// addresses are those of its servers that have one.
func (s Site) addresses() []netip.Addr {
	var all []netip.Addr
	for _, srv := range s.Servers {
		if srv.Address.IsValid() {
			all = append(all, srv.Address.Addr())
		}
	}
	return all
}

// aside says that s is not served. What it guards stays guarded.
func aside(s Site, reason say.Text) SetAside {
	a := SetAside{Host: s.Host, Source: s.Source.Say(), Reason: reason}
	if s.guarded() {
		a.Closed = s.addresses()
	}
	return a
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

// setAside gives what it added, for what else is to be said there.
func (r *resolver) setAside(s Site, reason say.Text) *SetAside {
	r.aside = append(r.aside, aside(s, reason))
	return &r.aside[len(r.aside)-1]
}

// configured takes a [[gateway.site]]; its values were checked when the
// configuration was read.
func (r *resolver) configured(c config.Site) {
	s := Site{Site: c}
	r.normalize(&s)
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
	if err := cmp.Or(reserved(s.Host), oversized(s.Site)); err != nil {
		r.setAside(s, say.Of(err))
		return
	}
	if r.claim(&s) {
		r.sites = append(r.sites, s)
	}
}

// labelled takes the site that a container asks for by its labels.
func (r *resolver) labelled(c podman.Container) {
	site, asked, err := fromLabels(c.Labels, r.in.Config.WindowsPath)
	if !asked {
		return
	}
	s := Site{Site: site, Source: Source{Container: c.Name, ID: c.ID}}
	addr, why := r.address(c)
	if s.Redirect == "" {
		srv := Server{Container: c.Name, Down: why}
		if why == "" {
			srv.Address = netip.AddrPortFrom(addr, port(s.Port))
		}
		s.Servers = []Server{r.judge(s.Host, srv)}
	}
	if err != nil {
		refused := r.setAside(s, say.Of(err))
		if guarded(c.Labels) {
			refused.Closed = s.addresses()
		}
		return
	}
	r.normalize(&s)
	if why != "" && serves(c) {
		r.setAside(s, why)
		return
	}
	if _, taken := r.claims[s.Host]; taken {
		r.refuse(s, "")
		return
	}
	r.claim(&s)
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
	for i, srv := range s.Servers {
		s.Servers[i] = r.judge(s.Host, r.moved(s, srv))
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
	reason := say.F("%s belongs to %s, which is older", s.Host, owner)
	switch {
	case s.Source.ID == "":
		reason = say.F("an earlier [[gateway.site]] serves %s%s", s.Host, path)
	case owner.ID == "":
		reason = say.F("%s belongs to a [[gateway.site]] of the configuration, which wins over labels", s.Host)
	}
	r.setAside(s, reason).Twice = true
}
