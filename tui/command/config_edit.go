package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/repair"
)

func (a *App) configEdit() *cobra.Command {
	var unset []string
	cmd := &cobra.Command{
		Use:   "edit [KEY=VALUE]...",
		Short: "Change keys, or open the file in an editor; saved only if it is right",
		Long: `With KEY=VALUE, such as network.mtu=1400, sets these keys. Without, opens the
file in $VISUAL or $EDITOR. Comments and order stay, the change is shown before
it is saved, and it is refused if somebody else has saved the file meanwhile.`,
		Example: "  sudo flatnet-tui config edit network.subnet=10.60.0.0/24 tui.theme=light\n  sudo flatnet-tui config edit --unset network.mtu",
		Args:    cobra.ArbitraryArgs,
	}
	cmd.Flags().StringArrayVar(&unset, "unset", nil, "take `KEY` out, so that its default holds (repeatable)")
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file, err := edit.Open(a.configPlace())
		if err != nil {
			return err
		}
		if len(args)+len(unset) == 0 {
			err = a.inEditor(cmd.Context(), file)
		} else {
			err = setKeys(file, args, unset)
		}
		if err != nil {
			return err
		}
		plan, err := repair.Config(file)
		if err != nil {
			return err
		}
		return a.carryOut(cmd, f, plan, a.journalIfAny())
	}
	return cmd
}

// setKeys makes the changes that the command line names.
func setKeys(file *edit.File, set, unset []string) error {
	for _, key := range unset {
		if err := file.Unset(key); err != nil {
			return errUsage{err}
		}
	}
	for _, arg := range set {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return usagef("%q sets nothing: write KEY=VALUE, such as network.mtu=1400", arg)
		}
		if err := file.Set(key, config.Literal(key, value)); err != nil {
			return errUsage{err}
		}
	}
	return nil
}

// inEditor lets the person edit the text until it is right.
func (a *App) inEditor(ctx context.Context, file *edit.File) error {
	if !a.Interactive {
		return usagef("nobody is at a terminal to edit the file: name what to set, as in network.mtu=1400")
	}
	if file.Text() == "" {
		if err := file.SetText(config.Sample()); err != nil {
			return err
		}
	}
	for {
		if err := a.editOnce(ctx, file); err != nil {
			return err
		}
		err := file.Check()
		if err == nil {
			return nil
		}
		a.explain(err)
		if !a.yes(ctx, "Edit it again? [Y/n] ", true) {
			fmt.Fprintln(a.Err, "Nothing was changed.")
			return errSilent{ExitUsage}
		}
	}
}

// editOnce gives the text to the editor in a file of its own, which only this
// person can read, and takes what comes back.
func (a *App) editOnce(ctx context.Context, file *edit.File) error {
	dir, err := os.MkdirTemp("", "flatnet-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	draft := filepath.Join(dir, filepath.Base(file.Path()))
	if err := os.WriteFile(draft, []byte(file.Text()), 0o600); err != nil {
		return err
	}
	cmd, err := editorCommand(ctx, draft)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.In, a.Out, a.Err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the editor %s failed, and nothing was changed: %w", cmd.Args[0], err)
	}
	changed, err := edit.Open(draft)
	if err != nil {
		return err
	}
	return file.SetText(changed.Text())
}

// editorCommand starts the first editor that is there. $EDITOR may have
// arguments: "code --wait".
func editorCommand(ctx context.Context, path string) (*exec.Cmd, error) {
	for _, e := range editors() {
		words := strings.Fields(e)
		if len(words) == 0 {
			continue
		}
		if program, err := exec.LookPath(words[0]); err == nil {
			return exec.CommandContext(ctx, program, append(words[1:], path)...), nil
		}
	}
	return nil, errors.New("there is no editor: set EDITOR, or name what to set, as in network.mtu=1400")
}

// journalIfAny gives the journal of the configuration as it is. While that
// cannot be used, mending it is not journalled.
func (a *App) journalIfAny() repair.Recorder {
	p, err := a.parts()
	if err != nil || p.Journal == nil {
		return nil
	}
	return p.Journal
}
