package health

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"flatnet/core/gateway"
	"flatnet/core/host"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// Codes of the gateway and its sites.
const (
	GatewayUnseen          Code = "gateway-unseen"
	GatewayDown            Code = "gateway-down"
	GatewayOtherGeneration Code = "gateway-other-generation"
	GatewayDrift           Code = "gateway-drift"
	SiteSetAside           Code = "site-set-aside"
	SiteHostTwice          Code = "site-host-twice"
	SiteWithoutContainer   Code = "site-without-container"
	SiteCertificate        Code = "site-certificate"
	GatewayErrors          Code = "gateway-502"
)

// endsSoon is how long before its end a certificate is spoken of.
const endsSoon = 14 * 24 * time.Hour

// recentErrors is how old a line of error.log may be to speak of now.
const recentErrors = time.Minute

func gatewayChecks() []Check {
	return []Check{
		{
			Code: GatewayUnseen, Group: GroupGateway, Good: "the gateway's files can be read",
			Meaning: "The gateway's configuration folder could not be read, so it is not known what it serves.",
			Remedy:  "See whether the drive is mounted (ls of config_dir in [gateway]); WSL mounts Windows' drives under /mnt.",
			Look:    gatewayUnseen,
		},
		{
			Code: GatewayDown, Group: GroupGateway, Good: "the gateway answers",
			Meaning: "The gateway does not answer as it should at its health page, so nobody reaches any site.",
			Remedy:  "Start OpenResty on Windows (nginx.exe in its folder), and look at logs\\error.log there.",
			Applies: func(f Facts) bool { return len(gatewayProbes(f)) > 0 },
			Look:    gatewayDown,
		},
		gatewayCheck(Check{
			Code: GatewayOtherGeneration, Good: "the gateway serves what was deployed", Repair: repair.GatewayID, After: []Code{GatewayDown},
			Meaning: "The running gateway serves another generation of the configuration than the one deployed: it was not reloaded.",
			Remedy:  byGateway + ". Or reload it on Windows: nginx.exe -s reload, from the account that started it.",
		}, otherGeneration),
		gatewayCheck(Check{
			Code: GatewayDrift, Good: "the gateway's configuration is as it should be", Repair: repair.GatewayID,
			After:   driftCauses(),
			Meaning: "The gateway's configuration differs from what sites and containers ask for now, or was edited by hand.",
			Remedy:  byGateway,
		}, drift),
		gatewayCheck(Check{
			Code: SiteHostTwice, Good: "no host name is claimed twice", Each: true,
			Meaning: "Two sites claim one host name; the first is served and the second set aside.",
			Remedy:  "Change host in [[gateway.site]], or the container's label.",
		}, setAside(true)),
		gatewayCheck(Check{
			Code: SiteSetAside, Good: "no site is set aside", Each: true,
			Meaning: "A site cannot be served as it is written, so it is left out; the others are served.",
			Remedy:  "Correct it in [[gateway.site]], or in the container's labels.",
		}, setAside(false)),
		gatewayCheck(Check{
			Code: SiteWithoutContainer, Good: "every site has a running container", Each: true, After: []Code{PodmanUnreachable},
			Meaning: "No running container serves the site, so visitors see an error or the page for that case.",
			Remedy:  say.F(startOrMaintain, unnamed, "HOST"),
		}, withoutContainer),
		{
			Code: SiteCertificate, Group: GroupGateway, Good: "no certificate has ended or ends soon", Each: true, After: []Code{GatewayUnseen},
			Meaning: "The certificate of a site has ended, so browsers refuse it; or it ends within two weeks.",
			Remedy:  "Put a new pair in the place of the files that tls_cert and tls_key name. The watcher has nginx reload within a minute, as does: sudo flatnet-tui gateway apply",
			Applies: func(f Facts) bool { return f.Gateway.Known() },
			Look:    certificates,
		},
	}
}

// gatewayCheck completes a check of what core/gateway saw.
func gatewayCheck(c Check, look func(gateway.Status) []Finding) Check {
	c.Group = GroupGateway
	c.After = append([]Code{GatewayUnseen}, c.After...)
	c.Applies = func(f Facts) bool { return f.Gateway.Known() }
	c.Look = func(f Facts) []Finding { return look(f.Gateway.Value) }
	return c
}

func gatewayProbes(f Facts) []Probe {
	var out []Probe
	for _, p := range f.Probes.Value {
		if p.Role == RoleGateway {
			out = append(out, p)
		}
	}
	return out
}

// gatewayUnseen says what to do where that is known: an nginx.conf that is
// broken is no drive that is not there.
func gatewayUnseen(f Facts) []Finding {
	found := unseen(f.Gateway, "the gateway's files could not be read", f.Config.Gateway.ConfigDir)
	if len(found) > 0 && f.Gateway.Hint != "" {
		found[0].Remedy = say.Capital(f.Gateway.Hint)
	}
	return found
}

func gatewayDown(f Facts) []Finding {
	var out []Finding
	for _, p := range gatewayProbes(f) {
		switch p.State {
		case OK, Warn:
		case Fail:
			out = append(out, Finding{Severity: Fail, Target: p.Target, Since: p.Since, Title: "the gateway does not answer as it should", Detail: probeSeen(p)})
		case Unknown:
			out = append(out, Finding{Severity: Unknown, Target: p.Target, Title: "whether the gateway answers is not known", Detail: probeSeen(p)})
		}
	}
	return out
}

