package health

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/gateway"
	"flatnet/core/leases"
	"flatnet/core/say"
)

// Link is how one hop of a path is.
type Link string

// The states of a hop. NotReached: an earlier hop is bad, so this one cannot
// be told apart from that.
const (
	LinkGood       Link = "good"
	LinkBad        Link = "bad"
	LinkUnknown    Link = "unknown"
	LinkNotReached Link = "not reached"
)

// Hop is one link of the way from a site's name to its container.
type Hop struct {
	Name   say.Text `json:"name"`
	State  Link     `json:"state"`
	Detail say.Text `json:"detail"`           // what was seen
	Remedy say.Text `json:"remedy,omitempty"` // of a hop that is bad or unknown
}

// Path is the way to one site.
type Path struct {
	Host     string `json:"host"`
	Upstream string `json:"upstream,omitempty"` // address and port of the server followed
	Hops     []Hop  `json:"hops"`
	// Broken is the index of the first bad hop, -1 if there is none.
	Broken int `json:"broken"`
}

// Server is the site's server that is followed, and the lease it has.
type Server struct {
	Container string         `json:"container,omitempty"`
	Address   netip.AddrPort `json:"address,omitzero"`
	Lease     leases.Status  `json:"lease,omitzero"` // zero: none is held for the address
}

// name is the container's as Podman takes it, unnamed where it is not known.
func (s Server) name() string { return cmp.Or(s.Container, containerOf(s.Lease), unnamed) }

// Namespace is what was seen inside a container's network namespace.
type Namespace struct {
	Path      string         `json:"path"`
	Addresses []netip.Prefix `json:"addresses"` // of the interface that the lease names
	Up        bool           `json:"up"`
	Routed    bool           `json:"routed"` // it has a default route, by whatever interface
}

// Trace is what following a path needs besides Facts: looks that are about
// this site alone.
type Trace struct {
	Host      string
	Site      *gateway.SiteStatus // nil: the gateway knows none
	Server    Server
	Names     Seen[[]netip.Addr]
	Namespace Seen[Namespace]
	Port      Probe // TCP, from this machine
	Direct    Probe // HTTP, from this machine
	Gateway   Probe // HTTP, through the gateway, from this machine
	Windows   Probe // HTTP, from Windows to the container; Kind "" : not tried
}

// redirects tells whether the site has no servers: the gateway sends visitors
// elsewhere.
func (t Trace) redirects() bool { return t.Site != nil && len(t.Site.Upstreams) == 0 }

// ServerOf picks the server of a site that is to be followed: the first with
// an address, of several one that is down.
func ServerOf(f Facts, site gateway.SiteStatus) Server {
	var picked gateway.ServerStatus
	for _, u := range site.Upstreams {
		if u.Address.IsValid() && (!picked.Address.IsValid() || picked.State != gateway.Fail && u.State == gateway.Fail) {
			picked = u
		}
	}
	s := Server{Container: picked.Container, Address: picked.Address}
	for _, l := range f.Leases.Value {
		if s.Address.IsValid() && l.IP == s.Address.Addr() && held(l) {
			s.Lease = l
		}
	}
	return s
}

// Follow judges each hop of the way to a site. It only looks at what it is
// given.
func Follow(f Facts, t Trace) Path {
	p := Path{Host: t.Host, Broken: -1}
	if t.Server.Address.IsValid() {
		p.Upstream = t.Server.Address.String()
	}
	for _, h := range hops() {
		if h.inside && t.Server.Address.IsValid() && !f.Config.Network.Subnet.Contains(t.Server.Address.Addr()) {
			continue // a server elsewhere is not behind the bridge
		}
		if t.redirects() && (h.inside || h.server) {
			continue // the gateway answers by itself
		}
		hop := h.judge(f, t)
		hop.Name = h.name
		if p.Broken >= 0 && h.through && hop.State != LinkGood {
			hop = Hop{Name: h.name, State: LinkNotReached, Detail: say.F("Not reached: %s is bad.", p.Hops[p.Broken].Name)}
		}
		p.Hops = append(p.Hops, hop)
		if hop.State == LinkBad && p.Broken < 0 {
			p.Broken = len(p.Hops) - 1
		}
	}
	return p
}

