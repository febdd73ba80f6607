package probes_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"flatnet/probes"
	"flatnet/testdata/nettest"
)

func TestCheckTellsTargetsThatCannotBeAsked(t *testing.T) {
	for _, tt := range []struct {
		target probes.Target
		want   error
	}{
		{probes.Target{Kind: probes.ICMP, Address: "10.87.1.2"}, nil},
		{probes.Target{Kind: probes.ICMP, Address: "::1"}, nil},
		{probes.Target{Kind: probes.ICMP, Address: "gateway.local"}, nil},
		{probes.Target{Kind: probes.ICMP, Address: ""}, probes.ErrAddress},
		{probes.Target{Kind: probes.ICMP, Address: "10.87.1.2:80"}, probes.ErrAddress},
		{probes.Target{Kind: probes.ICMP, Address: strings.Repeat("a", 300)}, probes.ErrAddress},
		{probes.Target{Kind: probes.TCP, Address: "10.87.1.2:3000"}, nil},
		{probes.Target{Kind: probes.TCP, Address: "[::1]:80"}, nil},
		{probes.Target{Kind: probes.TCP, Address: "10.87.1.2"}, probes.ErrAddress},
		{probes.Target{Kind: probes.TCP, Address: "10.87.1.2:"}, probes.ErrAddress},
		{probes.Target{Kind: probes.HTTP, Address: "http://10.87.1.2:3000/"}, nil},
		{probes.Target{Kind: probes.HTTP, Address: "ftp://10.87.1.2/"}, probes.ErrAddress},
		{probes.Target{Kind: probes.HTTP, Address: "http://"}, probes.ErrAddress},
		{probes.Target{Kind: probes.HTTP, Address: "http://[::1"}, probes.ErrAddress},
		{probes.Target{Kind: "udp", Address: "10.87.1.2"}, probes.ErrKind},
	} {
		if err := tt.target.Check(); !errors.Is(err, tt.want) {
			t.Errorf("%s %q: %v, want %v", tt.target.Kind, tt.target.Address, err, tt.want)
		}
		if tt.want == nil {
			continue
		}
		if r := probes.New().Probe(t.Context(), tt.target); r.State != probes.Unknown || r.Cause != probes.BadTarget {
			t.Errorf("%s %q gives %s (%s), want unknown: bad target", tt.target.Kind, tt.target.Address, r.State, r.Cause)
		}
	}
}

// ask probes once with the real probers.
func ask(t *testing.T, target probes.Target) probes.Result {
	t.Helper()
	nettest.Need(t)
	return probes.New().Probe(t.Context(), target)
}

func want(t *testing.T, r probes.Result, state probes.State, cause probes.Cause) {
	t.Helper()
	if r.State != state || r.Cause != cause {
		t.Errorf("got %s %q (%s), want %s %q", r.State, r.Cause, r.Detail, state, cause)
	}
	if (r.Latency > 0) != (state == probes.Up || cause == probes.WrongStatus || cause == probes.WrongBody) {
		t.Errorf("latency %v with state %s %q", r.Latency, state, cause)
	}
	if state != probes.Up && r.Detail == "" {
		t.Error("it does not say why")
	}
}

func TestICMPAnswers(t *testing.T) {
	want(t, ask(t, probes.Target{Kind: probes.ICMP, Address: "127.0.0.1", Timeout: 5 * time.Second}), probes.Up, probes.NoCause)
}

func TestICMPNoRoute(t *testing.T) {
	want(t, ask(t, probes.Target{Kind: probes.ICMP, Address: "192.0.2.1", Timeout: 5 * time.Second}), probes.Down, probes.Unreachable)
}

// A hundred at once: more than go-ping bears, which invents loss then.
func TestICMPManyAtOnceLoseNothing(t *testing.T) {
	nettest.Need(t)
	targets := make([]probes.Target, 100)
	for i := range targets {
		targets[i] = probes.Target{Kind: probes.ICMP, Address: fmt.Sprintf("127.0.0.%d", i+1), Timeout: 5 * time.Second}
	}
	for i, r := range probes.Once(t.Context(), probes.New(), targets) {
		if r.State != probes.Up {
			t.Errorf("%s: %s (%s)", targets[i].Address, r.State, r.Detail)
		}
	}
}

