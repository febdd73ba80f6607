// Package example is a network as the console may find it, without one: for
// tests and for the pictures in the documentation. The clock stands still.
package example

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/ipam"
	"flatnet/core/leases"
	"flatnet/core/say"
	"flatnet/core/windows"
	"flatnet/tui/pane"
)

// Now is the time in the example.
func Now() time.Time { return time.Date(2026, 11, 23, 3, 7, 0, 0, time.UTC) }

// Config is the network's configuration.
func Config() config.Config {
	c := config.Default()
	c.Path = "/etc/flatnet/flatnet.toml"
	c.TUI.Refresh = 2 * time.Second
	c.TUI.Language = "en"
	return c
}

// Bridge is a bridge with three ports; broken: without its rules.
func Bridge(broken bool) pane.BridgeView {
	rules := []string{
		"-A FORWARD -j FLATNET-FORWARD",
		"-A FLATNET-FORWARD -i flatnet-br0 -j ACCEPT",
		"-A FLATNET-FORWARD -o flatnet-br0 -j ACCEPT",
		"-A POSTROUTING -s 10.87.1.0/24 ! -o flatnet-br0 -j MASQUERADE",
	}
	fw := firewall.Status{
		Backend: "iptables-nft", ForwardOK: true, MasqueradeOK: true, Have: rules, Want: rules, Policy: "DROP", Docker: true,
	}
	b := bridge.Status{
		Name: "flatnet-br0", Exists: true, IsBridge: true, Kind: "bridge", Up: true, Running: true,
		Addresses: []string{"10.87.1.1/24"}, Want: "10.87.1.1/24", MTU: 1500, WantMTU: 1500, IPForward: true,
	}
	for i, name := range []string{"forgejo", "wiki", "受付システム"} {
		b.Ports = append(b.Ports, bridge.Port{
			Name: fmt.Sprintf("fn-%08x", 0x3fa81c00+i), Up: true, MAC: fmt.Sprintf("02:57:0a:57:01:%02x", i+2), Type: "veth",
			Alias: fmt.Sprintf("flatnet flatnet %064x eth0 10.87.1.%d %s", i, i+2, name),
		})
	}
	if broken {
		fw.ForwardOK, fw.Have, fw.Missing = false, rules[3:], rules[:3]
		b.IPForward = false
	}
	return pane.BridgeView{Bridge: b, Firewall: health.Look(Now(), fw, nil)}
}

// Leases are some leases in every state.
func Leases() []leases.Status {
	lease := func(last byte, name string, s leases.State, age time.Duration, reason say.Text) leases.Status {
		return leases.Status{State: s, Reason: reason, Lease: ipam.Lease{
			IP: netip.AddrFrom4([4]byte{10, 87, 1, last}), Name: name, ContainerID: fmt.Sprintf("%02x%062x", last, 0xfeed),
			IfName: "eth0", HostVeth: fmt.Sprintf("fn-%02x000000", last), AllocatedAt: Now().Add(-age),
			NetNS: fmt.Sprintf("/run/netns/netns-%02x", last),
		}}
	}
	running := say.Join("; ", say.F("the container is %s", "running"), "its network namespace is there")
	return []leases.Status{
		lease(2, "forgejo", leases.Active, 75*time.Hour, running),
		lease(3, "wiki", leases.Active, 5*time.Hour, running),
		lease(4, "受付システム", leases.Active, 42*time.Minute, running),
		lease(7, "build-7f3a", leases.Stale, 9*24*time.Hour, say.Join("; ", "Podman does not know the container", "its network namespace is gone")),
		lease(9, "old-db", leases.Quarantined, 3*time.Minute, say.F("freed by %s, kept out of use until %s", "old-db", Now().Add(7*time.Minute).Format(time.RFC3339))),
		{State: leases.Reserved, Reason: say.F("reserved for %s", "printer"), Lease: ipam.Lease{IP: netip.MustParseAddr("10.87.1.200"), Name: "printer"}},
	}
}

// ManyLeases are n active leases.
func ManyLeases(n int) []leases.Status {
	out := make([]leases.Status, n)
	running := say.F("the container is %s", "running")
	ip := netip.MustParseAddr("10.87.0.1")
	for i := range out {
		ip = ip.Next()
		out[i] = leases.Status{State: leases.Active, Reason: running, Lease: ipam.Lease{
			IP: ip, Name: fmt.Sprintf("service-%05d", i), ContainerID: fmt.Sprintf("%064x", i), IfName: "eth0",
			AllocatedAt: Now().Add(-time.Duration(i) * time.Minute),
		}}
	}
	return out
}

