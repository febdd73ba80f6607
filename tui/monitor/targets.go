package monitor

import (
	"net/netip"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/probes"
)

// Watched is one thing that is probed and what it stands for.
type Watched struct {
	probes.Target
	Role health.Role
	Host string // upstream: the site it serves
	// Server is the upstream's address; zero for anything else.
	Server netip.AddrPort
}

// Around is what is known of the surroundings, and shapes what is probed.
type Around struct {
	Sites     []gateway.SiteStatus
	Windows   netip.Addr // Windows as WSL reaches it; zero: not known
	HealthURL string     // of the gateway; "" : none
}

// Targets lists what is probed: the bridge's own address, Windows' side of
// WSL, the gateway's health page, every server behind a site, and
// [[probes.target]].
func Targets(c config.Config, a Around) []Watched {
	out := []Watched{{
		Target: probes.Target{Name: c.Network.Bridge, Kind: probes.ICMP, Address: c.Network.Gateway.String()},
		Role:   health.RoleBridge,
	}}
	if a.Windows.IsValid() {
		out = append(out, Watched{
			Target: probes.Target{Name: "Windows", Kind: probes.ICMP, Address: a.Windows.String()},
			Role:   health.RoleWindows,
		})
	}
	if a.HealthURL != "" {
		out = append(out, Watched{
			Target: probes.Target{Name: "gateway", Kind: probes.HTTP, Address: a.HealthURL, HTTP: probes.HTTPOptions{Host: gateway.HealthName, StatusMax: 299}},
			Role:   health.RoleGateway,
		})
	}
	out = append(out, upstreams(a.Sites)...)
	return append(out, configured(c.Probes.Targets)...)
}

// upstreams gives one HTTP probe for each server of each site, asked by the
// site's name. Any answer below 500 is the application's own business.
func upstreams(sites []gateway.SiteStatus) []Watched {
	var out []Watched
	for _, s := range sites {
		for _, u := range s.Upstreams {
			if !u.Address.IsValid() || s.Maintenance {
				continue
			}
			name := s.Host + s.Path
			if len(s.Upstreams) > 1 {
				name += " " + u.Container
			}
			out = append(out, Watched{
				Target: probes.Target{
					Name: name, Kind: probes.HTTP, Address: "http://" + u.Address.String() + "/",
					HTTP: probes.HTTPOptions{Host: s.Host, StatusMin: 100, StatusMax: 499},
				},
				Role: health.RoleUpstream, Host: s.Host, Server: u.Address,
			})
		}
	}
	return out
}

func configured(targets []config.ProbeTarget) []Watched {
	var out []Watched
	for _, t := range targets {
		if !t.Enabled {
			continue
		}
		out = append(out, Watched{
			Target: probes.Target{
				Name: t.Name, Kind: probes.Kind(t.Kind), Address: t.Target, Interval: t.Interval,
				HTTP: probes.HTTPOptions{
					Host: t.Host, StatusMin: t.StatusMin, StatusMax: t.StatusMax, Body: t.Body, FollowRedirects: t.FollowRedirects,
				},
			},
			Role: health.RoleTarget,
		})
	}
	return out
}
