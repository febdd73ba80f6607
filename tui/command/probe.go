package command

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/health"
	"flatnet/tui/monitor"
	"flatnet/tui/text"
)

func (a *App) probeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "probe [TARGET…]",
		Short: "Probe everything, or the targets named, once",
		Long: `probe asks each target once, side by side: the bridge, Windows, the gateway,
every server behind a site, and [[probes.target]]. TARGET is a name as probe and
status print it, or a site. Exit status 1 says that one does not answer.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.probe(cmd.Context(), args, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *App) probe(ctx context.Context, names []string, asJSON bool) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	wanted, err := named(p.watched(ctx), names)
	if err != nil {
		return err
	}
	results := monitor.Once(ctx, p.Probers, p.Config.Probes, wanted)
	if asJSON {
		err = writeJSON(a.Out, probeReport{Schema: schema, Probes: orEmpty(results)})
	} else {
		err = printProbes(a.Out, results)
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(results, func(p health.Probe) bool { return p.State == health.Fail }) {
		return errSilent{ExitFailing}
	}
	return nil
}

// probeReport is `probe --json`.
type probeReport struct {
	Schema int            `json:"schema"`
	Probes []health.Probe `json:"probes"`
}

// named picks the targets of these names, all of them where none is given.
func named(all []monitor.Watched, names []string) ([]monitor.Watched, error) {
	if len(names) == 0 {
		return all, nil
	}
	var picked []monitor.Watched
	for _, name := range names {
		found := false
		for _, w := range all {
			if w.Name == name || w.Host == name || w.Address == name {
				picked, found = append(picked, w), true
			}
		}
		if !found {
			return nil, usagef("nothing by the name %s is probed; there are: %s", name, strings.Join(namesOf(all), ", "))
		}
	}
	return picked, nil
}

func namesOf(all []monitor.Watched) []string {
	var names []string
	for _, w := range all {
		names = append(names, w.Name)
	}
	return names
}

func printProbes(w io.Writer, results []health.Probe) error {
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%s %s %s %s %s", text.Fit(string(r.State), 7), text.Fit(text.Line(r.Name), 24), text.Fit(r.Kind, 4),
			text.FitRight(latency(r.LatencyMS), 9), text.Line(r.Target))
		if r.Detail != "" {
			b.WriteString("  " + text.Line(r.Detail.String()))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
