package health

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/bridge"
	"flatnet/core/leases"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// Codes of the leases.
const (
	LeasesUnseen     Code = "leases-unseen"
	LeaseStale       Code = "lease-stale"
	LeaseUnknown     Code = "lease-unknown"
	LeaseDoubled     Code = "lease-doubled"
	PoolNearlyFull   Code = "pool-nearly-full"
	LeaseWithoutVeth Code = "lease-without-veth"
	VethWithoutLease Code = "veth-without-lease"
)

// poolLow is the part of the pool that is free when it is nearly full.
const poolLow = 0.1

func leaseChecks() []Check {
	return []Check{
		{
			Code: LeasesUnseen, Group: GroupLeases, Good: "the leases can be read",
			Meaning: "The state file could not be read, so it is not known who holds which address.",
			Remedy:  "Run as root. A damaged file is set aside and built anew from the kernel at the next container start.",
			Look: func(f Facts) []Finding {
				return unseen(f.Leases, "the leases could not be read", f.Config.IPAM.StateDir)
			},
		},
		leaseCheck(Check{
			Code: LeaseUnknown, Good: "every lease can be judged", Each: true, After: []Code{PodmanUnreachable},
			Meaning: "Whether the lease's container is still there could not be found out; it is left alone.",
			Remedy:  "Run as root, with Podman answering, so that both witnesses can be asked.",
		}, ofState(leases.Unknown, Unknown, "it is not known whether the lease of %s is in use")),
		leaseCheck(Check{
			Code: LeaseStale, Good: "no lease is stale", Each: true, Repair: repair.ReleaseStaleID,
			Meaning: "The address is held for a container that is gone: left over from a crash or a reboot.",
			Remedy:  byRelease,
		}, ofState(leases.Stale, Warn, "the lease of %s is stale")),
		leaseCheck(Check{
			Code: LeaseDoubled, Good: "no container has two addresses, no address two containers", Each: true,
			Meaning: "One interface of a container holds two addresses, or two links on the bridge claim one address.",
			Remedy:  "Start the containers named again, one after the other (sudo podman restart NAME): each is then attached anew.",
		}, doubledLeases),
		leaseCheck(Check{
			Code: PoolNearlyFull, Good: "the pool has free addresses",
			Meaning: "Fewer than a tenth of the pool's addresses are free: a warning; none is free: failing, no container can start.",
			Remedy:  "Release stale leases (key R, or sudo flatnet-tui leases release --stale), or widen range_start and range_end in [network].",
		}, pool),
		leaseCheck(Check{
			Code: LeaseWithoutVeth, Good: "every lease in use has its link on the bridge", Each: true,
			After: []Code{BridgeUnseen, BridgeMissing, BridgeNotABridge}, Repair: repair.BridgeID,
			Meaning: "A running container holds the address, and its link is off the bridge, or switched off: it cannot be reached.",
			Remedy:  byBridge + ". If the link is gone: sudo podman restart " + unnamed,
		}, withoutVeth),
		leaseCheck(Check{
			Code: VethWithoutLease, Good: "every link on the bridge has its lease", Each: true,
			After:   []Code{BridgeUnseen, BridgeMissing, BridgeNotABridge},
			Meaning: "A link of the plugin's is on the bridge and no lease belongs to it: its address could be given away a second time.",
			Remedy:  "Start its container again (sudo podman restart NAME). If there is none any more: sudo ip link delete LINK",
		}, withoutLease),
	}
}

// leaseCheck completes a check that needs the leases.
func leaseCheck(c Check, look func([]leases.Status, Facts) []Finding) Check {
	c.Group = GroupLeases
	c.After = append([]Code{LeasesUnseen}, c.After...)
	c.Applies = func(f Facts) bool { return f.Leases.Known() }
	c.Look = func(f Facts) []Finding { return look(f.Leases.Value, f) }
	return c
}

func ofState(s leases.State, bad Severity, title say.Text) func([]leases.Status, Facts) []Finding {
	return func(all []leases.Status, _ Facts) []Finding {
		var out []Finding
		for _, l := range all {
			if l.State == s {
				out = append(out, Finding{Severity: bad, Target: l.IP.String(), Title: say.F(title, owner(l)), Detail: say.Sentence(l.Reason)})
			}
		}
		return out
	}
}

// owner names a lease for a person: "10.87.1.2 (forgejo)".
func owner(l leases.Status) string {
	who := containerOf(l)
	if who == "" {
		return l.IP.String()
	}
	return fmt.Sprintf("%s (%s)", l.IP, who)
}

// containerOf names a lease's container as Podman takes it, "" if it has none.
func containerOf(l leases.Status) string {
	return cmp.Or(l.Name, l.ContainerID[:min(12, len(l.ContainerID))])
}

// held tells whether somebody has the address now.
func held(l leases.Status) bool {
	return l.State == leases.Active || l.State == leases.Stale || l.State == leases.Unknown
}

func doubledLeases(all []leases.Status, f Facts) []Finding {
	var out []Finding
	first := map[string]leases.Status{}
	for _, l := range all {
		if !held(l) || l.ContainerID == "" {
			continue
		}
		key := l.ContainerID + "/" + l.IfName
		if other, there := first[key]; there {
			out = append(out, Finding{
				Severity: Warn, Target: l.IP.String(),
				Title:  say.F("one interface holds two addresses: %s and %s", other.IP, owner(l)),
				Detail: say.F("Both belong to container %s, interface %s.", l.ContainerID, orNone(l.IfName)),
			})
			continue
		}
		first[key] = l
	}
	return append(out, doubledPorts(f)...)
}

