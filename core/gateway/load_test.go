package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// tally counts what a load saw.
type tally struct {
	ok, closedIdle, moment atomic.Int64
	mu                     sync.Mutex
	failures               []string
}

func (c *tally) fail(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, fmt.Sprintf(format, args...))
}

// moments is how often something began or ended that excuses a failure of the
// site that it is about: odd while it lasts.
type moments struct{ n atomic.Int64 }

func (m *moments) begin() { m.n.Add(1) }
func (m *moments) end()   { m.n.Add(1) }

// load asks for a host until stop is closed, on new connections or on one that
// it keeps. A kept connection that was closed while it was idle is counted
// apart.
func load(host string, keep bool, during *moments, stop <-chan struct{}, c *tally) {
	var kept *keptConn
	for {
		select {
		case <-stop:
			kept.close()
			return
		case <-time.After(5 * time.Millisecond):
		}
		before := during.n.Load()
		reused := kept != nil
		status, next, err := request(host, kept)
		kept = next
		if !keep {
			kept.close()
			kept = nil
		}
		switch {
		case err == nil && status == http.StatusOK:
			c.ok.Add(1)
		case before%2 == 1 || during.n.Load() != before:
			c.moment.Add(1)
		case reused && errors.Is(err, errIdle):
			c.closedIdle.Add(1)
		default:
			c.fail("%s (kept %v): status %d, %v", host, reused, status, err)
		}
	}
}

var errIdle = errors.New("the connection was closed before it answered a byte")

type keptConn struct {
	net.Conn
	r *bufio.Reader
}

func (k *keptConn) close() {
	if k != nil {
		_ = k.Close()
	}
}

// request makes one request, on conn if there is one.
func request(host string, conn *keptConn) (status int, next *keptConn, err error) {
	if conn == nil {
		c, err := net.DialTimeout("tcp", "127.0.0.1:80", 20*time.Second)
		if err != nil {
			return 0, nil, err
		}
		conn = &keptConn{c, bufio.NewReader(c)}
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
	if err == nil {
		_, err = conn.r.Peek(1)
	}
	if err != nil {
		conn.close()
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			err = fmt.Errorf("%w: %w", errIdle, err)
		}
		return 0, nil, err
	}
	resp, err := http.ReadResponse(conn.r, nil)
	if err != nil {
		conn.close()
		return 0, nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.Close {
		conn.close()
		conn = nil
	}
	return resp.StatusCode, conn, err
}

// TestConstantLoad changes the gateway again and again under load. Only the
// container that is being replaced may fail, and only in its own moment.
func TestConstantLoad(t *testing.T) {
	const regenerations, rollbacks, replacements = 50, 10, 20
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "steady")
		stop := serve(t, "10.87.1.3:80", "moving")
		w.run("steady", "10.87.1.2", "host=steady.local")
		w.run("moving", "10.87.1.3", "host=moving.local")
		w.run("other", "10.87.1.2")
		w.nginx.Start(t)
		w.apply()

		var c tally
		var never, replacing moments
		done := make(chan struct{})
		var clients sync.WaitGroup
		for i := range 20 {
			host, during := "steady.local", &never
			if i >= 15 {
				host, during = "moving.local", &replacing
			}
			clients.Go(func() { load(host, i%3 == 0, during, done, &c) })
		}

		reloads := 0
		count := func(reloaded bool) {
			if reloaded {
				reloads++
			}
		}
		for i := range regenerations {
			w.containers[2].Labels["flatnet.host"] = fmt.Sprintf("other%d.local", i)
			count(w.apply().Reloaded)
			if i%5 == 4 && i/5 < rollbacks {
				count(w.rollback(0).Reloaded)
			}
		}
		for i := range replacements {
			ip := fmt.Sprintf("10.87.1.%d", 3+(i+1)%2)
			replacing.begin()
			stop()
			stop = serve(t, ip+":80", "moving")
			w.containers[1].Networks["flatnet"] = attachment(ip)
			count(w.apply().Reloaded)
			replacing.end()
		}
		close(done)
		clients.Wait()

		t.Logf("%s: %d regenerations, %d rollbacks, %d replacements, %d reloads: %d answers, %d failures, %d in a replaced container's moment, %d idle connections closed",
			w.config.Gateway.Mode, regenerations, rollbacks, replacements, reloads, c.ok.Load(), len(c.failures), c.moment.Load(), c.closedIdle.Load())
		for i, f := range c.failures {
			if i < 10 {
				t.Error(f)
			}
		}
		if w.config.Gateway.Mode == "lua" && (reloads != 0 || c.closedIdle.Load() != 0) {
			t.Errorf("lua mode: %d reloads, %d idle connections closed, want none", reloads, c.closedIdle.Load())
		}
		if c.ok.Load() < 1000 {
			t.Errorf("only %d answers: that was no load", c.ok.Load())
		}
		eventually(t, "the old workers have ended", func() bool { return len(w.nginx.Workers(t)) == 2 })
	})
}
