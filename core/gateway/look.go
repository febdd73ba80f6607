package gateway

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/say"
)

// Look looks at files, containers, leases and the running server. Its error
// says that the configuration folder could not be read at all; anything less
// is in the Status.
func (g *Gateway) Look(ctx context.Context) (Status, error) {
	s := Status{State: Unknown, Mode: g.o.Config.Mode, Sites: []SiteStatus{}, SetAside: []SetAside{}}
	c, err := g.Prepare(ctx)
	if err != nil {
		s.Reason = say.Of(err)
		return s, err
	}
	s.Generation = c.live.number
	last, err := g.store.meta(c.live.number)
	if err == nil || c.live.have == nil {
		s.DeployedAt, s.Moving = last.MadeAt, moving(last.Sites, c.Generation.Sites)
	}
	s.Pending = !c.InPlace
	s.Served = c.served
	if c.servedErr != nil {
		s.ServedErr, s.Silent = c.servedErr.Error(), errors.Is(c.servedErr, context.DeadlineExceeded)
	}
	s.SetAside = append(s.SetAside, c.Generation.SetAside...)
	s.Sites = g.sites(c)
	s.Unknown = say.Join(" ", c.Unknown...)
	if s.Held, err = g.Held(); err != nil {
		return s, err
	}
	if err := g.layout.checkDrive(); err != nil {
		return s, err
	}
	s.Drift = g.drift(c, s)
	s.State, s.Reason = judge(s, c.servedErr)
	return s, nil
}

// moving lists the hosts that are in only one of two generations.
func moving(before, after []Site) []string {
	all := map[string]int{}
	for _, s := range before {
		all[s.Host] |= 1
	}
	for _, s := range after {
		all[s.Host] |= 2
	}
	maps.DeleteFunc(all, func(_ string, in int) bool { return in == 1|2 })
	return slices.Sorted(maps.Keys(all))
}

// Sites gives the sites that are to be served now, by host. The running server
// is not asked, so one that hangs holds nobody up.
func (g *Gateway) Sites(ctx context.Context) ([]SiteStatus, error) {
	c, err := g.Preview(ctx)
	return g.sites(c), err
}

// sites says how each site of a change is.
func (g *Gateway) sites(c Change) []SiteStatus {
	health := map[netip.AddrPort]Health{}
	if g.o.Health != nil {
		health = g.o.Health()
	}
	all := []SiteStatus{}
	for _, site := range c.Generation.Sites {
		one := siteStatus(site, health)
		one.CertUntil = g.certUntil(site)
		all = append(all, one)
	}
	return all
}

// drift lists what is not as it was deployed, or not as it would be deployed
// now.
func (g *Gateway) drift(c Change, s Status) []say.Text {
	var all []say.Text
	switch {
	case c.live.have == nil:
		all = append(all, "Nothing is deployed yet.")
	case len(c.live.edited) > 0:
		all = append(all, say.Sentence(wasEdited(c.live)))
	}
	if c.live.have != nil && c.Main != nil {
		all = append(all, say.F("%s does not include it.", g.layout.main()))
	}
	if s.Served != 0 && s.Served != s.Generation {
		all = append(all, say.F("The server serves generation %d, not %d.", s.Served, s.Generation))
	}
	if s.Held != "" && len(c.live.edited) == 0 {
		all = append(all, say.F("It was %s; nothing follows the containers until it is applied again.", s.Held))
	}
	return all
}

// judge is the gateway's own state; a site that is down has its own. notServed
// is why the server did not say what it serves.
func judge(s Status, notServed error) (State, say.Text) {
	switch {
	case notServed != nil && !errors.Is(notServed, errNoHeader):
		return Fail, say.F("the gateway does not answer: %s", notServed)
	case notServed != nil && s.Generation == 0:
		return Warn, "nothing of Flatnet is served yet"
	case notServed != nil:
		return Fail, say.F("what answers is not this gateway: %s", notServed)
	case len(s.Drift) > 0:
		return Warn, s.Drift[0]
	case s.Unknown != "":
		return Unknown, s.Unknown
	case s.Pending:
		return Warn, "sites have changed since the last deployment"
	case len(s.SetAside) > 0:
		return Warn, say.F("%d set aside: %s: %s", len(s.SetAside), s.SetAside[0].Host, s.SetAside[0].Reason)
	}
	return OK, ""
}

// siteStatus says how one site is. What was not probed is not known.
func siteStatus(s Site, health map[netip.AddrPort]Health) SiteStatus {
	out := SiteStatus{Host: s.Host, Source: s.Source.Say(), Maintenance: s.Maintenance, TLS: s.TLSCert != "", Upstreams: []ServerStatus{}}
	if len(s.Paths) > 0 {
		out.Path = strings.Join(s.Paths, " ")
	}
	var states []State
	for _, srv := range s.Servers {
		one := serverStatus(srv, health)
		out.Upstreams = append(out.Upstreams, one)
		states = append(states, one.State)
		if out.Reason == "" {
			out.Reason = one.Reason
		}
		if out.Upstream == "" && srv.Address.IsValid() {
			out.Upstream = srv.Address.String()
		}
	}
	out.State = siteState(states)
	if since, down := s.Down(); down {
		out.State, out.DownSince = Fail, since
	}
	switch {
	case s.Maintenance:
		out.State, out.Reason = Warn, "in maintenance"
	case s.Redirect != "":
		out.State, out.Reason = OK, say.F("redirects to %s", s.Redirect)
	}
	return out
}

// siteState is the state of a site whose servers are not all down.
func siteState(servers []State) State {
	switch {
	case slices.Contains(servers, Fail):
		return Warn
	case slices.Contains(servers, Unknown):
		return Unknown
	}
	return OK
}

func serverStatus(srv Server, health map[netip.AddrPort]Health) ServerStatus {
	one := ServerStatus{Address: srv.Address, Container: srv.Container, State: OK}
	seen, probed := health[srv.Address]
	switch {
	case srv.Down != "":
		one.State, one.Reason, one.Since = Fail, srv.Down, srv.Since
	case !probed:
		one.State, one.Reason = Unknown, "not probed"
	default:
		one.Since = seen.Since
	}
	return one
}

// List gives the kept generations, newest first, and the number of the one
// that is deployed.
func (g *Gateway) List() (all []Generation, deployed int, err error) {
	numbers, err := g.store.numbers()
	if err != nil {
		return nil, 0, err
	}
	var errs []error
	for _, n := range slices.Backward(numbers) {
		one, err := g.store.meta(n)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, one)
	}
	l, err := g.readLive()
	return all, l.number, errors.Join(append(errs, err)...)
}
