package pane

import (
	"context"
	"testing"
	"time"
)

// TestInsisting: a source can tell a look that a person asked for from one
// that was due.
func TestInsisting(t *testing.T) {
	for _, insist := range []bool{false, true} {
		var told bool
		f := feed[int]{
			look: func(ctx context.Context) (int, error) { told = Insisted(ctx); return 1, nil },
			deps: Deps{Now: time.Now, Limit: time.Minute},
		}
		f.refresh(insist)()
		if told != insist {
			t.Errorf("insist %t: the source is told %t", insist, told)
		}
	}
}
