// Package repair is every change that a person can ask for: a Plan is data
// that is shown first, Apply carries it out, looks again, and writes it into
// the journal. Key, subcommand and test run the same plan.
//
// It does not decide what is wrong (core/health), and it knows no screen.
package repair

import (
	"context"
	"errors"
	"slices"
	"time"

	"flatnet/core/journal"
	"flatnet/core/say"
)

// Sentinels.
var (
	// ErrHarm: it would do harm (release a live lease, say); Force overrides
	// where that makes sense. Exit status 3.
	ErrHarm = say.New("refused")
	// ErrChanged: what the plan was made for is no longer so; plan again.
	ErrChanged = say.New("things have changed since the plan was made")
	// ErrNotMended: every step ran, and looking again still finds the fault.
	ErrNotMended = say.New("applied, but the fault is still there")
	// ErrStopped is the cause of a cancelled context where a person asked to
	// stop also the step under way.
	ErrStopped = say.New("stopped")
)

// Step is one change. Text and Command are shown before anything is done.
type Step struct {
	Text    say.Text `json:"text"`              // what a person reads
	Command string   `json:"command,omitempty"` // a command line that would do the same
	Diff    string   `json:"diff,omitempty"`    // unified diff of a file or of rules

	// Do makes the change. It is repeatable. The entries that it returns are
	// journalled with the plan's actor and time; nil stands for one entry
	// made from Text.
	Do func(ctx context.Context) ([]journal.Entry, error) `json:"-"`
	// Undo takes back what Do made, also a Do that failed half way. It is
	// called, last step first, where a later step or Verify fails; nil: what
	// was made stays.
	Undo func(ctx context.Context) error `json:"-"`
	// Stoppable: Do ends early when its context does, and then leaves
	// everything as it was.
	Stoppable bool `json:"-"`
}

// Plan is a change before it is made. A Plan without steps says that there is
// nothing to do, and why, in Note.
type Plan struct {
	Repair string     `json:"repair"` // id, as findings name it
	Title  say.Text   `json:"title"`
	Steps  []Step     `json:"steps"`
	Notes  []say.Text `json:"notes,omitempty"` // what is left alone and why; what to know before saying yes
	// ByHand is a command that only the person can run, elsewhere: an
	// administrator's PowerShell in Windows. It is shown to be copied; a Plan
	// that is all by hand has no steps. "" : nothing is left to the person.
	ByHand string `json:"by_hand,omitempty"`
	// Unmended: the fault stays, for no repair of ours mends it; Notes say what
	// would.
	Unmended bool `json:"unmended,omitempty"`

	// Fits looks again whether the plan still applies; nil: always. Its error
	// wraps ErrChanged or ErrHarm.
	Fits func(ctx context.Context) error `json:"-"`
	// Verify looks whether the fault is gone; nil: nothing to look at.
	Verify func(ctx context.Context) error `json:"-"`
}

// Recorder takes entries into the journal.
type Recorder interface {
	Append(ctx context.Context, entries ...journal.Entry) error
}

// Options of Apply. By is who asked: "key R", "command firewall apply".
type Options struct {
	By       string
	Journal  Recorder
	Now      func() time.Time
	Progress func(done, total int, step Step) // before each step and at the end; may be nil
}

// Report is what Apply did.
type Report struct {
	Applied []Step
	Failed  *Step // the step that failed, nil if none did
}

// Apply checks that the plan still fits, makes the steps in order, stops at
// the first that fails, and looks again. What then fails takes back the steps
// that can be. Every step that was tried is journalled, failed ones with their
// error, and so is what was taken back. A cancelled ctx stops it between two
// steps, never within one, unless its cause is ErrStopped and the step can be
// stopped.
func Apply(ctx context.Context, p Plan, o Options) (Report, error) {
	if p.Fits != nil {
		if err := p.Fits(ctx); err != nil {
			return Report{}, err
		}
	}
	ctx = withRun(ctx, o)
	r, err := makeSteps(ctx, p, o)
	if err == nil {
		err = verify(context.WithoutCancel(ctx), p)
	}
	if err != nil {
		err = takeBack(ctx, p, o, r, err)
	}
	return r, err
}

