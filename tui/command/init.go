package command

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/setup"
)

// initFlags are what a person may say instead of being asked.
type initFlags struct {
	subnet  string
	choices setup.Choices
}

func (a *App) initCommand() *cobra.Command {
	var o initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set this machine up: looks for itself, asks the few things that differ, writes the configuration",
		Long: `init looks for Windows and its drives, the gateway's nginx, a free subnet and
Podman's network backend, asks about what it found, shows its plan, and writes
what is missing. What a file already says stays, unless a flag says otherwise.`,
		Example: "  sudo flatnet-tui init\n  sudo flatnet-tui init --subnet 10.60.0.0/24 --drive /mnt/d/flatnet --yes",
		Args:    noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.subnet, "subnet", "", "the containers' `NETWORK`, such as 10.87.1.0/24")
	flags.StringVar(&o.choices.Drive, "drive", "", "Flatnet's `DIRECTORY` on a Windows drive, such as /mnt/f/flatnet")
	flags.StringVar(&o.choices.Nginx, "nginx", "", "the gateway's `PROGRAM`, as this machine sees it")
	flags.StringVar(&o.choices.ConfigDir, "config-dir", "", "`DIRECTORY` of the gateway's configuration, as this machine sees it")
	flags.StringVar(&o.choices.Listen, "listen", "", "`PORT` or address and port that the gateway answers at")
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.runInit(cmd, f, o) }
	return cmd
}

func (a *App) runInit(cmd *cobra.Command, f *changeFlags, o initFlags) error {
	p, err := a.initParts()
	if err != nil {
		return err
	}
	machine, err := setup.Look(cmd.Context(), p.setup())
	if err != nil {
		return err
	}
	file, err := edit.Open(a.configPlace())
	if err != nil {
		return err
	}
	if a.Interactive && !f.yes && !f.dryRun && !f.json {
		if err := a.askInit(cmd.Context(), machine, file, &o); err != nil {
			fmt.Fprintln(a.Err, "Nothing was changed.")
			return errSilent{ExitFailing}
		}
	}
	if o.subnet != "" {
		if o.choices.Subnet, err = netip.ParsePrefix(o.subnet); err != nil {
			return usagef("--subnet %q is not a network, such as 10.87.1.0/24", o.subnet)
		}
	}
	plan, err := setup.Plan(cmd.Context(), p.setup(), machine, o.choices, file)
	if err != nil {
		return errUsage{err}
	}
	return a.carryOut(cmd, f, plan, a.journalIfAny())
}

// initParts opens the parts of the configuration, the defaults if there is
// none yet.
func (a *App) initParts() (*Parts, error) {
	c, err := config.Load(a.configPath)
	if errors.Is(err, config.ErrMissing) {
		c, err = config.Default(), nil
	}
	if err != nil {
		return nil, err
	}
	return a.Open(c)
}

// askInit asks for what no flag says and the file does not have. Its error is
// that the person does not want to go on.
func (a *App) askInit(ctx context.Context, m setup.Machine, file *edit.File, o *initFlags) error {
	questions := []question{{&o.subnet, "network.subnet", "Network for the containers", m.Subnet.String()}}
	if m.SystemRoot != "" {
		questions = append(questions, question{&o.choices.Drive, "windows.root", "Flatnet's directory on a Windows drive", m.Drive})
	}
	if m.Nginx == "" {
		questions = append(questions, question{&o.choices.Nginx, "gateway.nginx", "The gateway's nginx (nothing: later)", ""})
	}
	for _, q := range questions {
		if _, isSet := file.Value(q.key); *q.answer != "" || isSet {
			continue
		}
		if err := a.ask(ctx, file, q); err != nil {
			return err
		}
	}
	return nil
}

// question is about one key of the configuration. Its answer stays empty for
// what was found: that needs no key.
type question struct {
	answer           *string
	key, text, found string
}

// ask asks until the answer is one that the key can have.
func (a *App) ask(ctx context.Context, file *edit.File, q question) error {
	for {
		fmt.Fprintf(a.Err, "%s [%s]: ", q.text, q.found)
		answer, err := a.readLine(ctx)
		if err != nil || answer == "" || answer == q.found {
			return err
		}
		before := file.Text()
		err = file.Set(q.key, config.Quote(answer))
		if err := file.SetText(before); err != nil {
			return err
		}
		if err == nil {
			*q.answer = answer
			return nil
		}
		a.explain(err)
	}
}
