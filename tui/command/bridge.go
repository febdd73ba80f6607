package command

import (
	"context"

	"github.com/spf13/cobra"

	"flatnet/core/repair"
)

// bridgeCommand mends the bridge; status shows it.
func (a *App) bridgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bridge",
		Short: "Mend the bridge, or take it away",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: see flatnet-tui bridge --help") },
	}
	apply := &cobra.Command{
		Use:   "apply",
		Short: "Make the bridge as configured, put containers back on it, switch on ip_forward",
		Args:  noArgs,
	}
	f := addChangeFlags(apply)
	apply.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.reach(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Bridge(ctx, p.Kernel, p.Config.Network)
		})
	}
	cmd.AddCommand(apply, a.bridgeRemove())
	return cmd
}
