package windows

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The kinds of Target.
const (
	Ping   = "ping"   // by Windows' ping.exe
	HTTP   = "http"   // by Windows' curl.exe
	Health = "health" // from WSL: the gateway by Windows' address
)

// bridgeTarget is what Look pings by itself, this often.
const (
	bridgeTarget = "bridge"
	bridgeEvery  = 30 * time.Second
)

// pingWait is how long ping.exe waits for the reply.
const pingWait = time.Second

// Target is something to reach from Windows, or Windows' gateway from here.
type Target struct {
	Kind string     // Ping, HTTP, Health
	Name string     // for people: "bridge", "web1", "forgejo.local"
	Addr netip.Addr // Ping
	URL  string     // HTTP, Health
	Host string     // HTTP, Health: the Host header; "" : the URL's own
}

// Reach is one check of whether the way carries anything.
type Reach struct {
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Target string    `json:"target"`
	State  State     `json:"state"` // unknown: it could not be tried
	Detail string    `json:"detail"`
	At     time.Time `json:"at"`
}

// Reach tries the targets one after the other. The results are also part of
// later Looks.
func (s *System) Reach(ctx context.Context, targets []Target) []Reach {
	all := make([]Reach, 0, len(targets))
	for _, t := range targets {
		r := s.try(ctx, t)
		s.remember(r)
		all = append(all, r)
	}
	return all
}

func (s *System) try(ctx context.Context, t Target) Reach {
	switch t.Kind {
	case Ping:
		return s.ping(ctx, t)
	case HTTP:
		return s.curl(ctx, t)
	case Health:
		return s.health(ctx, t)
	}
	return s.result(t, t.URL, Unknown, "there is no check of the kind "+t.Kind)
}

func (s *System) result(t Target, target string, state State, detail string) Reach {
	return Reach{Kind: t.Kind, Name: t.Name, Target: target, State: state, Detail: detail, At: s.o.Now()}
}

// ping has Windows ping an address. ping.exe ends with 0 also when a router
// answers "unreachable", and its words are translated; "TTL" is not.
func (s *System) ping(ctx context.Context, t Target) Reach {
	target := t.Addr.String()
	wait := strconv.FormatInt(pingWait.Milliseconds(), 10)
	out, err := s.host.Run(ctx, s.host.limit+pingWait, pingExe, "-n", "1", "-w", wait, target)
	if err != nil {
		return s.result(t, target, Unknown, err.Error())
	}
	if out.Exit == 0 && pingReply(out.Stdout, target) {
		return s.result(t, target, OK, "Windows' ping is answered")
	}
	return s.result(t, target, Fail, "Windows' ping to "+target+" is not answered")
}

func pingReply(out []byte, target string) bool {
	for line := range bytes.Lines(out) {
		if bytes.Contains(bytes.ToUpper(line), []byte("TTL")) && bytes.Contains(line, []byte(target)) {
			return true
		}
	}
	return false
}

// curl has Windows ask a site. Its answer is the HTTP status alone, written
// by -w; NUL is Windows' /dev/null.
func (s *System) curl(ctx context.Context, t Target) Reach {
	if strings.HasPrefix(t.URL, "-") || strings.ContainsAny(t.Host, "\r\n") {
		return s.result(t, t.URL, Unknown, "not an address to ask for")
	}
	seconds := strconv.Itoa(max(1, int(s.host.limit/time.Second)))
	args := []string{"-s", "-o", "NUL", "-w", "%{http_code}", "-m", seconds}
	if t.Host != "" {
		args = append(args, "-H", "Host: "+t.Host)
	}
	out, err := s.host.Run(ctx, s.host.limit+time.Second, curlExe, append(args, t.URL)...)
	if err != nil {
		return s.result(t, t.URL, Unknown, err.Error())
	}
	code, err := strconv.Atoi(strings.TrimSpace(string(out.Stdout)))
	if err != nil || out.Exit != 0 || code == 0 {
		return s.result(t, t.URL, Fail, fmt.Sprintf("Windows gets no answer from %s (curl.exe status %d)", t.URL, out.Exit))
	}
	return s.result(t, t.URL, httpState(code), fmt.Sprintf("Windows gets HTTP %d from %s", code, t.URL))
}

func httpState(code int) State {
	if code < 200 || code >= 500 {
		return Fail
	}
	return OK
}

// health asks the gateway from WSL, by Windows' address.
func (s *System) health(ctx context.Context, t Target) Reach {
	ctx, cancel := context.WithTimeout(ctx, s.host.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL, nil)
	if err != nil {
		return s.result(t, t.URL, Unknown, err.Error())
	}
	req.Host = t.Host
	// No proxy: the way to Windows is what is asked for.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return s.result(t, t.URL, Fail, err.Error())
	}
	defer func() { _ = resp.Body.Close() }()
	const enough = 1 << 16
	_, _ = io.CopyN(io.Discard, resp.Body, enough)
	return s.result(t, t.URL, httpState(resp.StatusCode), fmt.Sprintf("HTTP %d from %s", resp.StatusCode, t.URL))
}

// pingBridge has Windows ping the bridge, unless it did lately.
func (s *System) pingBridge(ctx context.Context) {
	for _, r := range s.lastReach() {
		age := s.o.Now().Sub(r.At)
		if r.Name == bridgeTarget && r.State == OK && age >= 0 && age < bridgeEvery {
			return
		}
	}
	s.Reach(ctx, []Target{{Kind: Ping, Name: bridgeTarget, Addr: s.o.Network.Gateway}})
}

func (s *System) lastReach() []Reach {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reach)
}

// remember keeps the last result of each check, the newest of them.
func (s *System) remember(r Reach) {
	const most = 64
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reach = slices.DeleteFunc(s.reach, func(old Reach) bool { return old.Kind == r.Kind && old.Name == r.Name })
	s.reach = append(s.reach, r)
	s.reach = s.reach[max(0, len(s.reach)-most):]
}
