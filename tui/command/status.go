package command

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *App) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print what all panes show, once",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// status looks at everything once and prints it. Exit status 1 says that
// something is failing.
func (a *App) status(ctx context.Context, asJSON bool) error {
	_, err := a.parts()
	return err
}
