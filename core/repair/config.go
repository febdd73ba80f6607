package repair

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/journal"
	"flatnet/core/say"
)

// ConfigID names the change of the configuration file.
const ConfigID = "edit-config"

// Config plans to save an edited configuration file. Its error is that of a
// text that cannot be saved; without a change there are no steps.
func Config(f *edit.File) (Plan, error) {
	p := Plan{Repair: ConfigID, Title: say.F("Save the configuration in %s", f.Path())}
	if !f.Changed() {
		p.Notes = []say.Text{"Nothing was changed."}
		return p, nil
	}
	if err := f.Check(); err != nil {
		return Plan{}, err
	}
	p.Steps = []Step{{
		Text: say.F("write %s", f.Path()), Diff: f.Diff(),
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			e := saved(f)
			if err := f.Save(ctx); err != nil {
				return nil, err
			}
			return []journal.Entry{e}, nil
		},
	}}
	p.Fits = func(context.Context) error {
		moved, err := f.Moved()
		if err == nil && moved {
			err = say.Errorf("%w: %w", ErrChanged, edit.ErrChanged)
		}
		return err
	}
	p.Verify = func(context.Context) error {
		_, err := config.Load(f.Path())
		return err
	}
	return p, nil
}

// undoLimit bounds, in bytes, the configuration that the journal keeps so that
// saving over it can be undone: its lines are read up to 64 KiB.
const undoLimit = 24 << 10

// saved gives the entry of what Save is about to do, with what undoing it
// needs. The first saving has nothing before it.
func saved(f *edit.File) journal.Entry {
	e := journal.Entry{Text: fmt.Sprintf("write %s", f.Path()), After: checksum(f.Text())}
	if was := f.Saved(); len(was) <= undoLimit {
		e.Before = was
	}
	return e
}

// checksum tells a later undo whether a text is the one that was saved.
func checksum(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// savedOver gives a test for entries of a saving that f can still go back
// from: f is as it was saved then, and what was before is right.
func savedOver(f *edit.File) func(journal.Entry) bool {
	now := checksum(f.Saved())
	return func(e journal.Entry) bool {
		if e.After != now || e.Before == "" {
			return false
		}
		_, err := config.Parse(f.Path(), []byte(e.Before))
		return err == nil
	}
}

// undoConfig plans to put back what f was before it was saved.
func undoConfig(f *edit.File, e journal.Entry) (Plan, error) {
	if err := f.SetText(e.Before); err != nil {
		return Plan{}, err
	}
	p, err := Config(f)
	if err != nil {
		return Plan{}, err
	}
	p.Repair = UndoID
	p.Title = say.F("Undo the saving of the configuration of %s by %s", e.Time.Format(time.DateTime), e.By)
	for i, s := range p.Steps {
		p.Steps[i].Do = func(ctx context.Context) ([]journal.Entry, error) {
			if err := f.Save(ctx); err != nil {
				return nil, err
			}
			return []journal.Entry{{Text: s.Text.String(), Before: stamp(e.Time)}}, nil
		}
	}
	return p, nil
}
