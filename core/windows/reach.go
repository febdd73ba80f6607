package windows

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"flatnet/core/say"
)

// The kinds of Target.
const (
	Ping = "ping" // by Windows' ping.exe
	HTTP = "http" // by Windows' curl.exe
)

// bridgeTarget is always among what a good route is tried with.
const bridgeTarget = "bridge"

// A good route is tried every reachEvery, and after a failure sooner. All
// targets together get reachLimit: a look waits for them.
const (
	reachEvery = 30 * time.Second
	reachAgain = 5 * time.Second
	reachLimit = 3 * time.Second
)

// pingWait and curlWait are how long Windows' programs wait for an answer.
const (
	pingWait = time.Second
	curlWait = 2 * time.Second
)

// Target is something that Windows ought to reach.
type Target struct {
	Kind string     // Ping, HTTP
	Name string     // for people: "bridge", "web1", "forgejo.local"
	Addr netip.Addr // Ping
	URL  string     // HTTP
	Host string     // HTTP: the Host header; "" : the URL's own
}

// Reach is one check of whether the way carries anything.
type Reach struct {
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Target string    `json:"target"`
	Host   string    `json:"host,omitempty"` // HTTP: the site that was asked for
	State  State     `json:"state"`          // unknown: it could not be tried
	Detail say.Text  `json:"detail"`
	At     time.Time `json:"at"`
}

// Reach tries the targets one after the other. Later Looks have the results
// until the next trial.
func (s *System) Reach(ctx context.Context, targets []Target) []Reach {
	all := make([]Reach, 0, len(targets))
	for _, t := range targets {
		all = append(all, s.try(ctx, t))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reach = all
	return slices.Clone(all)
}

func (s *System) try(ctx context.Context, t Target) Reach {
	switch t.Kind {
	case Ping:
		return s.ping(ctx, t)
	case HTTP:
		return s.curl(ctx, t)
	}
	return s.result(t, t.URL, Unknown, say.F("there is no check of the kind %s", t.Kind))
}

// untried is a check that Windows did not make.
func (s *System) untried(t Target, target string, err error) Reach {
	why := say.Of(err)
	if errors.Is(err, context.DeadlineExceeded) { // the look's patience, not the program's limit
		why = say.F("Windows did not come to it within %s", s.o.ReachLimit)
	}
	return s.result(t, target, Unknown, why)
}

func (s *System) result(t Target, target string, state State, detail say.Text) Reach {
	return Reach{Kind: t.Kind, Name: t.Name, Target: target, Host: t.Host, State: state, Detail: detail, At: s.o.Now()}
}

// ping has Windows ping an address. ping.exe ends with 0 also when a router
// answers "unreachable", and its words are translated; "TTL" is not.
func (s *System) ping(ctx context.Context, t Target) Reach {
	target := t.Addr.String()
	wait := strconv.FormatInt(pingWait.Milliseconds(), 10)
	out, err := s.host.Run(ctx, s.host.limit+pingWait, pingExe, "-n", "1", "-w", wait, target)
	if err != nil {
		return s.untried(t, target, err)
	}
	if out.Exit == 0 && pingReply(out.Stdout, target) {
		return s.result(t, target, OK, "ping is answered")
	}
	return s.result(t, target, Fail, "ping is not answered")
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
	seconds := strconv.Itoa(int(curlWait / time.Second))
	args := []string{"-s", "-o", "NUL", "-w", "%{http_code}", "-m", seconds}
	if t.Host != "" {
		args = append(args, "-H", "Host: "+t.Host)
	}
	out, err := s.host.Run(ctx, s.host.limit+curlWait, curlExe, append(args, t.URL)...)
	if err != nil {
		return s.untried(t, t.URL, err)
	}
	code, err := strconv.Atoi(strings.TrimSpace(string(out.Stdout)))
	if err != nil || out.Exit != 0 || code == 0 {
		return s.result(t, t.URL, Fail, say.F("no answer (curl.exe ended with status %d)", out.Exit))
	}
	return s.result(t, t.URL, httpState(code), say.F("HTTP %d", code))
}

// httpState takes every answer for one, but not a gateway's that had none.
func httpState(code int) State {
	switch code {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Fail
	}
	return OK
}

// tryRoute tries a good route, unless it was tried lately, and gives the
// results.
func (s *System) tryRoute(ctx context.Context) []Reach {
	if last := s.lastReach(); !s.reachDue(last) {
		return last
	}
	targets := []Target{{Kind: Ping, Name: bridgeTarget, Addr: s.o.Network.Gateway}}
	if s.o.Targets != nil {
		targets = append(targets, s.o.Targets(ctx)...)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.ReachLimit)
	defer cancel()
	return s.Reach(ctx, targets)
}

// reachDue tells whether the last trial is old.
func (s *System) reachDue(last []Reach) bool {
	if len(last) == 0 {
		return true
	}
	every := reachEvery
	if slices.ContainsFunc(last, func(r Reach) bool { return r.State != OK }) {
		every = reachAgain
	}
	age := s.o.Now().Sub(last[0].At)
	return age < 0 || age >= every
}

func (s *System) lastReach() []Reach {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reach)
}