func otherGeneration(s gateway.Status) []Finding {
	if s.Served == 0 || s.Generation == 0 || s.Served == s.Generation {
		return nil
	}
	return []Finding{{
		Severity: Fail, Target: "gateway", Title: say.F("the gateway serves generation %d, not %d", s.Served, s.Generation),
		Detail: say.F("Generation %d was deployed at %s; the gateway's own answer names %d.", s.Generation, stamp(s.DeployedAt), s.Served),
	}}
}

// drift takes what core/gateway says of its files. Whether sites changed can be
// told only while containers and leases are known. Where no site comes or goes
// it counts only while all servers answer: a site changes with a server that
// does not, too, which has a finding of its own.
func drift(s gateway.Status) []Finding {
	seen := say.Join(" ", s.Drift...)
	switch {
	case seen != "":
	case s.Unknown != "":
		return []Finding{{
			Severity: Unknown, Target: "gateway", Title: "whether the gateway's sites are as they should be is not known",
			Detail: s.Unknown, DependsOn: append(driftCauses(), PodmanUnreachable, LeasesUnseen),
		}}
	case s.Pending && len(s.Moving) > 0:
		seen = say.F("Not yet deployed: %s comes or goes; gateway diff shows how.", strings.Join(s.Moving, ", "))
	case s.Pending && !slices.ContainsFunc(s.Sites, anyDown):
		seen = "Sites have changed since the last deployment; gateway diff shows how."
	default:
		return nil
	}
	return []Finding{{
		Severity: Warn, Target: "gateway", Title: "the gateway's configuration is not as it should be", Detail: seen,
	}}
}

func anyDown(s gateway.SiteStatus) bool {
	return slices.ContainsFunc(s.Upstreams, func(u gateway.ServerStatus) bool { return u.State == gateway.Fail })
}

// driftCauses are what hides that the configuration is not as it should be.
func driftCauses() []Code { return []Code{GatewayDown, GatewayOtherGeneration} }

// setAside looks for sites that are not served: those whose host is claimed
// twice, or all others.
func setAside(twice bool) func(gateway.Status) []Finding {
	return func(s gateway.Status) []Finding {
		var out []Finding
		for _, a := range s.SetAside {
			if a.Twice != twice {
				continue
			}
			title := say.F("%s from %s is not served", a.Host, a.Source)
			if a.Host == "" {
				title = say.F("the site of %s is not served", a.Source)
			}
			out = append(out, Finding{
				Severity: Warn, Target: cmp.Or(a.Host, a.Source.String()), Title: title,
				Detail: say.Sentence(a.Reason),
			})
		}
		return out
	}
}

func withoutContainer(s gateway.Status) []Finding {
	var out []Finding
	for _, site := range s.Sites {
		if site.Maintenance || len(site.Upstreams) == 0 || !noneHasAddress(site.Upstreams) {
			continue
		}
		var why []say.Text
		for _, u := range site.Upstreams {
			why = append(why, say.F("%s: %s", orNone(u.Container), cmp.Or(u.Reason, "none")))
		}
		out = append(out, Finding{
			Severity: Fail, Target: site.Host, Title: say.F("%s has no running container", site.Host),
			Detail: say.Sentence(say.Join("; ", why...)),
			Remedy: say.F(startOrMaintain, serving(site), site.Host),
		})
	}
	return out
}

// serving names the first container that is to serve a site.
func serving(s gateway.SiteStatus) string {
	for _, u := range s.Upstreams {
		if u.Container != "" {
			return u.Container
		}
	}
	return unnamed
}

// certificates looks for those that browsers refuse, or soon will.
func certificates(f Facts) []Finding {
	var out []Finding
	for _, site := range f.Gateway.Value.Sites {
		left := site.CertUntil.Sub(f.Time)
		switch {
		case site.CertUntil.IsZero() || left > endsSoon:
		case left < 0:
			out = append(out, Finding{
				Severity: Fail, Target: site.Host, Title: say.F("the certificate of %s has ended", site.Host),
				Detail: say.F("It ended at %s.", stamp(site.CertUntil)),
			})
		default:
			out = append(out, Finding{
				Severity: Warn, Target: site.Host, Title: say.F("the certificate of %s ends soon", site.Host),
				Detail: say.F("It ends at %s.", stamp(site.CertUntil)),
			})
		}
	}
	return out
}

func noneHasAddress(servers []gateway.ServerStatus) bool {
	for _, u := range servers {
		if u.Address.IsValid() {
			return false
		}
	}
	return true
}

// gatewayErrors finds upstreams that answer from here and not for the gateway.
func gatewayErrors(s host.Status, f Facts) []Finding {
	var out []Finding
	seen := map[string]bool{}
	for i := len(s.ErrorLog.Errors) - 1; i >= 0; i-- {
		e := s.ErrorLog.Errors[i]
		age := f.Time.Sub(e.At)
		if age > recentErrors || age < -clockSlip || seen[e.Host] || !answersHere(f, e.Upstream) {
			continue
		}
		seen[e.Host] = true
		out = append(out, Finding{
			Severity: Warn, Target: e.Host, Title: say.F("the gateway got no answer for %s, though %s answers here", e.Host, e.Upstream),
			Detail: say.F("%s, %s ago: %s.", s.ErrorLog.Path, round(max(age, 0)), e.Text),
		})
	}
	return out
}

// serves tells whether p asks the server at upstream, "address:port".
func serves(p Probe, upstream string) bool {
	u, err := url.Parse(p.Target)
	return p.Role == RoleUpstream && err == nil && u.Host == upstream
}

func answersHere(f Facts, upstream string) bool {
	for _, p := range f.Probes.Value {
		if p.State == OK && serves(p, upstream) {
			return true
		}
	}
	return false
}
