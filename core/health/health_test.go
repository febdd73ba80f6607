package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/host"
	"flatnet/core/leases"
	"flatnet/core/podman"
	"flatnet/core/resolver"
	"flatnet/core/windows"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func seen[T any](v T) health.Seen[T] { return health.Look(at, v, nil) }

// good is a machine on which everything was looked at and all is well.
func good() health.Facts {
	c := config.Default()
	want := []string{"-A FORWARD -j FLATNET-FORWARD"}
	answer := 1.5
	return health.Facts{
		Time: at, Version: "v1", Config: c,
		Bridge: seen(bridge.Status{
			Name: c.Network.Bridge, Exists: true, IsBridge: true, Kind: "bridge", Up: true, IPForward: true,
			Addresses: []string{"10.87.1.1/24"}, Want: "10.87.1.1/24", MTU: 1500, WantMTU: 1500,
		}),
		Firewall: seen(firewall.Status{Backend: "iptables-nft", ForwardOK: true, MasqueradeOK: true, Have: want, Want: want, Policy: "ACCEPT"}),
		Leases:   seen([]leases.Status{}),
		Names: seen(resolver.Status{
			Enabled: config.Auto, Address: netip.MustParseAddrPort("10.87.1.1:53"), Serving: true, Asker: "this machine",
			Servers: []netip.Addr{netip.MustParseAddr("192.0.2.53")},
		}),
		Podman:  seen(health.Podman{Info: podman.Info{NetworkBackend: "cni", Version: "4.3.1"}}),
		Windows: seen(windows.Status{Reason: "not on WSL"}),
		Gateway: seen(gateway.Status{State: gateway.OK}),
		Host: seen(host.Status{
			Plugin:      host.Plugin{Exists: true, Executable: true, Version: "v1", Want: "v1"},
			NetworkList: host.NetworkList{Exists: true, Ours: true},
			Clock:       host.Clock{Now: at}, NextBoot: host.NextBoot{Forward: "1"}, Root: true,
		}),
		Probes: seen([]health.Probe{{
			Name: "web.local", Host: "web.local", Kind: "http", Target: "http://10.87.1.2:3000/", Role: health.RoleUpstream,
			State: health.OK, LatencyMS: &answer, P50MS: &answer, At: at, Since: at,
		}}),
	}
}

// codes gives the codes of what is not ok, in order.
func codes(f health.Facts) string {
	var all []string
	for _, one := range health.NotOK(health.Evaluate(f)) {
		all = append(all, string(one.Severity)+" "+string(one.Code))
	}
	return strings.Join(all, ", ")
}

func TestGoodFacts(t *testing.T) {
	if got := codes(good()); got != "" {
		t.Error(got)
	}
	if got := health.Of(health.Evaluate(good())); got != health.OK {
		t.Errorf("the worst is %s", got)
	}
}

func TestChecksAreWhole(t *testing.T) {
	before := map[health.Code]bool{}
	for _, c := range health.Checks() {
		if before[c.Code] {
			t.Errorf("%s is there twice", c.Code)
		}
		for _, cause := range c.After {
			if !before[cause] {
				t.Errorf("%s comes before its cause %s", c.Code, cause)
			}
		}
		before[c.Code] = true
		if c.Code == "" || c.Group == "" || c.Good == "" || c.Meaning == "" || c.Remedy == "" || c.Look == nil {
			t.Errorf("%s is not whole", c.Code)
		}
		if !slices.Contains(health.Groups(), c.Group) || health.GroupOf(c.Code) != c.Group {
			t.Errorf("%s is in no group that is shown: %s", c.Code, c.Group)
		}
	}
	for _, code := range []health.Code{
		"bridge-missing", "bridge-down", "ip-forward-off", "forward-rules-missing", "masquerade-missing", "lease-stale",
		"route-missing", "route-wrong-gateway", "gateway-drift", "upstream-down",
	} {
		if !before[code] {
			t.Errorf("%s, which stays for good, is gone", code)
		}
	}
	if health.GroupOf("no-such-code") != "" {
		t.Error("a code of no check has a group")
	}
}