// hop is one kind of link. inside: only on the way over the bridge; server: it
// is about a server behind the gateway; through: it is tried over the hops
// before it, so that it says little once one of them is bad.
type hop struct {
	name    say.Text
	inside  bool
	server  bool
	through bool
	judge   func(Facts, Trace) Hop
}

func hops() []hop {
	return []hop{
		{name: "name", judge: hopName},
		{name: "gateway answers", judge: byChecks(gatewayAnswering, GatewayDown)},
		{name: "site known", judge: hopSite},
		{name: "Windows route", inside: true, judge: byChecks(routeSeenAs,
			WindowsUnseen, MirroredMode, RouteMissing, RouteWrongGateway, RouteShadowed, RouteUnjudged)},
		{name: "WSL address", inside: true, judge: hopAddress},
		{name: "ip_forward", inside: true, judge: byChecks(said("net.ipv4.ip_forward is 1."), BridgeUnseen, IPForwardOff)},
		{name: "FORWARD", inside: true, judge: byChecks(forwardSeenAs, FirewallUnseen, ForwardMissing, ForwardBehindDrop, FirewallMixed)},
		{name: "bridge", inside: true, judge: byChecks(bridgeSeenAs,
			BridgeUnseen, BridgeMissing, BridgeNotABridge, BridgeDown, BridgeWrongAddress)},
		{name: "veth", inside: true, judge: hopVeth},
		{name: "namespace", inside: true, judge: hopNamespace},
		{name: "port open", server: true, through: true, judge: hopPort},
		{name: "HTTP status", server: true, through: true, judge: hopDirect},
		{name: "from Windows", inside: true, through: true, judge: hopWindows},
		{name: "through the gateway", through: true, judge: hopGateway},
	}
}

// byChecks judges a hop by checks: the first that found a failure or something
// unknown decides. A warning leaves the hop good and is told.
func byChecks(good func(Facts) say.Text, codes ...Code) func(Facts, Trace) Hop {
	return func(f Facts, _ Trace) Hop {
		h := Hop{State: LinkGood, Detail: good(f)}
		for _, found := range findingsOf(f, codes) {
			text := say.Join(" ", say.Sentence(found.Title), found.Detail)
			switch found.Severity {
			case Fail:
				return Hop{State: LinkBad, Detail: text, Remedy: found.Remedy}
			case Unknown:
				return Hop{State: LinkUnknown, Detail: text, Remedy: found.Remedy}
			case Warn:
				h.Detail = text
			case OK:
			}
		}
		return h
	}
}

// findingsOf runs the checks with these codes, each by itself: none hides
// another.
func findingsOf(f Facts, codes []Code) []Finding {
	var out []Finding
	for _, c := range Checks() {
		if !slices.Contains(codes, c.Code) || (c.Applies != nil && !c.Applies(f)) {
			continue
		}
		for _, found := range c.Look(f) {
			out = append(out, c.complete(found))
		}
	}
	return out
}

func said(s say.Text) func(Facts) say.Text { return func(Facts) say.Text { return s } }

func gatewayAnswering(f Facts) say.Text {
	for _, p := range gatewayProbes(f) {
		return probeSeen(p)
	}
	return "Its health page is switched off in the configuration (health_url), so this was not asked."
}

func routeSeenAs(f Facts) say.Text {
	w := f.Windows.Value
	if !w.Enabled {
		return say.Join(" ", "There is no Windows here; the gateway runs on this machine.", say.Sentence(w.Reason))
	}
	return say.Sentence(w.Verdict.Text)
}

func forwardSeenAs(f Facts) say.Text {
	return say.F("The accepts are there (%s).", f.Firewall.Value.Backend)
}

func bridgeSeenAs(f Facts) say.Text {
	b := f.Bridge.Value
	return say.F("%s is up with %s.", b.Name, strings.Join(b.Addresses, ", "))
}
