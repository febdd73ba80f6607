package probes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	ping "github.com/go-ping/ping" //nolint:staticcheck // unmaintained, and the library that was asked for; only echo knows it
)

// maxPingers is how many pingers may run at a time. go-ping v1.2.0 opens a
// socket for each, and a raw one sees the replies to all others: at a hundred
// it reports loss that is not there.
const maxPingers = 16

// errNoReply says that the time limit passed without an echo.
var errNoReply = fmt.Errorf("no echo reply: %w", context.DeadlineExceeded)

// echoFunc sends one echo request and waits for its reply at most limit.
type echoFunc func(ctx context.Context, to *net.IPAddr, limit time.Duration, privileged bool) (time.Duration, error)

// ICMPProber sends one ICMP echo request a probe. It needs no privileges
// where net.ipv4.ping_group_range includes the process's group, and falls
// back to a raw socket elsewhere.
type ICMPProber struct {
	slots chan struct{}
	echo  echoFunc
}

// NewICMP gives a prober that runs at most 16 pings at a time; further ones
// wait for their turn, outside their time limit.
func NewICMP() *ICMPProber {
	return &ICMPProber{slots: make(chan struct{}, maxPingers), echo: echo}
}

// Probe implements Prober.
func (p *ICMPProber) Probe(ctx context.Context, t Target) Result {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return failed(ctx, t, time.Now(), ctx.Err())
	}
	at := time.Now()
	limited, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	to, err := resolve(limited, t.Address)
	if err == nil {
		err = limited.Err() // an address needs no resolving, and go-ping would send all the same
	}
	if err != nil {
		return failed(ctx, t, at, err)
	}
	rtt, err := p.echo(limited, to, t.Timeout, false)
	if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
		rtt, err = p.echo(limited, to, t.Timeout, true)
	}
	if err != nil {
		r := failed(ctx, t, at, err)
		if r.Cause == NotAllowed {
			r.Detail = "this user may not send ICMP: run as root, or let the group in by net.ipv4.ping_group_range"
		}
		return r
	}
	return Result{At: at, State: Up, Latency: max(rtt, time.Microsecond)}
}

// resolve turns a host into an address within ctx; go-ping's own resolving
// cannot be stopped.
func resolve(ctx context.Context, host string) (*net.IPAddr, error) {
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	for i := range addrs {
		if addrs[i].IP.To4() != nil {
			return &addrs[i], nil
		}
	}
	return &addrs[0], nil
}

// echo is the one place that speaks to go-ping.
func echo(ctx context.Context, to *net.IPAddr, limit time.Duration, privileged bool) (time.Duration, error) {
	p := ping.New(to.String())
	p.SetIPAddr(to)
	p.SetPrivileged(privileged)
	p.SetLogger(ping.NoopLogger{}) // its default writes over the console
	p.Count, p.Timeout = 1, limit
	stop := context.AfterFunc(ctx, p.Stop)
	defer stop()
	if err := p.Run(); err != nil {
		return 0, err
	}
	// Only now: while Run is busy its statistics are a data race. Its loss is
	// NaN when nothing was sent, so the count decides.
	s := p.Statistics()
	if s.PacketsRecv == 0 {
		return 0, errNoReply
	}
	return s.AvgRtt, nil
}
