// Package command is flatnet-tui without its screen: one file a subcommand,
// each a thin layer over core that does what a key of the console does, as
// text or JSON. What changes something asks core/repair for a plan and runs
// it through change; nothing here changes anything by itself.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/repair"
	"flatnet/tui"
	"flatnet/tui/text"
)

// Exit codes, as contracts.md has them.
const (
	ExitGood    = 0
	ExitFailing = 1 // it ran, and something is failing or failed
	ExitUsage   = 2 // wrong usage or configuration
	ExitRefused = 3 // it would do harm
)

// App is the command line of one process: its streams, its clock, and how to
// open the real parts. Tests fill in their own.
type App struct {
	In          io.Reader
	Out, Err    io.Writer
	Version     string
	Environ     []string // "KEY=value": TERM, LANG, NO_COLOR
	Interactive bool     // a person at a terminal can answer questions on In
	Screen      bool     // Out is a terminal that the console can be drawn on
	Now         func() time.Time
	// Open makes the parts that a configuration asks for; it starts nothing
	// and looks at nothing yet.
	Open func(config.Config) (*Parts, error)
	// Console runs the console until it is left.
	Console func(ctx context.Context, o tui.Options) error

	configPath string
}

// ConsoleOptions are the flags that shape the console.
type ConsoleOptions struct {
	ReadOnly bool
	Plain    bool   // lines instead of a screen
	Theme    string // "" : as configured
	Replay   string // an incident bundle to show instead of this machine
}

// errSilent ends with a status and no further message: what was to be said
// has been printed.
type errSilent struct{ code int }

func (e errSilent) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// errUsage is a wrong call of a command.
type errUsage struct{ err error }

func (e errUsage) Error() string { return e.err.Error() }
func (e errUsage) Unwrap() error { return e.err }

// usagef makes a wrong-usage error: exit status 2.
func usagef(format string, args ...any) error {
	return errUsage{fmt.Errorf(format, args...)}
}

// Run runs one command line and gives its exit status.
func Run(ctx context.Context, a *App, args []string) int {
	root := a.Root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var silent errSilent
	if err == nil || errors.As(err, &silent) {
		return silent.code
	}
	a.explain(err)
	return exitCode(err)
}

// explain prints what happened and what to do about it.
func (a *App) explain(err error) {
	if problems, ok := errors.AsType[*config.Error](err); ok {
		for _, p := range problems.Problems {
			fmt.Fprintln(a.Err, text.Line(p.String()))
		}
		return
	}
	fmt.Fprintf(a.Err, "flatnet-tui: %s\n", text.Line(strings.ReplaceAll(err.Error(), "\n", "; ")))
	hint := core.Hint(err)
	if hint == "" && errors.Is(err, fs.ErrPermission) {
		hint = "run as root"
	}
	if hint != "" {
		fmt.Fprintf(a.Err, "  %s\n", text.Line(hint.String()))
	}
}

func exitCode(err error) int {
	var usage errUsage
	var conf *config.Error
	switch {
	case errors.As(err, &usage), errors.As(err, &conf):
		return ExitUsage
	case errors.Is(err, repair.ErrHarm):
		return ExitRefused
	}
	return ExitFailing
}

// parts loads the configuration and opens what it asks for.
func (a *App) parts() (*Parts, error) {
	c, err := config.Load(a.configPath)
	if err != nil {
		return nil, errUsage{err}
	}
	return a.Open(c)
}

// by names who asked, for the journal: the command and, where the system
// tells, the person behind sudo.
func by(cmd *cobra.Command) string {
	s := "command " + cmd.CommandPath()
	if u, err := user.Current(); err == nil {
		s += " (" + u.Username + ")"
	}
	return s
}
