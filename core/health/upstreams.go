package health

import (
	"net"
	"net/url"
	"time"

	"flatnet/core/say"
)

// Codes of what is probed.
const (
	ProbesUnseen        Code = "probes-unseen"
	UpstreamDown        Code = "upstream-down"
	UpstreamWrongStatus Code = "upstream-wrong-status"
	UpstreamUnknown     Code = "upstream-unknown"
	UpstreamSlow        Code = "upstream-slow"
)

const slow = 1000.0 // milliseconds that half of the answers take longer than

// Causes of package probes that make a difference here.
const (
	causeStatus      = "status"
	causeBody        = "body"
	causeTimeout     = "timeout"
	causeUnreachable = "unreachable"
)

func upstreamChecks() []Check {
	unreachable := []Code{ProbesUnseen, BridgeMissing, BridgeNotABridge, BridgeDown, BridgeWrongAddress, SiteWithoutContainer, LeaseWithoutVeth}
	return []Check{
		{
			Code: ProbesUnseen, Group: GroupUpstreams, Good: "upstreams can be probed",
			Meaning: "Nothing could be probed in time.",
			Remedy:  "Try again, with a longer timeout in [probes].",
			Look: func(f Facts) []Finding {
				return unseen(f.Probes, "upstreams could not be probed", "")
			},
		},
		probeCheck(Check{
			Code: UpstreamDown, Good: "every upstream answers", Each: true, After: unreachable,
			Meaning: "A server behind a site, or a target of [[probes.target]], does not answer: stopped, on another port, or stuck.",
			Remedy:  say.F(lookAtContainer, unnamed),
		}, lookAtContainer, func(p Probe) (Severity, say.Text) {
			return Fail, say.F("%s is down", p.Name)
		}, isDown),
		probeCheck(Check{
			Code: UpstreamWrongStatus, Good: "every upstream answers as it should", Each: true, After: unreachable,
			Meaning: "A server answers, and not with the HTTP status or text that is asked for.",
			Remedy:  say.F(lookAtLog, unnamed),
		}, lookAtLog, func(p Probe) (Severity, say.Text) {
			return Fail, say.F("%s answers wrongly", p.Name)
		}, func(p Probe) bool { return isUpstream(p) && p.State == Fail && isWrong(p) }),
		probeCheck(Check{
			Code: UpstreamUnknown, Good: "every upstream could be asked", Each: true, After: unreachable,
			Meaning: "Whether the server works could not be found out: it accepts connections and says nothing yet, or this user may not send the probe.",
			Remedy:  "Wait for the next probe, or run as root. A server that says nothing for half a minute counts as down.",
		}, "", func(p Probe) (Severity, say.Text) {
			return Unknown, say.F("whether %s works is not known", p.Name)
		}, func(p Probe) bool { return isUpstream(p) && p.State == Unknown }),
		probeCheck(Check{
			Code: UpstreamSlow, Good: "every upstream answers quickly", Each: true, After: unreachable,
			Meaning: "Half of the answers take longer than a second.",
			Remedy:  say.F(lookAtLoad, unnamed),
		}, lookAtLoad, func(p Probe) (Severity, say.Text) {
			return Warn, say.F("%s is slow: half of its answers take longer than %.0f ms", p.Name, *p.P50MS)
		}, isSlow),
	}
}

func gatewayErrorsCheck() Check {
	return Check{
		Code: GatewayErrors, Group: GroupUpstreams, Good: "the gateway reaches what answers here", Each: true,
		After: []Code{
			MachineUnseen, UpstreamDown, UpstreamWrongStatus, RouteMissing, RouteWrongGateway, RouteShadowed, MirroredMode,
			IPForwardOff, ForwardMissing, ForwardBehindDrop, FirewallMixed, WindowsCannotReach, GatewayDrift,
		},
		Meaning: "The gateway's error.log tells of a 502 or 504 in the last minute, for a server that answers from this machine: the way from Windows into WSL is broken.",
		Remedy:  "Follow the path: sudo flatnet-tui path HOST",
		Applies: func(f Facts) bool { return f.Host.Known() && f.Probes.Known() },
		Look:    func(f Facts) []Finding { return gatewayErrors(f.Host.Value, f) },
	}
}

