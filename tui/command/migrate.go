package command

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"flatnet/core/repair"
	"flatnet/core/setup"
)

func (a *App) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate [NETWORK…]",
		Short: "Take the networks over after an upgrade from Podman 4 (CNI) to Podman 5 (netavark)",
		Long: `migrate makes the networks known to Podman 5 that Podman 4 knew by a CNI network
list of Flatnet's: all of them, or those named. Subnet, bridge and configuration
are the list's. It takes out of Podman's settings what sudo flatnet-tui init wrote
there for CNI, since Podman 5 does nothing while that is there.

Leases stay where they are, so containers keep their addresses: those that
Podman 4 made start again with sudo podman start, and one that is made anew under its
old name has its old address. What fails takes everything back. Networks that
are not Flatnet's are not taken over, and the network lists stay. A network of
the same name that Podman has already and that is another is left as it is:
exit status 3.`,
		Example: "  sudo flatnet-tui migrate --dry-run\n  sudo flatnet-tui migrate --yes",
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.change(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			plan, err := setup.Migrate(ctx, p.setup(), args)
			if errors.Is(err, setup.ErrNoList) {
				err = errUsage{err}
			}
			return plan, err
		})
	}
	return cmd
}

// setup gives what setting up needs of this machine.
func (p *Parts) setup() setup.Options {
	return setup.Options{ContainersConf: os.Getenv("CONTAINERS_CONF"), Kernel: p.Kernel, Podman: p.Podman}
}
