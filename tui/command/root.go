package command

import (
	"github.com/spf13/cobra"
)

// Root makes the whole command tree of one process.
func (a *App) Root() *cobra.Command {
	var o ConsoleOptions
	root := &cobra.Command{
		Use:   "flatnet-tui",
		Short: "Watch and mend the path from the office LAN to the containers",
		Long: `flatnet-tui shows the Flatnet network: the bridge, the leases, the Windows
route and the upstreams behind the gateway. Without a subcommand it opens the
console; without a terminal it prints the status once.`,
		Args:          noArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.openConsole(cmd.Context(), o)
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage{err} })
	root.PersistentFlags().StringVar(&a.configPath, "config", "", "configuration `FILE` (default: $FLATNET_CONFIG, /etc/flatnet/flatnet.toml)")
	root.Flags().BoolVar(&o.ReadOnly, "read-only", false, "take away every key that changes something")
	root.Flags().BoolVar(&o.Plain, "plain", false, "print lines instead of drawing a screen")
	root.Flags().StringVar(&o.Theme, "theme", "", "`NAME` of the theme to use")
	root.Flags().StringVar(&o.Replay, "replay", "", "show the incident bundle in `FILE` instead of this machine")
	root.AddCommand(a.subcommands()...)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	strict(root)
	return root
}

// strict makes cobra's own commands, help and completion, refuse what is not
// there as ours do.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd() // it writes where root does from here on
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err != nil {
					return errUsage{err}
				}
				return noArgs(found, rest)
			}
		case "completion":
			cmd.Args = noArgs
			cmd.RunE = func(*cobra.Command, []string) error { return usagef("name a shell: see flatnet-tui completion --help") }
			for _, shell := range cmd.Commands() {
				shell.Args = noArgs
			}
		}
	}
}

// subcommands lists every subcommand, one line each, in the order of help.
func (a *App) subcommands() []*cobra.Command {
	return []*cobra.Command{
		a.statusCommand(),
		a.doctorCommand(),
		a.pathCommand(),
		a.probeCommand(),
		a.bundleCommand(),
		a.bridgeCommand(),
		a.leasesCommand(),
		a.firewallCommand(),
		a.routeCommand(),
		a.gatewayCommand(),
		a.watchCommand(),
		a.configCommand(),
		a.initCommand(),
		a.migrateCommand(),
		a.undoCommand(),
		a.versionCommand(),
	}
}

// noArgs refuses arguments as wrong usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("%q is not a command of %s: see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
}
