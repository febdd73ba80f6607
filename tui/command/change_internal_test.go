package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/journal"
	"flatnet/core/repair"
)

// A plan that is outdated before it is applied is made anew, a few times.
func TestReachPlansAnew(t *testing.T) {
	for _, outdated := range []int{0, 1, plansAtMost - 1, plansAtMost} {
		var out, errs bytes.Buffer
		file := filepath.Join(t.TempDir(), "flatnet.toml")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		a := &App{Out: &out, Err: &errs, Now: time.Now, configPath: file, Open: func(c config.Config) (*Parts, error) {
			return &Parts{Config: c, Journal: journal.Open(t.TempDir(), "test")}, nil
		}}
		plans, done := 0, 0
		cmd := &cobra.Command{}
		cmd.SetContext(t.Context())
		err := a.reach(cmd, &changeFlags{yes: true}, func(context.Context, *Parts) (repair.Plan, error) {
			plans++
			number := plans
			return repair.Plan{
				Title: "Do it",
				Steps: []repair.Step{{Text: "do", Do: func(context.Context) ([]journal.Entry, error) { done = number; return nil, nil }}},
				Fits: func(context.Context) error {
					if number <= outdated {
						return repair.ErrChanged
					}
					return nil
				},
			}, nil
		})
		if outdated == plansAtMost {
			if !errors.Is(err, repair.ErrChanged) || done != 0 || plans != plansAtMost {
				t.Errorf("always outdated: %v after %d plans, did %d", err, plans, done)
			}
			continue
		}
		if err != nil || done != outdated+1 || strings.Count(out.String(), "Do it") != outdated+1 || strings.Count(errs.String(), "The plan is now:") != outdated {
			t.Errorf("%d outdated: %v, did plan %d; printed\n%s%s", outdated, err, done, out.String(), errs.String())
		}
	}
}

// What was not permitted says what to do, and what failed beside it is told
// apart.
func TestExplain(t *testing.T) {
	var errs bytes.Buffer
	a := &App{Err: &errs}
	a.explain(errors.Join(fmt.Errorf("read it: %w", os.ErrPermission), errors.New("nor could that be noted")))
	if want := "flatnet-tui: read it: permission denied; nor could that be noted\n  run as root\n"; errs.String() != want {
		t.Errorf("it says %q, want %q", errs.String(), want)
	}
}
