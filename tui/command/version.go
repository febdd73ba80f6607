package command

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Out, "flatnet-tui %s (%s, %s)\n", a.Version, runtime.Version(), runtime.GOARCH)
			return err
		},
	}
}