func makeSteps(ctx context.Context, p Plan, o Options) (r Report, err error) {
	for i, s := range p.Steps {
		if err := ctx.Err(); err != nil {
			return r, say.Because(say.F("stopped after %d of %d steps", i, len(p.Steps)), err)
		}
		progress(o, i, len(p.Steps), s)
		entries, err := do(ctx, s)
		jerr := record(ctx, p, s, o, entries, err)
		if err != nil {
			r.Failed = &p.Steps[i]
			return r, errors.Join(say.Errorf("%s: %w", s.Text, err), jerr)
		}
		r.Applied = append(r.Applied, s)
		if jerr != nil {
			return r, jerr
		}
	}
	if len(p.Steps) > 0 {
		progress(o, len(p.Steps), len(p.Steps), Step{})
	}
	return r, nil
}

// do makes one step, which hears of the end of ctx only where it may.
func do(ctx context.Context, s Step) ([]journal.Entry, error) {
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if s.Stoppable {
		defer context.AfterFunc(ctx, func() {
			if errors.Is(context.Cause(ctx), ErrStopped) {
				cancel()
			}
		})()
	}
	return s.Do(within)
}

// takeBack undoes what was made, last first, and adds to cause what came of it.
func takeBack(ctx context.Context, p Plan, o Options, r Report, cause error) error {
	tried := slices.Clone(r.Applied)
	if r.Failed != nil {
		tried = append(tried, *r.Failed)
	}
	var errs []error
	undone := 0
	for _, s := range slices.Backward(tried) {
		if s.Undo == nil {
			continue
		}
		undone++
		err := s.Undo(context.WithoutCancel(ctx))
		if err != nil {
			errs = append(errs, say.Errorf("nor could this be taken back: %s: %w", s.Text, err))
		}
		errs = append(errs, record(ctx, p, Step{Text: say.F("taken back: %s", s.Text)}, o, nil, err))
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(cause, err)
	}
	if undone == 0 {
		return cause
	}
	return say.Errorf("%w; what was done was taken back", cause)
}

func progress(o Options, done, total int, s Step) {
	if o.Progress != nil {
		o.Progress(done, total, s)
	}
}

func verify(ctx context.Context, p Plan) error {
	if p.Verify == nil || len(p.Steps) == 0 {
		return nil
	}
	if err := p.Verify(ctx); err != nil {
		return say.Errorf("%w: %w", ErrNotMended, err)
	}
	return nil
}

// record journals one step, with its error if it failed. Steps whose Do
// changed the leases have their entries written by the store already; those
// return an empty, non-nil list.
func record(ctx context.Context, p Plan, s Step, o Options, entries []journal.Entry, failed error) error {
	if o.Journal == nil {
		return nil
	}
	if entries == nil || failed != nil {
		entries = append(entries, journal.Entry{Text: s.Text.String()})
	}
	for i := range entries {
		fill(&entries[i], p, o)
		if failed != nil {
			entries[i].Err = failed.Error()
		}
	}
	if len(entries) == 0 {
		return nil
	}
	if err := o.Journal.Append(context.WithoutCancel(ctx), entries...); err != nil {
		if failed != nil {
			return say.Errorf("nor could that be written into the journal: %w", err)
		}
		return say.Errorf("done, but not written into the journal: %w", err)
	}
	return nil
}

func fill(e *journal.Entry, p Plan, o Options) {
	if e.Action == "" {
		e.Action = p.Repair
	}
	if e.By == "" {
		e.By = o.By
	}
	if e.Time.IsZero() && o.Now != nil {
		e.Time = o.Now()
	}
}

// run is one Apply: who asked and when. Steps that journal through the store
// take it from their context, so that what belongs together has one time.
type run struct {
	by string
	at time.Time
}

type runKey struct{}

func withRun(ctx context.Context, o Options) context.Context {
	r := run{by: o.By}
	if o.Now != nil {
		r.at = o.Now()
	}
	return context.WithValue(ctx, runKey{}, r)
}

// runOf gives the Apply that a step is part of.
func runOf(ctx context.Context) run {
	r, _ := ctx.Value(runKey{}).(run)
	return r
}
