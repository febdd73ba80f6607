package repair

import (
	"context"

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
		Do: func(ctx context.Context) ([]journal.Entry, error) { return nil, f.Save(ctx) },
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
