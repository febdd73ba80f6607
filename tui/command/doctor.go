package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/health"
	"flatnet/tui/text"
)

func (a *App) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything, and say what mends what is wrong",
		Long: `doctor looks at everything side by side and ends within a few seconds, whatever
hangs. It prints every check with what was seen and, where something is wrong,
what mends it. A cause hides what only follows from it: mend it and run doctor
again. Exit status 1 says that something is failing.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what is not ok, as one JSON object")
	return cmd
}

func (a *App) doctor(ctx context.Context, asJSON bool) error {
	facts, err := a.examine(ctx)
	if err != nil {
		return err
	}
	findings := health.Evaluate(facts)
	if asJSON {
		err = writeJSON(a.Out, doctorReport{Schema: schema, Time: facts.Time, Findings: orEmpty(health.NotOK(findings))})
	} else {
		err = printDoctor(a.Out, facts, findings)
	}
	switch {
	case err != nil:
		return err
	case len(facts.Problems) > 0:
		return errSilent{ExitUsage}
	}
	return failing(findings)
}

// examine looks at everything. A configuration that is wrong is a finding,
// too, and leaves nothing to look at.
func (a *App) examine(ctx context.Context) (health.Facts, error) {
	p, err := a.parts()
	var wrong *config.Error
	if errors.As(err, &wrong) {
		return health.Facts{Time: a.Now(), Version: a.Version, Config: config.Default(), Problems: wrong.Problems}, nil
	}
	if err != nil {
		return health.Facts{}, err
	}
	return p.gather(ctx), nil
}

// doctorReport is `doctor --json`.
type doctorReport struct {
	Schema   int              `json:"schema"`
	Time     time.Time        `json:"time"`
	Findings []health.Finding `json:"findings"`
}

// printDoctor writes every check under the heading of its group, and a last
// line that says where to begin.
func printDoctor(w io.Writer, f health.Facts, findings []health.Finding) error {
	var b strings.Builder
	for _, g := range health.Groups() {
		first := true
		for _, one := range findings {
			if health.GroupOf(one.Code) != g {
				continue
			}
			if first {
				fmt.Fprintf(&b, "%s\n", g)
			}
			first = false
			printFinding(&b, one)
		}
	}
	b.WriteString("\n" + summary(f, findings) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// printFinding writes one check: what is so, what was seen, what mends it.
func printFinding(b *strings.Builder, f health.Finding) {
	fmt.Fprintf(b, "  %s %s", text.Fit(string(f.Severity), 7), text.Line(f.Title.String()))
	if f.Severity == health.OK {
		b.WriteString("\n")
		return
	}
	fmt.Fprintf(b, " [%s]\n", f.Code)
	for _, part := range []struct{ name, text string }{{"seen", f.Detail.String()}, {"mend", f.Remedy.String()}} {
		if part.text == "" {
			continue
		}
		block := strings.ReplaceAll(text.Block(part.text), "\n", "\n                ")
		fmt.Fprintf(b, "          %s: %s\n", part.name, block)
	}
}

// summary counts what was found and names the first thing to mend.
func summary(f health.Facts, findings []health.Finding) string {
	count := map[health.Severity]int{}
	for _, one := range findings {
		count[one.Severity]++
	}
	warnings := "warnings"
	if count[health.Warn] == 1 {
		warnings = "warning"
	}
	s := fmt.Sprintf("%d checks: %d ok, %d %s, %d failing, %d unknown.",
		len(findings), count[health.OK], count[health.Warn], warnings, count[health.Fail], count[health.Unknown])
	if bad := health.NotOK(findings); len(bad) > 0 {
		s += "\nBegin with: " + text.Line(bad[0].Title.String()) + "."
	}
	if f.Host.Known() && !f.Host.Value.Root {
		s += "\nThis was not run as root: what only root sees is unknown above."
	}
	return s
}
