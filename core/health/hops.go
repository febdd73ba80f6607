package health

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/bridge"
	"flatnet/core/say"
)

// hopName: whether the name resolves here. Visitors resolve it on their own
// machines, so a name that does not resolve here breaks nothing by itself.
func hopName(_ Facts, t Trace) Hop {
	if t.Names.Known() && len(t.Names.Value) > 0 {
		var all []string
		for _, a := range t.Names.Value {
			all = append(all, a.String())
		}
		return Hop{State: LinkGood, Detail: say.F("%s is %s here.", t.Host, strings.Join(all, ", "))}
	}
	why := t.Names.Err
	if why == "" {
		why = "it has no address here"
	}
	return Hop{
		State: LinkUnknown, Detail: say.Sentence(say.F("Visitors resolve it on their own machines; here: %s", why)),
		Remedy: "Put the name into office DNS, or into the visitors' hosts file: sudo flatnet-tui gateway hosts",
	}
}

// hopSite: whether the gateway has the site, and a server for it.
func hopSite(f Facts, t Trace) Hop {
	if !f.Gateway.Known() {
		found := unseen(f.Gateway, "the gateway's files could not be read", "")[0]
		return Hop{State: LinkUnknown, Detail: say.Join(" ", say.Sentence(found.Title), found.Detail), Remedy: byRoot}
	}
	for _, a := range f.Gateway.Value.SetAside {
		if a.Host == t.Host && t.Site == nil {
			return Hop{
				State: LinkBad, Detail: say.Sentence(say.F("It was set aside: %s", a.Reason)),
				Remedy: say.F("Correct it in [[gateway.site]], or in the labels of %s.", a.Source),
			}
		}
	}
	switch {
	case t.Site == nil:
		return Hop{
			State: LinkBad, Detail: say.F("No [[gateway.site]] and no container's label has the host %s.", t.Host),
			Remedy: "Add a [[gateway.site]], or the label flatnet.host to the container.",
		}
	case t.Site.Maintenance:
		return Hop{
			State: LinkBad, Detail: "The site is in maintenance: visitors see that page.",
			Remedy: say.F("Press M on it in the console, or run: sudo flatnet-tui gateway maintenance %s off", t.Host),
		}
	case !t.Server.Address.IsValid() && !t.redirects():
		return Hop{
			State: LinkBad, Detail: say.Sentence(say.F("No server of it has an address: %s", t.Site.Reason)),
			Remedy: say.F("Start its container: sudo podman start %s", serving(*t.Site)),
		}
	case slices.Contains(f.Gateway.Value.Moving, t.Host):
		return Hop{State: LinkBad, Detail: "It is not deployed yet: the gateway does not know it.", Remedy: byGateway}
	}
	return byChecks(func(Facts) say.Text {
		if t.redirects() {
			return say.Sentence(say.F("From %s, %s", t.Site.Source, t.Site.Reason))
		}
		return say.F("From %s, served by %s.", t.Site.Source, t.Server.Address)
	}, GatewayOtherGeneration, GatewayDrift)(f, t)
}

// hopAddress: whether the address that Windows is to send packets to is known.
func hopAddress(f Facts, _ Trace) Hop {
	w := f.Windows.Value
	switch {
	case f.Windows.Known() && !w.Enabled:
		return Hop{State: LinkGood, Detail: "There is no Windows here; nothing has to come in by WSL's address."}
	case !f.Windows.Known() && !w.WSLAddress.IsValid() && w.Trouble == nil:
		return Hop{State: LinkUnknown, Detail: say.Join(" ", "Windows could not be looked at.", say.Sentence(whyUnseen(f.Windows))), Remedy: "Try again."}
	case !w.WSLAddress.IsValid():
		return Hop{
			State: LinkUnknown, Detail: "WSL's default route names no source address.",
			Remedy: "Look at: ip -4 route show default, and ip -4 address",
		}
	}
	return Hop{State: LinkGood, Detail: say.F("WSL's address is %s, Windows' %s.", w.WSLAddress, orNone(addrText(w.WindowsAddress)))}
}

// hopVeth: whether the host's end of the container's link is on the bridge.
func hopVeth(f Facts, t Trace) Hop {
	l := t.Server.Lease
	switch {
	case !t.Server.Address.IsValid():
		return notReached("no server of the site has an address")
	case !f.Leases.Known():
		return Hop{State: LinkUnknown, Detail: say.Sentence(say.F("The leases could not be read: %s", f.Leases.Err)), Remedy: byRoot}
	case l.ContainerID == "":
		return Hop{
			State: LinkBad, Detail: say.F("No lease is held for %s.", t.Server.Address.Addr()),
			Remedy: say.F("Start the container again (sudo podman restart %s), then: sudo flatnet-tui gateway apply", t.Server.name()),
		}
	case !f.Bridge.Known():
		return Hop{State: LinkUnknown, Detail: "The bridge could not be looked at.", Remedy: byRoot}
	}
	for _, p := range f.Bridge.Value.Ports {
		ip, ours := aliasAddr(p, f.Config.Network.Name)
		if p.Name != l.HostVeth && (!ours || ip != l.IP) {
			continue
		}
		return portHop(p, f.Bridge.Value, t.Server.name())
	}
	return Hop{
		State: LinkBad, Detail: say.F("%s is not a port of %s.", orNone(l.HostVeth), f.Config.Network.Bridge),
		Remedy: say.F(restartAgain, t.Server.name()),
	}
}

