package repair

import (
	"context"
	"fmt"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/journal"
)

// ConfigID names the change of the configuration file.
const ConfigID = "edit-config"

// Config plans to save an edited configuration file. Its error is that of a
// text that cannot be saved; without a change there are no steps.
func Config(f *edit.File) (Plan, error) {
	p := Plan{Repair: ConfigID, Title: "Save the configuration in " + f.Path()}
	if !f.Changed() {
		p.Notes = []string{"Nothing was changed."}
		return p, nil
	}
	if err := f.Check(); err != nil {
		return Plan{}, err
	}
	p.Steps = []Step{{
		Text: "write " + f.Path(), Diff: f.Diff(),
		Do: func(ctx context.Context) ([]journal.Entry, error) { return nil, f.Save(ctx) },
	}}
	p.Fits = func(context.Context) error {
		moved, err := f.Moved()
		if err == nil && moved {
			err = fmt.Errorf("%w: %w", ErrChanged, edit.ErrChanged)
		}
		return err
	}
	p.Verify = func(context.Context) error {
		_, err := config.Load(f.Path())
		return err
	}
	return p, nil
}
