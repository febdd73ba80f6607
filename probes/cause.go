package probes

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// failed turns the error of a probe into its result: whose fault it is
// decides between down and unknown. parent is the caller's context, which
// tells a caller that gave up from a target that did not answer in time.
func failed(parent context.Context, t Target, at time.Time, err error) Result {
	r := Result{At: at, State: Down, Cause: causeOf(err), Detail: err.Error()}
	switch {
	case parent.Err() != nil:
		r.State, r.Cause, r.Detail = Unknown, Cancelled, "stopped before it was answered"
	case r.Cause == NotAllowed:
		r.State = Unknown
	case r.Cause == Timeout:
		r.Detail = "no answer within " + t.Timeout.String()
	case r.Cause == Refused:
		r.Detail = "connection refused: nothing listens on this port"
	}
	return r
}

func causeOf(err error) Cause {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return NotAllowed
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH),
		errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.EADDRNOTAVAIL):
		return Unreachable
	case errors.As(err, &dns):
		return NoName
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Protocol
}
