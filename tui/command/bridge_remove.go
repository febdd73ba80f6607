package command

import (
	"context"

	"github.com/spf13/cobra"

	"flatnet/core/repair"
)

// bridgeRemove takes the network off the machine, as make uninstall does.
func (a *App) bridgeRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Take bridge and rules away, before uninstalling; refused while containers are on it",
		Args:  noArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.change(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Teardown(ctx, p.Kernel, p.Config)
		})
	}
	return cmd
}
