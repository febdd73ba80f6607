package health

import (
	"slices"

	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/core/windows"
)

// Codes of the Windows side.
const (
	WindowsUnseen      Code = "windows-unreachable"
	MirroredMode       Code = "wsl-mirrored"
	RouteMissing       Code = "route-missing"
	RouteWrongGateway  Code = "route-wrong-gateway"
	RouteShadowed      Code = "route-shadowed"
	RouteDuplicate     Code = "route-duplicate"
	RouteAfterRestart  Code = "route-after-restart"
	RouteUnjudged      Code = "route-unjudged"
	WindowsCannotReach Code = "windows-cannot-reach"
)

func windowsChecks() []Check { return append([]Check{windowsAsked()}, routeChecks()...) }

func windowsAsked() Check {
	return Check{
		Code: WindowsUnseen, Group: GroupWindows, Good: "Windows can be asked, or there is none",
		Meaning: "Windows' programs cannot be started or do not answer, so its route is not known.",
		Remedy:  "See whether cmd.exe /c ver answers in this terminal. Over ssh and in services WSL_INTEROP may be missing.",
		Look:    windowsUnseen,
	}
}

// routeChecks are about the verdict on Windows' route.
func routeChecks() []Check {
	return []Check{
		verdictCheck(Check{
			Code: MirroredMode, Good: "WSL's networking mode allows a route",
			Meaning: "WSL runs in mirrored mode: it shares Windows' addresses, and no route can lead to it.",
			Remedy:  `Set networkingMode=nat under [wsl2] in %UserProfile%\.wslconfig and run wsl --shutdown.`,
		}, windows.Mirrored),
		verdictCheck(Check{
			Code: RouteMissing, Good: "Windows has a route to the subnet", Repair: repair.RouteID,
			Meaning: "Windows has no route to the subnet; it vanishes when Windows or WSL restarts (seed, Troubleshooting).",
			Remedy:  byRoute,
		}, windows.Missing),
		verdictCheck(Check{
			Code: RouteWrongGateway, Good: "the route leads to WSL", Repair: repair.RouteID,
			Meaning: "Windows' route to the subnet leads to an address that is not WSL's: an old one, or another network's.",
			Remedy:  byRoute,
		}, windows.OldAddress, windows.OtherGateway),
		verdictCheck(Check{
			Code: RouteShadowed, Good: "no other route wins over ours", Repair: repair.RouteID,
			Meaning: "Our route is there, and a more specific or cheaper one wins: a VPN's, often (WSL#4277).",
			Remedy:  byRoute + ". Where the other route is more specific that does not help: disconnect the VPN, or have its administrator leave the subnet out, or choose another subnet: key subnet in [network].",
		}, windows.Shadowed),
		verdictCheck(Check{
			Code: RouteDuplicate, Good: "there is one route to the subnet", Repair: repair.RouteID,
			Meaning: "A second route to the subnet is left over; ours wins for now.",
			Remedy:  byRoute,
		}, windows.Duplicate),
		verdictCheck(Check{
			Code: RouteAfterRestart, Good: "the route stays right after a restart", Repair: repair.RouteID,
			Meaning: "A persistent route says otherwise than the present one: after Windows restarts it leads to the wrong place.",
			Remedy:  byRoute,
		}, windows.PersistentDisagrees),
		verdictCheck(Check{
			Code: RouteUnjudged, Good: "the route can be judged",
			Meaning: "The route could not be judged: WSL's address, its mode or Windows' table is not known.",
			Remedy:  "Compare by hand: route print -4 in Windows, ip -4 address show eth0 in WSL.",
		}, windows.Undecided),
	}
}

