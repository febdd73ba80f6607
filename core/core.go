// Package core holds what the plugin and the console share: the network as
// it is configured, the leases, the kernel's side of them, and every change
// that a person can ask for. The work is in the packages below it; this one
// has only the error form that all of them speak.
//
// core knows nothing of the console, of the CNI library or of the probes.
package core

import (
	"errors"
	"strings"
)

// OpError is a failed operation: what was attempted, on which object, why it
// failed, and what the reader can do about it. It is made where the failure
// is understood and mapped once at each edge (CNI error, exit status, status
// line).
type OpError struct {
	Op     string // what was attempted: "make the bridge"
	Target string // on what: "flatnet-br0"; may be empty
	Err    error  // the cause, wrapped
	Hint   string // what to do: "run as root"; may be empty
}

// Error gives operation, target and cause, without the hint.
func (e *OpError) Error() string {
	var b strings.Builder
	b.WriteString("cannot " + e.Op)
	if e.Target != "" {
		b.WriteString(" " + e.Target)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *OpError) Unwrap() error { return e.Err }

// Hint gives the first hint found in err's chain, or "".
func Hint(err error) string {
	for err != nil {
		var op *OpError
		if !errors.As(err, &op) {
			return ""
		}
		if op.Hint != "" {
			return op.Hint
		}
		err = op.Err
	}
	return ""
}
