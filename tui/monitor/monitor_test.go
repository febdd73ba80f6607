package monitor_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/probes"
	"flatnet/tui/monitor"
	"flatnet/tui/text"
)

func site(host string, servers ...string) gateway.SiteStatus {
	s := gateway.SiteStatus{Host: host}
	for i, a := range servers {
		s.Upstreams = append(s.Upstreams, gateway.ServerStatus{
			Address: netip.MustParseAddrPort(a), Container: fmt.Sprintf("c%d", i),
		})
	}
	return s
}

func TestTargets(t *testing.T) {
	c := config.Default()
	c.Probes.Targets = []config.ProbeTarget{
		{Name: "db", Kind: "tcp", Target: "10.87.1.9:5432", Interval: time.Minute, Enabled: true},
		{Name: "off", Kind: "tcp", Target: "10.87.1.9:1", Enabled: false},
	}
	resting := site("resting.local", "10.87.1.8:80")
	resting.Maintenance = true
	gone := gateway.SiteStatus{Host: "gone.local", Upstreams: []gateway.ServerStatus{{Container: "gone"}}}
	got := monitor.Targets(c, monitor.Around{
		Sites:     []gateway.SiteStatus{site("one.local", "10.87.1.2:3000"), site("two.local", "10.87.1.3:80", "10.87.1.4:80"), resting, gone},
		Windows:   netip.MustParseAddr("172.27.224.1"),
		HealthURL: "http://172.27.224.1/health",
	})
	var lines []string
	for _, w := range got {
		lines = append(lines, fmt.Sprintf("%s %s %q %s %s", w.Role, w.Kind, w.Name, w.Address, w.HTTP.Host))
	}
	want := []string{
		`bridge icmp "flatnet-br0" 10.87.1.1 `,
		`windows icmp "Windows" 172.27.224.1 `,
		`gateway http "gateway" http://172.27.224.1/health _health`,
		`upstream http "one.local" http://10.87.1.2:3000/ one.local`,
		`upstream http "two.local c0" http://10.87.1.3:80/ two.local`,
		`upstream http "two.local c1" http://10.87.1.4:80/ two.local`,
		`target tcp "db" 10.87.1.9:5432 `,
	}
	if g, w := strings.Join(lines, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("targets:\n%s\nwant:\n%s", g, w)
	}
}

func TestNothingAroundIsNotProbed(t *testing.T) {
	got := monitor.Targets(config.Default(), monitor.Around{})
	if len(got) != 1 || got[0].Role != health.RoleBridge {
		t.Errorf("without Windows, gateway and sites %v is probed, want only the bridge", got)
	}
}

// servers are one that answers, one that answers 503 and one that is closed.
func servers(t *testing.T) (up, failing, closed string) {
	t.Helper()
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }))
	t.Cleanup(good.Close)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(bad.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return good.Listener.Addr().String(), bad.Listener.Addr().String(), closed
}

// watched leaves out the bridge, which is not there in this test.
func watched(sites ...gateway.SiteStatus) []monitor.Watched {
	return monitor.Targets(config.Default(), monitor.Around{Sites: sites})[1:]
}

func TestOnceSaysWhatItSaw(t *testing.T) {
	up, failing, closed := servers(t)
	got := monitor.Once(t.Context(), probes.New(), config.Probes{Timeout: 5 * time.Second},
		watched(site("up.local", up), site("failing.local", failing), site("closed.local", closed)))
	want := map[string]health.Severity{"up.local": health.OK, "failing.local": health.Fail, "closed.local": health.Fail}
	if len(got) != len(want) {
		t.Fatalf("%d results, want %d", len(got), len(want))
	}
	for _, p := range got {
		if p.State != want[p.Name] || p.Host != p.Name || p.At.IsZero() {
			t.Errorf("%s is %s (host %q, at %s), want %s", p.Name, p.State, p.Host, p.At, want[p.Name])
		}
		if (p.LatencyMS != nil) != (p.State == health.OK) {
			t.Errorf("%s is %s and has latency %v", p.Name, p.State, p.LatencyMS)
		}
		if p.State == health.Fail && p.Detail == "" {
			t.Errorf("%s failed and no reason is given", p.Name)
		}
		if said := text.Japanese().Say(p.Detail); p.State == health.Fail && said == p.Detail.String() {
			t.Errorf("%s: %q is said in English only", p.Name, said)
		}
	}
}

func TestMonitorFeedsTheGateway(t *testing.T) {
	up, failing, closed := servers(t)
	asked := make(chan struct{}, 16)
	m := monitor.New(config.Probes{Interval: time.Hour, Timeout: 5 * time.Second}, counting{probes.NewHTTP(), asked}.all(), time.Now)
	m.Watch(watched(site("up.local", up), site("failing.local", failing), site("closed.local", closed)))

	for _, s := range m.Seen() {
		if s.State != health.Unknown {
			t.Errorf("%s is %s before it was asked, want unknown", s.Name, s.State)
		}
	}
	if h := m.Health(); len(h) != 0 {
		t.Errorf("health before any probe: %v, want none", h)
	}

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	m.ProbeNow()
	for range 3 {
		<-asked
	}
	wait(t, func() bool { return len(m.Health()) == 3 })
	h := m.Health()
	if a := h[netip.MustParseAddrPort(up)]; a.Down {
		t.Errorf("the server that answers is down: %+v", a)
	}
	if a := h[netip.MustParseAddrPort(failing)]; a.Down {
		t.Errorf("the server that answers 503 is %+v, want it asked: it answers", a)
	}
	if a := h[netip.MustParseAddrPort(closed)]; !a.Down || a.Reason == "" || a.Since.IsZero() {
		t.Errorf("the server that does not answer is %+v, want down, why and since when", a)
	}

	m.Watch(watched(site("up.local", up)))
	if got := m.Seen(); len(got) != 1 || got[0].State != health.OK {
		t.Errorf("after the other site went: %+v, want up.local with its history", got)
	}
	cancel()
	<-done
}

// Ask knows of everything when it returns, whether or not the Monitor runs, and
// asks nothing twice.
func TestAsk(t *testing.T) {
	up, failing, closed := servers(t)
	for name, running := range map[string]bool{"alone": false, "beside Run": true} {
		asked := make(chan struct{}, 16)
		m := monitor.New(config.Probes{Interval: time.Hour, Timeout: 5 * time.Second}, counting{probes.NewHTTP(), asked}.all(), time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if running {
				m.Run(ctx)
			}
		}()
		m.Ask(ctx, watched(site("up.local", up), site("closed.local", closed)))
		if h := m.Health(); len(h) != 2 || !h[netip.MustParseAddrPort(closed)].Down {
			t.Errorf("%s: %v", name, h)
		}
		m.Ask(ctx, watched(site("up.local", up), site("closed.local", closed), site("failing.local", failing)))
		if h := m.Health(); len(h) != 3 || len(asked) != 3 {
			t.Errorf("%s: %v, %d questions, want three of each", name, h, len(asked))
		}
		cancel()
		<-done
		m.Ask(ctx, watched(site("other.local", "127.0.0.1:1"))) // ctx has ended: it returns
	}
}

// counting tells of each probe that has ended.
type counting struct {
	probes.Prober
	asked chan<- struct{}
}

func (c counting) Probe(ctx context.Context, t probes.Target) probes.Result {
	defer func() { c.asked <- struct{}{} }()
	return c.Prober.Probe(ctx, t)
}

func (c counting) all() probes.Probers { return probes.Probers{probes.HTTP: c} }

// wait waits until ok; a minute is given up.
func wait(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come")
		}
	}
}
