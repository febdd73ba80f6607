package probes

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// UserAgent is how probes name themselves, so that they can be told apart in
// access logs.
const UserAgent = "flatnet-probe/1"

// Limits on what a server may send.
const (
	maxBody    = 64 << 10
	maxHeaders = 64 << 10
)

// HTTPProber makes one GET a probe, each on a connection of its own, through
// no proxy.
type HTTPProber struct{ transport http.RoundTripper }

// NewHTTP gives a prober with its own transport.
func NewHTTP() *HTTPProber {
	return &HTTPProber{transport: &http.Transport{
		Proxy:                  nil, // the path itself is asked, not a way around it
		DialContext:            (&net.Dialer{}).DialContext,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaders,
	}}
}

// Probe implements Prober. Latency is the time until the headers had come.
func (p *HTTPProber) Probe(ctx context.Context, t Target) Result {
	at := time.Now()
	limited, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodGet, t.Address, nil)
	if err != nil {
		return Result{At: at, State: Unknown, Cause: BadTarget, Detail: err.Error()}
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Host = t.HTTP.Host
	var connected atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	client := http.Client{Transport: p.transport, CheckRedirect: redirects(t.HTTP.FollowRedirects)}
	resp, err := client.Do(req)
	if err != nil {
		return silentIf(connected.Load(), t, failed(ctx, t, at, err))
	}
	defer func() { _ = resp.Body.Close() }()
	r := Result{At: at, State: Up, Latency: max(time.Since(at), time.Microsecond), Status: resp.StatusCode}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		r.ServerTime = date
	}
	return judge(ctx, t, r, resp.Body)
}

// silentIf turns a timeout after the connection stood into Silent: the server
// may be slow or stuck, which one probe cannot tell.
func silentIf(connected bool, t Target, r Result) Result {
	if connected && r.Cause == Timeout {
		r.State, r.Cause = Unknown, Silent
		r.Detail = "it took the connection and did not answer within " + t.Timeout.String()
	}
	return r
}

// judge compares an answer with what the target must answer.
func judge(ctx context.Context, t Target, r Result, body io.Reader) Result {
	low, high := t.HTTP.statusRange()
	if r.Status < low || r.Status > high {
		r.State, r.Cause = Down, WrongStatus
		r.Detail = fmt.Sprintf("status %d, wanted %d to %d", r.Status, low, high)
		return r
	}
	if t.HTTP.Body == "" {
		return r
	}
	got, err := io.ReadAll(io.LimitReader(body, maxBody))
	if bytes.Contains(got, []byte(t.HTTP.Body)) {
		return r
	}
	if err != nil {
		cut := silentIf(true, t, failed(ctx, t, r.At, err))
		cut.Status, cut.ServerTime = r.Status, r.ServerTime
		return cut
	}
	r.State, r.Cause = Down, WrongBody
	r.Detail = fmt.Sprintf("%q is not in the first %d bytes of the answer", t.HTTP.Body, len(got))
	return r
}

func (o HTTPOptions) statusRange() (low, high int) {
	low, high = o.StatusMin, o.StatusMax
	if low == 0 {
		low = 200
	}
	if high == 0 {
		high = max(399, low)
	}
	return low, high
}

func redirects(follow bool) func(*http.Request, []*http.Request) error {
	if follow {
		return nil // the client's own limit of ten
	}
	return func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}
