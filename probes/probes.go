// Package probes tells whether something answers, and how fast: by ICMP echo,
// by a TCP connection, by an HTTP request. A Schedule asks many targets again
// and again without bursts and keeps a short History of each.
//
// It stands alone: it knows nothing of sites, leases or findings. What a
// result means is judged in core/health, which gets results as plain values.
package probes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Kind is how a target is asked.
type Kind string

// The kinds.
const (
	ICMP Kind = "icmp"
	TCP  Kind = "tcp"
	HTTP Kind = "http"
)

// State is what one probe says of its target.
type State string

// The states. Unknown: the probe could not be made (no right to send ICMP,
// say), or was accepted and not answered, which may be slow or stuck.
const (
	Up      State = "up"
	Down    State = "down"
	Unknown State = "unknown"
)

// Cause is why a target is not up.
type Cause string

// The causes.
const (
	NoCause     Cause = ""
	Timeout     Cause = "timeout"     // nothing came back within the time limit
	Silent      Cause = "silent"      // it took the connection and said nothing within the time limit
	Refused     Cause = "refused"     // the host answers, the port does not
	Unreachable Cause = "unreachable" // no route, or a router or the host said no
	WrongStatus Cause = "status"      // an HTTP status outside the wanted range
	WrongBody   Cause = "body"        // the wanted text is not in the HTTP body
	NoName      Cause = "name"        // the host name does not resolve
	Protocol    Cause = "protocol"    // the answer is not what the kind asks for
	NotAllowed  Cause = "not allowed" // this process may not send such a probe
	BadTarget   Cause = "bad target"  // the target cannot be asked at all
	Cancelled   Cause = "cancelled"   // the caller gave up
)

// Defaults of a Target's zero fields.
const (
	DefaultInterval = 10 * time.Second
	DefaultTimeout  = 2 * time.Second
)

// Target is one thing to ask.
type Target struct {
	Name     string
	Kind     Kind
	Address  string        // ICMP: host; TCP: host:port; HTTP: URL
	Interval time.Duration // between two probes; 0: the Schedule's
	Timeout  time.Duration // of one probe, 0: the Schedule's
	HTTP     HTTPOptions   // for Kind HTTP only
}

// HTTPOptions are what an HTTP target must answer. The zero value asks for
// any status from 200 to 399 and follows no redirect.
type HTTPOptions struct {
	Host            string // Host header; "": the URL's
	StatusMin       int    // lowest good status, 0: 200
	StatusMax       int    // highest good status, 0: 399
	Body            string // text that the first 64 KiB of the body must hold; "": any body
	FollowRedirects bool   // up to ten
}

// ID tells targets apart: two with one ID are the same thing asked the same way.
func (t Target) ID() string {
	return strings.Join([]string{t.Name, string(t.Kind), t.Address, t.HTTP.Host}, "\x00")
}

// Sentinels of Check.
var (
	ErrKind    = errors.New("unknown kind of probe")
	ErrAddress = errors.New("address does not fit the kind of probe")
)

// Check tells whether the target can be asked at all.
func (t Target) Check() error {
	switch t.Kind {
	case ICMP:
		return checkHost(t.Address)
	case TCP:
		host, port, err := net.SplitHostPort(t.Address)
		if err != nil || port == "" {
			return fmt.Errorf("%w: %q is not host:port", ErrAddress, t.Address)
		}
		return checkHost(host)
	case HTTP:
		u, err := url.Parse(t.Address)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("%w: %q is not an http or https URL", ErrAddress, t.Address)
		}
		return nil
	}
	return fmt.Errorf("%w: %q", ErrKind, t.Kind)
}

func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if host == "" || len(host) > 253 || strings.ContainsAny(host, " /:@\x00") {
		return fmt.Errorf("%w: %q is neither an address nor a host name", ErrAddress, host)
	}
	return nil
}

// Result is one answer, or what came instead.
type Result struct {
	At      time.Time     `json:"at"` // when the probe began
	State   State         `json:"state"`
	Latency time.Duration `json:"latency,omitempty"` // of an answer; 0 without one
	Cause   Cause         `json:"cause,omitempty"`
	Detail  string        `json:"detail,omitempty"` // what a person reads: "status 502, wanted 200 to 399"
	Status  int           `json:"status,omitempty"` // HTTP status, 0: none came
	// ServerTime is the Date header of an HTTP answer, for comparing clocks.
	ServerTime time.Time `json:"server_time,omitzero"`
}

// Prober makes one probe. It ends with ctx or with the target's Timeout,
// whichever is first, and never returns an error: what went wrong is in the
// Result.
type Prober interface {
	Probe(ctx context.Context, t Target) Result
}

// Probers is a Prober for each kind.
type Probers map[Kind]Prober

// New gives the real probers.
func New() Probers {
	return Probers{ICMP: NewICMP(), TCP: TCPProber{}, HTTP: NewHTTP()}
}

// Probe asks t once, by the prober of its kind.
func (p Probers) Probe(ctx context.Context, t Target) Result {
	if err := t.Check(); err != nil {
		return Result{At: time.Now(), State: Unknown, Cause: BadTarget, Detail: err.Error()}
	}
	prober, ok := p[t.Kind]
	if !ok {
		return Result{At: time.Now(), State: Unknown, Cause: BadTarget, Detail: "no prober for " + string(t.Kind)}
	}
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	return prober.Probe(ctx, t)
}
