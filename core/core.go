// Package core holds what the plugin and the console share: the network as
// it is configured, the leases, the kernel's side of them, and every change
// that a person can ask for. The work is in the packages below it; this one
// has only the error form that all of them speak.
//
// core knows nothing of the console, of the CNI library or of the probes.
package core

import (
	"errors"

	"flatnet/core/say"
)

// OpError is a failed operation: what was attempted, on which object, why it
// failed, and what the reader can do about it. It is made where the failure
// is understood and mapped once at each edge (CNI error, exit status, status
// line).
type OpError struct {
	Op     say.Text // what was attempted: "make the bridge"
	Target string   // on what: "flatnet-br0"; may be empty
	Err    error    // the cause, wrapped
	Hint   say.Text // what to do: "run as root"; may be empty
}

// Error gives operation, target and cause in English, without the hint.
func (e *OpError) Error() string { return e.Say().String() }

// Say is Error in any language.
func (e *OpError) Say() say.Text {
	what := say.F("cannot %s", e.Op)
	if e.Target != "" {
		what = say.F("cannot %s %s", e.Op, e.Target)
	}
	return say.Join(": ", what, say.Of(e.Err))
}

// Unwrap gives the cause.
func (e *OpError) Unwrap() error { return e.Err }

// Hint gives the first hint found in err's chain, or "".
func Hint(err error) say.Text {
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
