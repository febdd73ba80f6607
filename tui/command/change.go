package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/tui/text"
)

// changeFlags are the flags of every command that changes something.
type changeFlags struct {
	dryRun, yes, json bool
}

// addChangeFlags gives cmd the flags that every changing command has.
func addChangeFlags(cmd *cobra.Command) *changeFlags {
	f := &changeFlags{}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the plan and change nothing")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the steps, and whether they were applied, as JSON")
	return f
}

// planner makes the plan of a change from the machine as it is now.
type planner func(ctx context.Context, p *Parts) (repair.Plan, error)

// plansAtMost is how often a change is planned where each plan is outdated
// before it is applied: the watcher, say, deploys meanwhile.
const plansAtMost = 3

// change is the run of every command that changes something: it shows the
// plan, asks unless told not to, applies it and looks again.
func (a *App) change(cmd *cobra.Command, f *changeFlags, plan planner) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	ready, err := plan(cmd.Context(), p)
	if err != nil {
		return err
	}
	return a.carryOut(cmd, f, ready, p.Journal)
}

// reach is change towards a state that is the same whatever happens meanwhile:
// a plan that no longer fits is made, shown and asked for anew.
func (a *App) reach(cmd *cobra.Command, f *changeFlags, plan planner) error {
	for tries := 1; ; tries++ {
		err := a.change(cmd, f, plan)
		if tries == plansAtMost || !errors.Is(err, repair.ErrChanged) {
			return err
		}
		fmt.Fprintln(a.Err, "Things have changed since this plan was made. The plan is now:")
	}
}

// carryOut is change for a plan that is made already.
func (a *App) carryOut(cmd *cobra.Command, f *changeFlags, ready repair.Plan, journal repair.Recorder) error {
	if !f.json {
		printPlan(a.Out, ready)
	}
	if f.dryRun || len(ready.Steps) == 0 {
		return a.changed(f, ready, false)
	}
	if err := a.confirm(cmd.Context(), f); err != nil {
		return err
	}
	if _, err := repair.Apply(cmd.Context(), ready, repair.Options{By: by(cmd), Journal: journal, Now: a.Now}); err != nil {
		return err
	}
	return a.changed(f, ready, true)
}

// changed says how it ended.
func (a *App) changed(f *changeFlags, p repair.Plan, applied bool) error {
	if f.json {
		steps := p.Steps
		if steps == nil {
			steps = []repair.Step{}
		}
		err := writeJSON(a.Out, struct {
			Steps   []repair.Step `json:"steps"`
			Notes   []say.Text    `json:"notes,omitempty"`
			ByHand  string        `json:"by_hand,omitempty"`
			Applied bool          `json:"applied"`
		}{steps, p.Notes, p.ByHand, applied})
		if err != nil {
			return err
		}
	} else if applied {
		fmt.Fprintln(a.Out, "Done.")
	}
	if (p.ByHand != "" || p.Unmended) && !f.dryRun {
		return errSilent{ExitFailing} // the rest is left to the person
	}
	return nil
}

// confirm asks the person. Without --yes and without a terminal nobody can
// answer: wrong usage.
func (a *App) confirm(ctx context.Context, f *changeFlags) error {
	if f.yes {
		return nil
	}
	if !a.Interactive {
		return usagef("nobody is at a terminal to confirm this: add --yes to go on, or --dry-run to see only the plan")
	}
	if !a.yes(ctx, "Go on? [y/N] ", false) {
		fmt.Fprintln(a.Err, "Nothing was changed.")
		return errSilent{ExitFailing}
	}
	return nil
}

// yes asks the person; without an answer it is otherwise.
func (a *App) yes(ctx context.Context, question string, otherwise bool) bool {
	fmt.Fprint(a.Err, question)
	line, err := a.readLine(ctx)
	if err != nil {
		return false
	}
	switch strings.ToLower(line) {
	case "y", "yes":
		return true
	case "":
		return otherwise
	}
	return false
}

// readLine gives what the person typed, or that ctx ended: Ctrl-C at a question
// ends the program.
func (a *App) readLine(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := a.typed()
		answered <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return "", ctx.Err()
	case r := <-answered:
		return r.line, r.err
	}
}

// typed reads a line, and no byte beyond it: an editor or the next question
// may want that.
func (a *App) typed() (string, error) {
	const longest = 4096
	var line []byte
	for b := make([]byte, 1); len(line) < longest; {
		n, err := a.In.Read(b)
		if n > 0 && b[0] == '\n' {
			return strings.TrimSpace(string(line)), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("the answer is too long")
}

func printPlan(w io.Writer, p repair.Plan) {
	fmt.Fprintln(w, text.Line(p.Title.String()))
	for i, s := range p.Steps {
		fmt.Fprintf(w, "  %d. %s\n", i+1, text.Line(s.Text.String()))
		if s.Command != "" {
			fmt.Fprintf(w, "     $ %s\n", text.Block(s.Command))
		}
		if s.Diff != "" {
			fmt.Fprintln(w, indent(text.Block(s.Diff), "     "))
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, "  %s\n", text.Line(n.String()))
	}
	if p.ByHand != "" {
		fmt.Fprintf(w, "  By hand:\n     %s\n", text.Line(p.ByHand))
	}
}

func indent(s, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+by)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
