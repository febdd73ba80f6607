package repair_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"flatnet/core/journal"
	"flatnet/core/repair"
)

// broken is a journal on a disk that takes nothing.
type broken struct{}

func (broken) Append(context.Context, ...journal.Entry) error { return errors.New("disk full") }

// TestStepAndJournalFail says of a step that failed that it did, not that it
// was done.
func TestStepAndJournalFail(t *testing.T) {
	tests := []struct {
		name      string
		step      error
		want, not string
	}{
		{"both", errors.New("no rights"), "no rights", "done"},
		{"the journal alone", nil, "done, but not written", "no rights"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := repair.Plan{Steps: []repair.Step{{Text: "Mend it", Do: func(context.Context) ([]journal.Entry, error) { return nil, test.step }}}}
			_, err := repair.Apply(t.Context(), p, repair.Options{Journal: broken{}})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.not) {
				t.Errorf("%v", err)
			}
		})
	}
}
