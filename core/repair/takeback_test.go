package repair_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"flatnet/core/journal"
	"flatnet/core/repair"
	"flatnet/core/say"
)

var errFault = errors.New("a fault")

// things are made by steps, which fail before or after they made something.
type things struct {
	made   []string
	fail   string // the thing whose making fails
	late   bool   // after it was made
	stuck  string // the thing that cannot be taken back
	verify error
}

func (m *things) plan() repair.Plan {
	p := repair.Plan{Repair: "build", Verify: func(context.Context) error { return m.verify }}
	for _, name := range []string{"a", "b", "c"} {
		p.Steps = append(p.Steps, repair.Step{
			Text: say.Data("Make " + name),
			Do: func(context.Context) ([]journal.Entry, error) {
				if m.fail == name && !m.late {
					return nil, errFault
				}
				m.made = append(m.made, name)
				if m.fail == name {
					return nil, errFault
				}
				return nil, nil
			},
			Undo: func(context.Context) error {
				if m.stuck == name {
					return errors.New("stuck")
				}
				m.made = slices.DeleteFunc(m.made, func(s string) bool { return s == name })
				return nil
			},
		})
	}
	return p
}

// TestFailureTakesBack lets each step fail, before and after it did its work,
// and the look afterwards.
func TestFailureTakesBack(t *testing.T) {
	for _, m := range []things{
		{fail: "a"}, {fail: "b"}, {fail: "c"}, {fail: "a", late: true}, {fail: "b", late: true}, {fail: "c", late: true}, {verify: errFault},
	} {
		t.Run(fmt.Sprintf("%+v", m), func(t *testing.T) {
			var d diary
			_, err := repair.Apply(t.Context(), m.plan(), with(&d))
			if !errors.Is(err, errFault) || !strings.Contains(err.Error(), "was taken back") {
				t.Errorf("%v", err)
			}
			if len(m.made) > 0 {
				t.Errorf("left: %v", m.made)
			}
			last := d[len(d)-1]
			if last.Text != "taken back: Make a" || last.Err != "" || last.Action != "build" {
				t.Errorf("journal: %+v", d)
			}
		})
	}
}

func TestTakingBackThatFails(t *testing.T) {
	m := things{fail: "c", stuck: "b"}
	var d diary
	_, err := repair.Apply(t.Context(), m.plan(), with(&d))
	if !errors.Is(err, errFault) || !strings.Contains(err.Error(), "nor could this be taken back: Make b: stuck") {
		t.Errorf("%v", err)
	}
	if !slices.Equal(m.made, []string{"b"}) {
		t.Errorf("left: %v", m.made)
	}
	if i := slices.IndexFunc(d, func(e journal.Entry) bool { return e.Text == "taken back: Make b" && e.Err == "stuck" }); i < 0 {
		t.Errorf("journal: %+v", d)
	}
}

// TestCancelledBetweenSteps: a person who stops it half way gets back what was.
func TestCancelledBetweenSteps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := things{}
	p := m.plan()
	do := p.Steps[1].Do
	p.Steps[1].Do = func(ctx context.Context) ([]journal.Entry, error) {
		cancel()
		return do(ctx)
	}
	if _, err := repair.Apply(ctx, p, repair.Options{}); !errors.Is(err, context.Canceled) || len(m.made) > 0 {
		t.Errorf("%v, left %v", err, m.made)
	}
}

// TestStopReachesWhatCanBeStopped: a lost connection lets the step end, a
// person who says stop ends one that can be stopped.
func TestStopReachesWhatCanBeStopped(t *testing.T) {
	for _, test := range []struct {
		cause     error
		stoppable bool
		heard     bool
	}{{nil, true, false}, {repair.ErrStopped, false, false}, {repair.ErrStopped, true, true}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		heard := false
		p := repair.Plan{Steps: []repair.Step{{Stoppable: test.stoppable, Do: func(ctx context.Context) ([]journal.Entry, error) {
			cancel(test.cause)
			if test.heard {
				<-ctx.Done()
			}
			heard = ctx.Err() != nil
			return nil, ctx.Err()
		}}}}
		_, err := repair.Apply(ctx, p, repair.Options{})
		if heard != test.heard || errors.Is(err, context.Canceled) != test.heard {
			t.Errorf("%+v: heard %v, %v", test, heard, err)
		}
	}
}
