package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"flatnet/core/say"
)

// Limits on asking the gateway for its health.
const (
	askLimit   = 3 * time.Second
	takeLimit  = 15 * time.Second       // for a new generation to be served after a reload
	askPause   = 25 * time.Millisecond  // between two questions
	steady     = 250 * time.Millisecond // without another answer before a generation counts as served
	maxHeaders = 32 << 10               // bytes
	maxAnswer  = 4 << 10                // bytes
)

// errNoHeader says that something else than this gateway's server answered.
var errNoHeader = say.New("the answer names no generation")

// ask gives the generation that the running server serves. errNoHeader says
// that the server runs without one of ours; any other error that it could not
// be asked.
func (g *Gateway) ask(ctx context.Context, url string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.Host = HealthName
	req.Header.Set("User-Agent", "flatnet-gateway/1")
	// A connection of its own each time: an old one may still be an old
	// worker's.
	client := http.Client{
		Transport: &http.Transport{
			Proxy: nil, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaders,
			DialContext: (&net.Dialer{}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	n, err := strconv.Atoi(resp.Header.Get(generationHeader))
	if err != nil || n < 1 {
		return 0, say.Errorf("%s: %w", url, errNoHeader)
	}
	return n, nil
}

// taken waits until the server serves that generation and nothing else: for a
// moment after a reload old workers still take connections (nginx gives the
// new ones 100 ms to start), and in lua mode a worker looks at the table every
// 200 ms.
func (g *Gateway) taken(ctx context.Context, url string, generation int) error {
	ctx, cancel := context.WithTimeout(ctx, takeLimit)
	defer cancel()
	var since time.Time // of the first of the right answers in a row
	for {
		served, err := g.ask(ctx, url)
		switch {
		case err != nil || served != generation:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > steady:
			return nil
		}
		if err == nil {
			err = say.Errorf("it still serves generation %d", served)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(askPause):
		}
	}
}
