package gateway_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/ipam"
	"flatnet/core/podman"
	"flatnet/testdata/nettest"
	"flatnet/testdata/nginx"
)

func TestMain(m *testing.M) { nettest.Main(m) }

var subnet = netip.MustParsePrefix("10.87.1.0/24")

func attachment(ip string) podman.Attachment {
	return podman.Attachment{IP: netip.MustParseAddr(ip)}
}

// world is a gateway with a real nginx, and containers that are servers of
// the test.
type world struct {
	t      testing.TB
	nginx  *nginx.Server
	config config.Config
	now    time.Time

	mu         sync.Mutex
	containers []podman.Container
	podmanErr  error
	health     map[netip.AddrPort]gateway.Health
}

func newWorld(t testing.TB, mode string) *world {
	t.Helper()
	w := &world{t: t, nginx: nginx.New(t), config: config.Default(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	nginx.Subnet(t, subnet)
	c := &w.config.Gateway
	c.ConfigDir, c.WindowsPath, c.Nginx = w.nginx.Dir, w.nginx.Dir, nginx.Program
	c.Listen, c.Mode, c.HealthURL = "127.0.0.1:80", mode, "http://127.0.0.1/health"
	w.health = map[netip.AddrPort]gateway.Health{}
	return w
}

func (w *world) options() gateway.Options {
	return gateway.Options{
		Config: w.config.Gateway, Network: w.config.Network, Runner: gateway.NewRunner(nginx.Program),
		HealthURL: func(context.Context) string { return "http://127.0.0.1/health" },
		Containers: func(context.Context) ([]podman.Container, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.containers), w.podmanErr
		},
		Leases: func(context.Context) ([]ipam.Lease, error) { return nil, nil },
		Health: func() map[netip.AddrPort]gateway.Health { return w.health },
		Now:    func() time.Time { return w.now },
	}
}

func (w *world) gateway() *gateway.Gateway { return gateway.New(w.options()) }

// run makes a container; the later, the younger.
func (w *world) run(name, ip string, labels ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := podman.Container{
		ID: fmt.Sprintf("%s-%d", name, len(w.containers)), Name: name, State: "running",
		CreatedAt: w.now.Add(time.Duration(len(w.containers)) * time.Minute),
		Labels:    map[string]string{}, Networks: map[string]podman.Attachment{"flatnet": {IP: netip.MustParseAddr(ip)}},
	}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		c.Labels["flatnet."+key] = value
	}
	w.containers = append(w.containers, c)
}

// remove takes a container away.
func (w *world) remove(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.containers = slices.DeleteFunc(w.containers, func(c podman.Container) bool { return c.Name == name })
}

// apply regenerates and deploys, and fails the test if that fails.
func (w *world) apply() gateway.Outcome {
	w.t.Helper()
	out, err := w.tryApply()
	if err != nil {
		w.t.Fatalf("apply: %v\n%s", err, w.nginx.Log())
	}
	return out
}

func (w *world) tryApply() (gateway.Outcome, error) {
	g := w.gateway()
	c, err := g.Prepare(w.t.Context())
	if err != nil {
		return gateway.Outcome{}, err
	}
	return g.Deploy(w.t.Context(), c)
}

// serve answers at an address with a text, until the returned stop.
func serve(t testing.TB, at, text string) (stop func()) {
	t.Helper()
	return serveHandler(t, at, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen-Host", r.Host)
		w.Header().Set("X-Seen-URI", r.RequestURI)
		w.Header().Set("X-Seen-For", r.Header.Get("X-Forwarded-For"))
		w.Header().Set("X-Seen-Proto", r.Header.Get("X-Forwarded-Proto"))
		fmt.Fprint(w, text)
	}))
}

func serveHandler(t testing.TB, at string, h http.Handler) (stop func()) {
	t.Helper()
	srv := &http.Server{Handler: h}
	l := nginx.Listen(t, at)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	var once sync.Once
	stop = func() { once.Do(func() { _ = srv.Close(); <-done }) }
	t.Cleanup(stop)
	return stop
}

// answer is what the gateway said.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// get asks the gateway for a host and path.
func get(t testing.TB, host, path string, change ...func(*http.Request)) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+cmp.Or(path, "/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for _, f := range change {
		f(req)
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) answer {
	t.Helper()
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Host, req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Host, req.URL, err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// eventually repeats a look until it holds, at most 30 s.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for range 600 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it never came to: %s", what)
}

// bothModes runs one test on static and on lua mode: the same from outside.
func bothModes(t *testing.T, f func(t *testing.T, w *world)) {
	for _, mode := range []string{"static", "lua"} {
		t.Run(mode, func(t *testing.T) { f(t, newWorld(t, mode)) })
	}
}

func TestSiteOfALabelledContainer(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:3000", "forgejo")
		w.run("forgejo", "10.87.1.2", "host=forgejo.local", "port=3000")
		w.nginx.Start(t)
		out := w.apply()
		if !out.Confirmed || out.Generation != 1 {
			t.Fatalf("deployed %+v, want generation 1, confirmed", out)
		}
		a := get(t, "forgejo.local", "/a%2Fb?q=1")
		if a.Status != 200 || a.Body != "forgejo" {
			t.Errorf("got %d %q\n%s", a.Status, a.Body, w.nginx.Log())
		}
		if got := a.Header.Get("X-Seen-URI"); got != "/a%2Fb?q=1" {
			t.Errorf("the container saw %q", got)
		}
		if a := get(t, "_health", "/health"); a.Body != "OK\n" || a.Header.Get("X-Flatnet-Generation") != "1" {
			t.Errorf("health: %+v", a)
		}
		if a := get(t, "other.local", "/"); a.Status != 404 {
			t.Errorf("an unknown host got %d", a.Status)
		}
	})
}