// probeCheck completes a check that gives one finding for each probe that is
// wrong, with the severity and words that title gives. named is
// the check's remedy where the container is known, with %s for its name; "":
// it is about none.
func probeCheck(c Check, named say.Text, title func(Probe) (Severity, say.Text), wrong func(Probe) bool) Check {
	if c.Group == "" {
		c.Group = GroupUpstreams
	}
	c.Applies = func(f Facts) bool { return f.Probes.Known() }
	c.Look = func(f Facts) []Finding {
		var out []Finding
		for _, p := range f.Probes.Value {
			if !wrong(p) {
				continue
			}
			severity, said := title(p)
			found := Finding{Severity: severity, Title: said, Detail: say.Join(" ", probeSeen(p), loggedFor(f, p)), Target: probeTarget(p), Since: p.Since}
			if who := containerAsked(f, p); who != "" && named != "" {
				found.Remedy = say.F(named, who)
			}
			out = append(out, found)
		}
		return out
	}
	return c
}

// containerAsked names the container at the address that p asks, "" if none is
// known to be there.
func containerAsked(f Facts, p Probe) string {
	at := addressAsked(p)
	for _, l := range f.Leases.Value {
		if held(l) && l.IP.String() == at {
			return containerOf(l)
		}
	}
	return ""
}

// addressAsked is the address or host name of what p asks.
func addressAsked(p Probe) string {
	at := p.Target
	if u, err := url.Parse(at); err == nil && u.Host != "" {
		at = u.Host
	}
	if host, _, err := net.SplitHostPort(at); err == nil {
		at = host
	}
	return at
}

func isUpstream(p Probe) bool { return p.Role == RoleUpstream || p.Role == RoleTarget }

func isSlow(p Probe) bool {
	return isUpstream(p) && p.State == OK && p.P50MS != nil && *p.P50MS > slow
}

func isWrong(p Probe) bool { return p.Cause == causeStatus || p.Cause == causeBody }

// isDown tells whether nothing is to be had from p.
func isDown(p Probe) bool { return isUpstream(p) && p.State == Fail && !isWrong(p) }

// probeTarget is what a finding about p is about: the site, where it serves one.
func probeTarget(p Probe) string {
	if p.Host != "" {
		return p.Host
	}
	return p.Target
}

// probeSeen says what was asked and what came back.
func probeSeen(p Probe) say.Text {
	var s say.Text
	switch {
	case p.Detail != "":
		s = p.Detail
	case p.LatencyMS != nil && p.Status != 0:
		s = say.F("HTTP %d in %.1f ms", p.Status, *p.LatencyMS)
	case p.LatencyMS != nil:
		s = say.F("answered in %.1f ms", *p.LatencyMS)
	default:
		s = stateWord(p.State)
	}
	return say.Sentence(say.F("%s probe of %s: %s", p.Kind, p.Target, s))
}

func stateWord(s Severity) say.Text {
	switch s {
	case OK:
		return "ok"
	case Warn:
		return "warn"
	case Fail:
		return "fail"
	case Unknown:
	}
	return "unknown"
}

// loggedFor gives what the gateway's error.log last said of the server.
func loggedFor(f Facts, p Probe) say.Text {
	for i := len(f.Host.Value.ErrorLog.Errors) - 1; i >= 0; i-- {
		e := f.Host.Value.ErrorLog.Errors[i]
		if serves(p, e.Upstream) {
			return say.F("The gateway's error.log at %s: %s.", e.At.Format(time.TimeOnly), e.Text)
		}
	}
	return ""
}