// Windows is Windows' route to the network, or its absence.
func Windows(missing bool) windows.Status {
	subnet := netip.MustParsePrefix("10.87.1.0/24")
	wsl := netip.MustParseAddr("172.29.112.5")
	s := windows.Status{
		Enabled: true, State: windows.OK, Mode: windows.ModeNAT, WSLAddress: wsl,
		WindowsAddress: netip.MustParseAddr("172.29.112.1"), Facing: netip.MustParseAddr("172.29.112.1"), ReadAt: Now(),
		Route:   &windows.Route{Destination: subnet, Gateway: wsl, Interface: netip.MustParseAddr("172.29.112.1"), Metric: 16, Persistent: true},
		Verdict: windows.Verdict{Kind: windows.Good, Text: say.F("%s goes to WSL at %s", subnet, wsl)},
	}
	if missing {
		s.State, s.Route, s.Reason = windows.Fail, nil, say.F("Windows has no route to %s", subnet)
		s.Verdict = windows.Verdict{Kind: windows.Missing, Text: s.Reason, Remedy: "Repair the route: key W, or sudo flatnet-tui route apply."}
	}
	return s
}

// Upstreams are probed sites; broken: one of them is down.
func Upstreams(broken bool) pane.UpstreamsView {
	number := func(f float64) *float64 { return &f }
	probe := func(name, kind, target string, ms float64) pane.Upstream {
		u := pane.Upstream{Probe: health.Probe{
			Name: name, Host: name, Kind: kind, Target: target, Role: health.RoleUpstream, State: health.OK,
			LatencyMS: number(ms), P50MS: number(ms), P99MS: number(3 * ms), Loss: number(0), Since: Now().Add(-5 * time.Hour), At: Now(),
		}}
		for i := range 12 {
			u.Spark = append(u.Spark, ms*(1+0.9*math.Sin(float64(i))))
		}
		return u
	}
	v := pane.UpstreamsView{Probes: []pane.Upstream{
		probe("forgejo.local", "http", "http://10.87.1.2:3000/", 12),
		probe("wiki.local", "http", "http://10.87.1.3:80/", 3.2),
		probe("受付.local", "tcp", "10.87.1.4:8080", 0.4),
		probe("bridge", "icmp", "10.87.1.1", 0.1),
	}}
	v.Probes[3].Host, v.Probes[3].Role = "", health.RoleBridge
	g := gateway.Status{State: gateway.OK, Mode: "static", Generation: 12, Served: 12, DeployedAt: Now().Add(-time.Hour)}
	for _, p := range v.Probes[:3] {
		g.Sites = append(g.Sites, gateway.SiteStatus{Host: p.Host, State: gateway.OK, Source: "config", Upstream: p.Target})
	}
	if broken {
		p := &v.Probes[1]
		p.State, p.Cause, p.Detail, p.LatencyMS, p.Loss = health.Fail, "refused", "connection refused: nothing listens on this port", nil, number(0.25)
		p.Spark[9], p.Spark[10], p.Spark[11] = math.NaN(), math.NaN(), math.NaN()
		p.Since = Now().Add(-4 * time.Minute)
		g.State, g.Drift = gateway.Warn, []say.Text{say.Sentence(say.F("%s was edited by hand", "conf.d/flatnet.conf"))}
		site, host := config.NewSite(), "broken host"
		why := say.Errorf("label %s: %w", "flatnet.host", site.Set("host", host))
		g.SetAside = []gateway.SetAside{{Host: host, Source: say.F("container %s", "test"), Reason: say.Of(why)}}
	}
	v.Gateway = health.Look(Now(), g, nil)
	return v
}

// Findings are what the checks would say; broken: of the broken network.
func Findings(broken bool) []health.Finding {
	if !broken {
		return nil
	}
	return []health.Finding{
		{
			Code: "forward-rules-missing", Severity: health.Fail, Title: "FORWARD drops packets to the containers: rules are missing", Target: "FORWARD",
			Detail: say.F("%s-save: missing %s. FORWARD's policy is %s.", "iptables-nft", "-A FORWARD -j FLATNET-FORWARD", "DROP"),
			Remedy: "Press F in the console, or run: sudo flatnet-tui firewall apply", Repair: "firewall", Since: Now().Add(-time.Minute),
		},
		{Code: "ip-forward-off", Severity: health.Fail, Title: "the kernel does not forward packets", Target: "net.ipv4.ip_forward", Detail: "net.ipv4.ip_forward is 0.", Repair: "bridge"},
		{Code: "upstream-down", Severity: health.Fail, Title: say.F("%s is down", "wiki.local"), Target: "wiki.local"},
		{Code: "lease-stale", Severity: health.Warn, Title: say.F("the lease of %s is stale", "10.87.1.7"), Target: "10.87.1.7", Repair: "release-stale"},
	}
}