// windowsReaches comes after what may keep a server from answering anybody.
func windowsReaches() Check {
	return Check{
		Code: WindowsCannotReach, Group: GroupWindows, Good: "what Windows tried to reach answered", Each: true,
		Meaning: "The route is right, and Windows still gets no answer: a firewall between the two, on Windows (Hyper-V) most often.",
		Remedy:  "Look at the Hyper-V firewall of WSL (Get-NetFirewallHyperVVMSetting in PowerShell) and at VPN software on Windows. If it is the bridge alone, at this machine's rules: sudo iptables -L INPUT -n -v",
		After: []Code{
			WindowsUnseen, MirroredMode, RouteMissing, RouteWrongGateway, RouteShadowed, RouteUnjudged,
			BridgeMissing, BridgeNotABridge, BridgeDown, BridgeWrongAddress, IPForwardOff, ForwardMissing, ForwardBehindDrop, FirewallMixed,
			LeaseWithoutVeth, SiteWithoutContainer, UpstreamDown, UpstreamWrongStatus, UpstreamUnknown,
		},
		Applies: windowsAnswers,
		Look:    cannotReach,
	}
}

func windowsAnswers(f Facts) bool {
	w := f.Windows
	return w.Known() && w.Value.Enabled && w.Value.Trouble == nil
}

func windowsUnseen(f Facts) []Finding {
	w := f.Windows.Value
	if w.Trouble == nil {
		return unseen(f.Windows, "Windows could not be looked at", f.Config.Windows.SystemRoot)
	}
	return []Finding{{
		Severity: Unknown, Target: f.Config.Windows.SystemRoot,
		Title: w.Trouble.Title, Detail: w.Trouble.Detail, Remedy: w.Trouble.Remedy,
	}}
}

// verdictCheck completes a check of the verdict on the route: it is for the
// kinds named, and core/windows says how bad they are.
func verdictCheck(c Check, kinds ...windows.Kind) Check {
	c.Group = GroupWindows
	c.After = []Code{WindowsUnseen}
	c.Applies = windowsAnswers
	c.Look = func(f Facts) []Finding {
		w := f.Windows.Value
		for _, k := range kinds {
			if w.Verdict.Kind == k {
				found := Finding{
					Severity: Severity(k.State()), Target: f.Config.Network.Subnet.String(),
					Title: w.Verdict.Text, Detail: routeSeen(w), Remedy: w.Verdict.Remedy,
				}
				if w.Verdict.Mendable() {
					found.Repair = c.Repair
				}
				return []Finding{found}
			}
		}
		return nil
	}
	return c
}

// routeSeen says what the judgement rests on.
func routeSeen(w windows.Status) say.Text {
	s := say.F("WSL's address is %s, its mode %s.", orNone(addrText(w.WSLAddress)), orNone(string(w.Mode)))
	if r := w.Route; r != nil {
		if !r.Gateway.IsValid() {
			return say.Join(" ", s, say.F("route print: %s on-link, metric %d, persistent %s.", r.Destination, r.Metric, yesNo(r.Persistent)))
		}
		return say.Join(" ", s, say.F("route print: %s via %s, metric %d, persistent %s.", r.Destination, r.Gateway, r.Metric, yesNo(r.Persistent)))
	}
	return say.Join(" ", s, "route print shows no route to the subnet.")
}

func cannotReach(f Facts) []Finding {
	var out []Finding
	for _, r := range f.Windows.Value.Reach {
		if r.State != windows.Fail || slowHere(f, r.Host) || deadHere(f, r.Target) {
			continue
		}
		found := Finding{
			Severity: Fail, Target: r.Target, Title: say.F("Windows does not reach %s", r.Name),
			Detail: say.Sentence(say.F("%s %s from Windows: %s", r.Kind, r.Target, r.Detail)),
		}
		if r.Host != "" {
			found.about = []string{r.Host}
		}
		out = append(out, found)
	}
	return out
}

// deadHere tells whether what Windows pinged does not answer this machine,
// either. A server that refuses connections says nothing of that.
func deadHere(f Facts, addr string) bool {
	return slices.ContainsFunc(f.Probes.Value, func(p Probe) bool {
		return isDown(p) && (p.Cause == causeTimeout || p.Cause == causeUnreachable) && addressAsked(p) == addr
	})
}

// slowHere tells whether the site's server is slow from here, too: Windows'
// patience ended, and that says nothing of the way.
func slowHere(f Facts, host string) bool {
	return slices.ContainsFunc(f.Probes.Value, func(p Probe) bool { return p.Role == RoleUpstream && p.Host == host && isSlow(p) })
}
