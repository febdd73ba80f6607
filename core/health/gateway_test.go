package health_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/say"
)

func TestCertificates(t *testing.T) {
	for left, want := range map[time.Duration]health.Severity{
		-time.Hour: health.Fail, 13 * 24 * time.Hour: health.Warn, 15 * 24 * time.Hour: health.OK,
	} {
		f := good()
		f.Gateway.Value.Sites = []gateway.SiteStatus{{Host: "web.local", State: gateway.OK, CertUntil: f.Time.Add(left)}}
		got := health.OK
		for _, found := range health.Evaluate(f) {
			if found.Code == health.SiteCertificate {
				got = found.Severity
			}
		}
		if got != want {
			t.Errorf("%s before its end: %q, want %q", left, got, want)
		}
	}
}

// withDown adds a site with one server, which does not answer.
func withDown(s gateway.Status) gateway.Status {
	s.Sites = []gateway.SiteStatus{{Host: "web.local", State: gateway.Fail, Upstreams: []gateway.ServerStatus{{
		Address: netip.MustParseAddrPort("10.87.1.9:80"), State: gateway.Fail, Reason: "it does not answer",
	}}}}
	return s
}

// What a look's error says to do stands in the finding.
func TestUnseenGatewaySaysWhatToDo(t *testing.T) {
	f := good()
	f.Gateway = health.Look(f.Time, gateway.Status{}, &core.OpError{Op: "read", Err: errors.New("no"), Hint: "mount it"})
	for _, found := range health.Evaluate(f) {
		if found.Code == health.GatewayUnseen && found.Remedy.String() != "Mount it" {
			t.Errorf("remedy %q", found.Remedy)
		}
	}
	f.Gateway.Hint = ""
	for _, found := range health.Evaluate(f) {
		if found.Code == health.GatewayUnseen && !strings.Contains(found.Remedy.String(), "drive") {
			t.Errorf("without a hint: remedy %q", found.Remedy)
		}
	}
}

// A site that has no host is named by its container.
func TestASiteSetAsideHasAName(t *testing.T) {
	f := good()
	f.Gateway.Value.SetAside = []gateway.SetAside{{Source: "container web", Reason: "it has no flatnet.host"}}
	for _, found := range health.Evaluate(f) {
		if found.Code == health.SiteSetAside && (found.Title.String() != "the site of container web is not served" || found.Target != "container web") {
			t.Errorf("%q of %q", found.Title, found.Target)
		}
	}
}

// While containers are not known, nobody can say whether sites have changed;
// that a file was edited shows all the same.
func TestDriftWhileSomethingIsUnknown(t *testing.T) {
	silent := func(f *health.Facts) { f.Podman.Err = "nobody answers" }
	for name, c := range map[string]struct {
		status gateway.Status
		change func(*health.Facts)
		want   string
	}{
		"Podman silent":           {gateway.Status{Pending: true, Unknown: "The containers are not known."}, silent, "unknown podman-unreachable"},
		"leases unreadable":       {gateway.Status{Pending: true, Unknown: "The leases are not known."}, func(f *health.Facts) { f.Leases.Err = "no" }, "unknown leases-unseen"},
		"edited, Podman silent":   {gateway.Status{Unknown: "The containers are not known.", Drift: []say.Text{"It was edited."}}, silent, "unknown podman-unreachable, warn gateway-drift"},
		"maintenance unreadable":  {gateway.Status{Pending: true, Unknown: "Which sites are in maintenance is not known."}, func(*health.Facts) {}, "unknown gateway-drift"},
		"all known":               {gateway.Status{Pending: true}, func(*health.Facts) {}, "warn gateway-drift"},
		"a server down":           {withDown(gateway.Status{Pending: true}), func(*health.Facts) {}, ""},
		"a server down, new site": {withDown(gateway.Status{Pending: true, Moving: []string{"new.local"}}), func(*health.Facts) {}, "warn gateway-drift"},
	} {
		f := good()
		f.Gateway.Value = c.status
		c.change(&f)
		if got := codes(f); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