// portHop: a port without carrier is bad, unless the whole bridge is down.
func portHop(p bridge.Port, b bridge.Status, container string) Hop {
	if p.Up || !b.Up {
		return Hop{State: LinkGood, Detail: say.F("%s is on %s.", p.Name, b.Name)}
	}
	return Hop{
		State: LinkBad, Detail: say.F("%s is down, or the container's end of it is.", p.Name),
		Remedy: say.F("Run: sudo ip link set %s up. If that does not help: sudo podman restart %s", p.Name, container),
	}
}

// hopNamespace: whether the container's own interface is up with the address,
// and its answers find a way out.
func hopNamespace(_ Facts, t Trace) Hop {
	n := t.Namespace.Value
	switch {
	case !t.Server.Address.IsValid():
		return notReached("no server of the site has an address")
	case !t.Namespace.Known():
		return Hop{State: LinkUnknown, Detail: say.Sentence(say.F("It could not be looked into: %s", whyUnseen(t.Namespace))), Remedy: byRoot}
	case !slices.ContainsFunc(n.Addresses, func(a netip.Prefix) bool { return a.Addr() == t.Server.Address.Addr() }):
		return Hop{
			State: LinkBad, Detail: say.F("%s has not the address %s inside.", orNone(t.Server.Lease.IfName), t.Server.Address.Addr()),
			Remedy: say.F(restartAgain, t.Server.name()),
		}
	case !n.Up:
		return Hop{
			State: LinkBad, Detail: say.F("%s is down inside the container.", t.Server.Lease.IfName),
			Remedy: say.F(restartAgain, t.Server.name()),
		}
	case !n.Routed:
		return Hop{
			State: LinkBad, Detail: "The container has no default route: what it answers does not get to Windows.",
			Remedy: say.F(restartAgain, t.Server.name()),
		}
	}
	return Hop{State: LinkGood, Detail: say.F("%s has %s in %s.", t.Server.Lease.IfName, t.Server.Address.Addr(), n.Path)}
}

func hopPort(_ Facts, t Trace) Hop { return byProbe(t.Port, say.F(lookAtListening, t.Server.name())) }

func hopDirect(_ Facts, t Trace) Hop { return byProbe(t.Direct, say.F(lookAtLog, t.Server.name())) }

// hopGateway: a page that the server has and the gateway has not is the
// gateway's own: it does not serve the site.
func hopGateway(_ Facts, t Trace) Hop {
	if t.Gateway.Status == http.StatusNotFound && t.Direct.State == OK && t.Direct.Status != http.StatusNotFound {
		return Hop{
			State: LinkBad, Detail: say.F("The gateway answers 404 where the server answers %d: it does not serve the site.", t.Direct.Status),
			Remedy: byGateway,
		}
	}
	return byProbe(t.Gateway, byGateway+". A 502 or 504 though the port is open here: the way from Windows into WSL is broken.")
}

// hopWindows: the same request from Windows, where it can be asked.
func hopWindows(f Facts, t Trace) Hop {
	if f.Windows.Known() && !f.Windows.Value.Enabled {
		return Hop{State: LinkGood, Detail: "There is no Windows here to ask from."}
	}
	if w := f.Windows.Value; w.Trouble != nil {
		return Hop{State: LinkUnknown, Detail: say.Sentence(w.Trouble.Title), Remedy: w.Trouble.Remedy}
	}
	return byProbe(t.Windows, "Look at firewalls between Windows and WSL (Hyper-V's, and a VPN's).")
}

// byProbe judges a hop by what a probe said. Every HTTP status is an answer;
// those of a server that failed are bad.
func byProbe(p Probe, remedy say.Text) Hop {
	switch {
	case p.Kind == "":
		return notReached("there is nothing to ask")
	case p.State == OK:
		return Hop{State: LinkGood, Detail: probeSeen(p)}
	case p.State == Fail:
		return Hop{State: LinkBad, Detail: probeSeen(p), Remedy: remedy}
	}
	return Hop{State: LinkUnknown, Detail: probeSeen(p), Remedy: remedy}
}

func notReached(why say.Text) Hop {
	return Hop{State: LinkNotReached, Detail: say.Sentence(say.F("Not reached: %s", why))}
}