// doubledPorts finds links on the bridge whose alias claims one address.
func doubledPorts(f Facts) []Finding {
	var out []Finding
	claimed := map[netip.Addr]bridge.Port{}
	for _, p := range f.Bridge.Value.Ports {
		ip, ours := aliasAddr(p, f.Config.Network.Name)
		if !ours {
			continue
		}
		if other, there := claimed[ip]; there {
			out = append(out, Finding{
				Severity: Fail, Target: ip.String(), Title: say.F("two links on the bridge claim %s", ip),
				Detail: say.F("%s (%s) and %s (%s).", other.Name, other.Alias, p.Name, p.Alias),
			})
			continue
		}
		claimed[ip] = p
	}
	return out
}

// aliasAddr reads the address out of a host link's alias, which is
// "flatnet <network> <container id> <interface> <ip> [name]".
func aliasAddr(p bridge.Port, network string) (ip netip.Addr, ours bool) {
	words := strings.Fields(p.Alias)
	if len(words) < 5 || words[0] != "flatnet" || words[1] != network {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(words[4])
	return ip, err == nil
}

func pool(all []leases.Status, f Facts) []Finding {
	n := f.Config.Network
	size := addresses(n.RangeStart, n.RangeEnd)
	taken := 0
	for _, l := range all {
		inPool := l.IP.Compare(n.RangeStart) >= 0 && l.IP.Compare(n.RangeEnd) <= 0
		if inPool && l.State != leases.Quarantined { // given out again when nothing else is free
			taken++
		}
	}
	free := max(size-taken, 0)
	if size == 0 || float64(free) >= poolLow*float64(size) {
		return nil
	}
	finding := Finding{
		Severity: Warn, Target: n.Subnet.String(), Title: say.Count(free, "the pool is nearly full: %d address left", "the pool is nearly full: %d addresses left"),
		Detail: say.F("%d of the %d addresses from %s to %s are held or reserved.", taken, size, n.RangeStart, n.RangeEnd),
	}
	if free == 0 {
		finding.Severity, finding.Title = Fail, "the pool is full: no container can start"
	}
	return []Finding{finding}
}

// addresses counts from first to last, both included.
func addresses(first, last netip.Addr) int {
	if !first.Is4() || !last.Is4() || last.Less(first) {
		return 0
	}
	a, b := first.As4(), last.As4()
	n := 0
	for i := range 4 {
		n = n<<8 + int(b[i]) - int(a[i])
	}
	return n + 1
}

func withoutVeth(all []leases.Status, f Facts) []Finding {
	var out []Finding
	for _, l := range all {
		why, gone := portMissing(f.Bridge.Value, l.HostVeth)
		if l.State != leases.Active || l.HostVeth == "" || why == "" {
			continue
		}
		found := Finding{
			Severity: Fail, Target: l.IP.String(), Title: say.F("%s is in use and has no link on the bridge", owner(l)),
			Detail: why, about: sitesAt(f, l.IP), Remedy: byBridge, Repair: repair.BridgeID,
		}
		if gone { // the bridge's repair has nothing to put back
			found.Remedy, found.Repair = say.F(restartAgain, containerOf(l)), ""
		}
		out = append(out, found)
	}
	return out
}

// portMissing says why the link carries nothing, "" if it is on the bridge and
// switched on. gone: there is no such link any more.
func portMissing(b bridge.Status, name string) (why say.Text, gone bool) {
	named := func(p bridge.Port) bool { return p.Name == name }
	i := slices.IndexFunc(b.Ports, named)
	switch {
	case i >= 0 && b.Ports[i].Enabled:
		return "", false
	case i >= 0:
		return say.F("%s is switched off.", name), false
	case slices.ContainsFunc(b.Detached, named):
		return say.F("%s is there and is not a port of %s.", name, b.Name), false
	}
	return say.F("There is no %s.", name), true
}

// sitesAt gives the hosts of sites that are served from ip.
func sitesAt(f Facts, ip netip.Addr) []string {
	var hosts []string
	for _, s := range f.Gateway.Value.Sites {
		for _, u := range s.Upstreams {
			if u.Address.Addr() == ip {
				hosts = append(hosts, s.Host)
			}
		}
	}
	return hosts
}

func withoutLease(all []leases.Status, f Facts) []Finding {
	known := map[string]bool{}
	addr := map[netip.Addr]bool{}
	for _, l := range all {
		if held(l) {
			known[l.HostVeth], addr[l.IP] = true, true
		}
	}
	var out []Finding
	for _, p := range f.Bridge.Value.Ports {
		ip, ours := aliasAddr(p, f.Config.Network.Name)
		if !ours && !strings.HasPrefix(p.Name, "fn-") || known[p.Name] || (ours && addr[ip]) {
			continue
		}
		out = append(out, Finding{
			Severity: Warn, Target: p.Name, Title: say.F("%s is on the bridge and no lease belongs to it", p.Name),
			Detail: say.F("Its alias is %s.", orNone(p.Alias)),
			Remedy: anew(p, ours),
		})
	}
	return out
}

// anew has the container that a link's alias names attached anew, or has the
// link deleted.
func anew(p bridge.Port, ours bool) say.Text {
	if !ours {
		return say.F("If nothing needs it: sudo ip link delete %s", p.Name)
	}
	words := strings.Fields(p.Alias)
	who := words[2][:min(12, len(words[2]))]
	if len(words) > 5 {
		who = words[5]
	}
	return say.F("Start its container again: sudo podman restart %s. If there is none any more: sudo ip link delete %s", who, p.Name)
}