func TestICMPWithoutTheRight(t *testing.T) {
	nettest.Need(t)
	if err := os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("1 0"), 0o644); err != nil {
		t.Fatal(err)
	}
	// Root falls back to a raw socket.
	want(t, ask(t, probes.Target{Kind: probes.ICMP, Address: "127.0.0.1", Timeout: 5 * time.Second}), probes.Up, probes.NoCause)
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	want(t, ask(t, probes.Target{Kind: probes.TCP, Address: address}), probes.Up, probes.NoCause)
	l.Close()
	want(t, ask(t, probes.Target{Kind: probes.TCP, Address: address}), probes.Down, probes.Refused)
	want(t, ask(t, probes.Target{Kind: probes.TCP, Address: "192.0.2.1:80"}), probes.Down, probes.Unreachable)
	want(t, ask(t, probes.Target{Kind: probes.TCP, Address: "no-such-name.invalid:80"}), probes.Down, probes.NoName)
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestHTTPAsksAsTold(t *testing.T) {
	var mu sync.Mutex
	var agent, host string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		agent, host = r.UserAgent(), r.Host
		fmt.Fprint(w, "all is well")
	})
	r := ask(t, probes.Target{Kind: probes.HTTP, Address: url, HTTP: probes.HTTPOptions{Host: "forgejo.local", Body: "is well"}})
	want(t, r, probes.Up, probes.NoCause)
	if r.Status != 200 || r.ServerTime.IsZero() {
		t.Errorf("status %d, server time %v", r.Status, r.ServerTime)
	}
	mu.Lock()
	defer mu.Unlock()
	if agent != probes.UserAgent || host != "forgejo.local" {
		t.Errorf("asked as %q for host %q", agent, host)
	}
}

func TestHTTPStatusRange(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	r := ask(t, probes.Target{Kind: probes.HTTP, Address: url})
	want(t, r, probes.Down, probes.WrongStatus)
	if r.Status != 401 || !strings.Contains(r.Detail, "401") {
		t.Errorf("status %d: %s", r.Status, r.Detail)
	}
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: url, HTTP: probes.HTTPOptions{StatusMin: 401}}), probes.Up, probes.NoCause)
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: url, HTTP: probes.HTTPOptions{StatusMin: 500, StatusMax: 599}}), probes.Down, probes.WrongStatus)
}

func TestHTTPBody(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", 100<<10), "too late")
	})
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: url, HTTP: probes.HTTPOptions{Body: "xxx"}}), probes.Up, probes.NoCause)
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: url, HTTP: probes.HTTPOptions{Body: "too late"}}), probes.Down, probes.WrongBody)
}

func TestHTTPFollowsNoRedirectUnlessTold(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/gone", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusGone)
	})
	r := ask(t, probes.Target{Kind: probes.HTTP, Address: url})
	want(t, r, probes.Up, probes.NoCause)
	if r.Status != http.StatusFound {
		t.Errorf("status %d, want the redirect's own", r.Status)
	}
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: url, HTTP: probes.HTTPOptions{FollowRedirects: true}}), probes.Down, probes.WrongStatus)
}

// A server that takes the connection and stays silent may be slow or stuck:
// one probe cannot tell.
func TestHTTPSilentServerIsUnknown(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // before the server is closed
	r := ask(t, probes.Target{Kind: probes.HTTP, Address: url, Timeout: time.Second})
	want(t, r, probes.Unknown, probes.Silent)
}

func TestHTTPAnswerThatIsNoHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "SSH-2.0-OpenSSH_9.2\r\n")
			c.Close()
		}
	}()
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: "http://" + l.Addr().String()}), probes.Down, probes.Protocol)
}

func TestHTTPEndlessHeadersEnd(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Big", strings.Repeat("x", 1<<20)) })
	want(t, ask(t, probes.Target{Kind: probes.HTTP, Address: url, Timeout: 5 * time.Second}), probes.Down, probes.Protocol)
}

func TestCallerThatGivesUpSaysNothingOfTheTarget(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, target := range []probes.Target{
		{Kind: probes.ICMP, Address: "127.0.0.1"},
		{Kind: probes.TCP, Address: "127.0.0.1:1"},
		{Kind: probes.HTTP, Address: "http://127.0.0.1:1/"},
	} {
		want(t, probes.New().Probe(ctx, target), probes.Unknown, probes.Cancelled)
	}
}

// FuzzTarget: whatever is asked for, a target that passes Check can be asked,
// and another is refused before anything is sent.
func FuzzTarget(f *testing.F) {
	f.Add("http", "http://127.0.0.1:1/")
	f.Add("tcp", "127.0.0.1:1")
	f.Add("icmp", "127.0.0.1")
	f.Add("http", "https://[::1]:1/%zz")
	given, stop := context.WithCancel(context.Background())
	stop() // nothing may leave
	f.Fuzz(func(t *testing.T, kind, address string) {
		target := probes.Target{Kind: probes.Kind(kind), Address: address}
		r := probes.New().Probe(given, target)
		if bad := target.Check() != nil; bad != (r.Cause == probes.BadTarget) {
			t.Errorf("%s %q: check %v, probe %s (%s)", kind, address, target.Check(), r.Cause, r.Detail)
		}
	})
}