// What nobody looked at is never called good.
func TestNothingSeenIsNothingGood(t *testing.T) {
	for _, f := range health.Evaluate(health.Facts{Config: config.Default()}) {
		if f.Severity != health.Unknown && f.Code != health.ConfigInvalid {
			t.Errorf("%s is %s: %s", f.Code, f.Severity, f.Title)
		}
	}
}

// Each part by itself: unknown when it is not seen, and nothing else is.
func TestEachUnseenPartIsOneUnknown(t *testing.T) {
	for code, forget := range map[health.Code]func(*health.Facts){
		health.BridgeUnseen:      func(f *health.Facts) { f.Bridge.Err = "no" },
		health.FirewallUnseen:    func(f *health.Facts) { f.Firewall.Err = "no" },
		health.LeasesUnseen:      func(f *health.Facts) { f.Leases.Err = "no" },
		health.PodmanUnreachable: func(f *health.Facts) { f.Podman.Err = "no" },
		health.WindowsUnseen:     func(f *health.Facts) { f.Windows.Err = "no" },
		health.GatewayUnseen:     func(f *health.Facts) { f.Gateway.Err = "no" },
		health.MachineUnseen:     func(f *health.Facts) { f.Host.Err = "no" },
		health.ProbesUnseen:      func(f *health.Facts) { f.Probes = health.Seen[[]health.Probe]{} },
	} {
		f := good()
		forget(&f)
		if got, want := codes(f), "unknown "+string(code); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Without root the socket cannot be seen, so starting it would mend nothing.
func TestPodmanIsForRootToAsk(t *testing.T) {
	f := good()
	f.Podman.Err, f.Host.Value.Root = "no permission", false
	for _, found := range health.NotOK(health.Evaluate(f)) {
		if found.Code == health.PodmanUnreachable && found.Remedy != "Run it again as root." {
			t.Errorf("the remedy is %q", found.Remedy)
		}
	}
}

func TestCausesHideTheirConsequences(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*health.Facts)
		want   string
	}{
		"bridge down hides its upstream": {func(f *health.Facts) {
			f.Bridge.Value.Up = false
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "timeout"
		}, "fail bridge-down"},
		"a warning hides nothing": {func(f *health.Facts) {
			f.Bridge.Value.MTU = 1280
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "refused"
		}, "fail upstream-down, warn bridge-wrong-mtu"},
		"a site hides only its own upstream": {func(f *health.Facts) {
			other := f.Probes.Value[0]
			other.Name, other.Host, other.State, other.Cause = "wiki.local", "wiki.local", health.Fail, "refused"
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "timeout"
			f.Probes.Value = append(f.Probes.Value, other)
			f.Gateway.Value.Sites = []gateway.SiteStatus{{Host: "web.local", Upstreams: []gateway.ServerStatus{{Container: "web"}}}}
		}, "fail site-without-container, fail upstream-down"},
		"a link off the bridge hides what it carries": {func(f *health.Facts) {
			l := leases.Status{State: leases.Active}
			l.IP, l.HostVeth = netip.MustParseAddr("10.87.1.2"), "fn-web"
			f.Leases.Value = []leases.Status{l}
			f.Gateway.Value.Sites = []gateway.SiteStatus{{
				Host: "web.local", Upstreams: []gateway.ServerStatus{{Address: netip.MustParseAddrPort("10.87.1.2:3000")}},
			}}
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "timeout"
		}, "fail lease-without-veth"},
		"a server that is down is down for Windows, too": {func(f *health.Facts) {
			f.Windows.Value = reached("http", "http://10.87.1.2:3000/", "web.local")
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "refused"
		}, "fail upstream-down"},
		"and one that is slow is slow": {func(f *health.Facts) {
			f.Windows.Value = reached("http", "http://10.87.1.2:3000/", "web.local")
			slow := 2500.0
			f.Probes.Value[0].P50MS = &slow
		}, "warn upstream-slow"},
		"a server that is down says nothing of a ping": {func(f *health.Facts) {
			f.Windows.Value = reached("ping", "10.87.1.2", "")
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "refused"
		}, "fail upstream-down, fail windows-cannot-reach"},
		"what a hidden cause hides stays hidden": {func(f *health.Facts) {
			f.Host.Value.Settings = "containers.conf: toml: line 1"
			f.Podman.Err = "no answer"
			f.Leases.Value = []leases.Status{{State: leases.Unknown}}
		}, "fail podman-settings-invalid"},
		"and one that answers nobody answers no ping, either": {func(f *health.Facts) {
			f.Windows.Value = reached("ping", "10.87.1.2", "")
			f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "timeout"
		}, "fail upstream-down"},
		"Podman that lists its containers and is slow to tell of itself": {func(f *health.Facts) {
			f.Podman.Value = health.Podman{InfoErr: "no answer in time"}
		}, "unknown podman-not-cni"},
		"an invalid configuration leaves nothing to judge": {func(f *health.Facts) {
			f.Bridge.Value.Exists = false
			f.Problems = []config.Problem{{File: "flatnet.toml", Line: 3, Text: "wrong"}}
		}, "fail config-invalid"},
		"failing, unknown, warning": {func(f *health.Facts) {
			f.Bridge.Value.MTU = 1280
			f.Podman.Err = "no"
			f.Firewall.Value.Missing, f.Firewall.Value.Policy = []string{"-A FORWARD -j FLATNET-FORWARD"}, "DROP"
		}, "fail forward-rules-missing, unknown podman-unreachable, warn bridge-wrong-mtu"},
	} {
		f := good()
		tt.change(&f)
		if got := codes(f); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// reached is a Windows whose route is right, and that got no answer.
func reached(kind, target, host string) windows.Status {
	return windows.Status{
		Enabled: true, Verdict: windows.Verdict{Kind: windows.Good},
		Reach: []windows.Reach{{Kind: kind, Name: "it", Target: target, Host: host, State: windows.Fail, Detail: "no answer"}},
	}
}

func TestProbes(t *testing.T) {
	slow, skew := 1500.0, 5*time.Minute
	for name, tt := range map[string]struct {
		change func(*health.Probe)
		want   string
	}{
		"refused":              {func(p *health.Probe) { p.State, p.Cause = health.Fail, "refused" }, "fail upstream-down"},
		"wrong status":         {func(p *health.Probe) { p.State, p.Cause = health.Fail, "status" }, "fail upstream-wrong-status"},
		"wrong body":           {func(p *health.Probe) { p.State, p.Cause = health.Fail, "body" }, "fail upstream-wrong-status"},
		"not asked yet":        {func(p *health.Probe) { p.State = health.Unknown }, "unknown upstream-unknown"},
		"slow or stuck":        {func(p *health.Probe) { p.State, p.Cause = health.Unknown, "silent" }, "unknown upstream-unknown"},
		"stuck":                {func(p *health.Probe) { p.State, p.Cause = health.Fail, "silent" }, "fail upstream-down"},
		"not allowed for long": {func(p *health.Probe) { p.State, p.Cause, p.Since = health.Unknown, "not allowed", at.Add(-time.Hour) }, "unknown upstream-unknown"},
		"slow":                 {func(p *health.Probe) { p.P50MS = &slow }, "warn upstream-slow"},
		"target":               {func(p *health.Probe) { p.Role, p.State, p.Cause = health.RoleTarget, health.Fail, "timeout" }, "fail upstream-down"},
		"ping to Windows":      {func(p *health.Probe) { p.Role, p.State, p.Cause = health.RoleWindows, health.Fail, "timeout" }, ""},
		"ping to the bridge":   {func(p *health.Probe) { p.Role, p.State, p.Cause = health.RoleBridge, health.Fail, "timeout" }, "warn bridge-silent"},
		"gateway":              {func(p *health.Probe) { p.Role, p.State, p.Cause = health.RoleGateway, health.Fail, "refused" }, "fail gateway-down"},
		"gateway not asked":    {func(p *health.Probe) { p.Role, p.State = health.RoleGateway, health.Unknown }, "unknown gateway-down"},
		"gateway's clock":      {func(p *health.Probe) { p.Role, p.Skew = health.RoleGateway, &skew }, "warn clock-jumped"},
	} {
		f := good()
		tt.change(&f.Probes.Value[0])
		if got := codes(f); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestUpstreamDownQuotesTheGatewaysLog(t *testing.T) {
	f := good()
	f.Host.Value.ErrorLog.Errors = []host.GatewayError{{At: at, Text: "connect() failed (111: Connection refused)", Upstream: "10.87.1.2:3000"}}
	f.Probes.Value[0].State, f.Probes.Value[0].Cause = health.Fail, "refused"
	found := health.NotOK(health.Evaluate(f))
	if len(found) != 1 || !strings.Contains(found[0].Detail.String(), "connect() failed (111: Connection refused)") {
		t.Errorf("%+v", found)
	}
}

// Gather ends with its limit, whatever hangs, and keeps what it has seen.
func TestGatherEndsWhateverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := health.Gather(t.Context(), health.Request{
			Config: config.Default(), Limit: 5 * time.Second, Now: time.Now,
			Looks: health.Looks{
				Windows: func(context.Context) (windows.Status, error) { // heeds no context
					<-release
					return windows.Status{}, nil
				},
				Gateway: func(ctx context.Context) (gateway.Status, error) {
					<-ctx.Done()
					return gateway.Status{}, ctx.Err()
				},
				Bridge: func(context.Context) (bridge.Status, error) { return bridge.Status{Name: "flatnet-br0"}, nil },
				Podman: func(context.Context) (health.Podman, error) { return health.Podman{}, errors.New("no socket") },
			},
		})
		close(release)
		if !f.Bridge.Known() || f.Bridge.Value.Name != "flatnet-br0" {
			t.Errorf("what did not hang was lost: %+v", f.Bridge)
		}
		if f.Windows.Known() || f.Gateway.Known() || f.Podman.Err.String() != "no socket" || f.Host.Known() {
			t.Errorf("windows %q, gateway %q, podman %q", f.Windows.Err, f.Gateway.Err, f.Podman.Err)
		}
		synctest.Wait()
	})
}

// Facts are the same after they were written down and read again.
func TestFactsSurviveJSON(t *testing.T) {
	f := good()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var again health.Facts
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(health.Evaluate(f), health.Evaluate(again)) {
		t.Error("judged otherwise after JSON")
	}
	second, err := json.Marshal(again)
	if err != nil || string(text) != string(second) {
		t.Errorf("written down otherwise (%v):\n%s\n%s", err, text, second)
	}
}

// FuzzEvaluate: facts from any file are judged without a panic, and whatever
// is said is whole.
func FuzzEvaluate(f *testing.F) {
	text, err := json.Marshal(good())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, "web.local")
	f.Add([]byte(`{"leases":{"value":[{"ip":"10.87.1.2","state":"active","host_veth":"fn-1"}],"at":"2026-11-23T09:00:00Z"}}`), "")
	f.Add([]byte(`{"probes":{"value":[{"role":"upstream","state":"fail","target":"::"}],"at":"2026-11-23T09:00:00Z"}}`), "x")
	f.Fuzz(func(t *testing.T, text []byte, site string) {
		var facts health.Facts
		if json.Unmarshal(text, &facts) != nil {
			return
		}
		for _, one := range health.Evaluate(facts) {
			if one.Code == "" || one.Title == "" || one.Severity == "" {
				t.Errorf("not whole: %+v", one)
			}
		}
		trace := health.Trace{Host: site}
		for i := range facts.Gateway.Value.Sites {
			trace.Site = &facts.Gateway.Value.Sites[i]
			trace.Server = health.ServerOf(facts, *trace.Site)
		}
		p := health.Follow(facts, trace)
		if p.Broken >= len(p.Hops) || p.Broken >= 0 && p.Hops[p.Broken].State != health.LinkBad {
			t.Errorf("hop %d of %d is called broken", p.Broken, len(p.Hops))
		}
	})
}
