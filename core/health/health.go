// Package health says what is wrong, how bad it is and what mends it. A Check
// is a small pure function from Facts, what was seen, to Findings; looking is
// done by the packages that own each part, so a check can be replayed on
// facts from another machine.
package health

import (
	"time"

	"flatnet/core"
	"flatnet/core/say"
)

// Severity is how bad a finding is. Unknown is never shown as good.
type Severity string

// The severities.
const (
	OK      Severity = "ok"
	Warn    Severity = "warn"
	Fail    Severity = "fail"
	Unknown Severity = "unknown"
)

// rank orders severities for the worst of several: fail, unknown, warn, ok.
func (s Severity) rank() int {
	switch s {
	case Fail:
		return 3
	case Unknown:
		return 2
	case Warn:
		return 1
	case OK:
		return 0
	}
	return 2
}

// Worst gives the worse of two: fail before unknown before warn before ok.
func Worst(a, b Severity) Severity {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Code names a kind of finding; it stays the same across versions.
type Code string

// Finding is one thing that a check found.
type Finding struct {
	Code      Code      `json:"code"`
	Severity  Severity  `json:"severity"`
	Title     say.Text  `json:"title"`  // what happened, on what: one line
	Detail    say.Text  `json:"detail"` // evidence: what was looked at, what was seen
	Target    string    `json:"target"`
	Remedy    say.Text  `json:"remedy"` // what to do: the key, the command
	Repair    string    `json:"-"`      // id of the repair that mends it (core/repair), "" if none
	DependsOn []Code    `json:"-"`      // causes that, when present, hide this one
	Since     time.Time `json:"since,omitzero"`

	about []string // further targets: it hides their findings, and is hidden with them
}

// Seen is one look at one thing: what was seen and when, or why it could not
// be looked at. The zero value was never looked at.
type Seen[T any] struct {
	Value T         `json:"value"`
	At    time.Time `json:"at,omitzero"`
	Err   say.Text  `json:"error,omitempty"` // "" : Value is good
	Hint  say.Text  `json:"hint,omitempty"`  // what to do about Err; may be empty
}

// Known tells whether Value may be relied on.
func (s Seen[T]) Known() bool { return s.Err == "" && !s.At.IsZero() }

// Look makes a Seen of a look's two results.
func Look[T any](at time.Time, v T, err error) Seen[T] {
	if err != nil {
		return Seen[T]{Value: v, At: at, Err: say.Of(err), Hint: core.Hint(err)}
	}
	return Seen[T]{Value: v, At: at}
}
