package probes

import (
	"context"
	"net"
	"time"
)

// TCPProber opens a connection and closes it again; nothing is sent on it.
type TCPProber struct{}

// Probe implements Prober. Latency is the time until the connection stood.
func (TCPProber) Probe(ctx context.Context, t Target) Result {
	at := time.Now()
	d := net.Dialer{Timeout: t.Timeout}
	conn, err := d.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return failed(ctx, t, at, err)
	}
	latency := time.Since(at)
	_ = conn.Close()
	return Result{At: at, State: Up, Latency: max(latency, time.Microsecond)}
}
