package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/say"
	"flatnet/tui/text"
)

// configCommand is everything about the configuration file.
func (a *App) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check, show or edit the configuration",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: see flatnet-tui config --help") },
	}
	cmd.AddCommand(a.configCheck(), a.configShow(), a.configEdit())
	return cmd
}

// configPlace gives the file that the commands are about.
func (a *App) configPlace() string {
	if a.configPath != "" {
		return a.configPath
	}
	return config.Lookup()
}

func (a *App) configCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check every key and value; exit status 2 if something is wrong",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := config.Load(a.configPath)
			if asJSON {
				return a.checkedJSON(err)
			}
			if err != nil {
				return wrongConfig(err)
			}
			if c.Path == "" {
				fmt.Fprintf(a.Out, "%s is not there: every key has its default\n", a.configPlace())
				return nil
			}
			fmt.Fprintf(a.Out, "%s is good\n", c.Path)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// wrongConfig makes a file that cannot be read wrong usage too.
func wrongConfig(err error) error {
	var problems *config.Error
	if errors.As(err, &problems) {
		return err
	}
	return errUsage{err}
}

// checkedJSON prints what a check found.
func (a *App) checkedJSON(found error) error {
	report := struct {
		Schema   int              `json:"schema"`
		File     string           `json:"file"`
		Good     bool             `json:"good"`
		Problems []config.Problem `json:"problems"`
	}{schema, a.configPlace(), found == nil, []config.Problem{}}
	var problems *config.Error
	switch {
	case errors.As(found, &problems):
		report.Problems = problems.Problems
	case found != nil:
		report.Problems = []config.Problem{{File: report.File, Text: say.Of(found)}}
	}
	if err := writeJSON(a.Out, report); err != nil || found == nil {
		return err
	}
	return errSilent{ExitUsage}
}

func (a *App) configShow() *cobra.Command {
	var asJSON, changed, sample bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print every key with the value that holds",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if sample {
				_, err := io.WriteString(a.Out, config.Sample())
				return err
			}
			c, err := config.Load(a.configPath)
			if err != nil {
				return wrongConfig(err)
			}
			settings := config.Settings(c)
			if asJSON {
				return a.showJSON(settings, changed)
			}
			fmt.Fprint(a.Out, text.Block(settingsText(settings, changed)))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&changed, "changed", false, "leave out what has its default")
	cmd.Flags().BoolVar(&sample, "sample", false, "print a whole file instead, every key explained and commented out")
	cmd.MarkFlagsMutuallyExclusive("sample", "json")
	cmd.MarkFlagsMutuallyExclusive("sample", "changed")
	return cmd
}

func (a *App) showJSON(settings []config.Setting, changed bool) error {
	shown := []config.Setting{}
	for _, s := range settings {
		if s.Changed || !changed {
			shown = append(shown, s)
		}
	}
	return writeJSON(a.Out, struct {
		Schema   int              `json:"schema"`
		File     string           `json:"file"`
		Settings []config.Setting `json:"settings"`
	}{schema, a.configPlace(), shown})
}

// settingsText gives settings as a file would say them; keys without a value
// and a default are left out.
func settingsText(settings []config.Setting, changed bool) string {
	var b strings.Builder
	table := ""
	for _, s := range settings {
		if s.Value == "" || changed && !s.Changed {
			continue
		}
		dot := strings.LastIndexByte(s.Name, '.')
		if s.Name[:dot] != table {
			if table != "" {
				b.WriteString("\n")
			}
			table = s.Name[:dot]
			b.WriteString(header(table) + "\n")
		}
		fmt.Fprintf(&b, "%s = %s\n", s.Name[dot+1:], s.Value)
	}
	return b.String()
}

// header gives "[network]", or "[[gateway.site]]" for "gateway.site[0]".
func header(table string) string {
	if name, _, repeated := strings.Cut(table, "["); repeated {
		return "[[" + name + "]]"
	}
	return "[" + table + "]"
}

// editors are the programs for editing a text, the person's own first.
func editors() []string {
	return []string{os.Getenv("VISUAL"), os.Getenv("EDITOR"), "editor", "nano", "vi"}
}
