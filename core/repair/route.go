package repair

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"flatnet/core/journal"
	"flatnet/core/say"
	"flatnet/core/windows"
)

// RouteID names the repair that puts Windows' route to the subnet right.
const RouteID = "route"

// Route plans to put the route right in the best way that is open here: the
// scheduled task, or route.exe where this session may be elevated, or a command
// for the person (Plan.ByHand); and to write the scripts that are not on the
// Windows drive as they ought to be, last, for a drive that cannot be written
// is no reason to leave the route. Each change is made sure of by reading the
// table again.
func Route(ctx context.Context, sys *windows.System) (Plan, error) {
	p := Plan{Repair: RouteID, Title: say.F("Send %s from Windows to WSL", sys.Subnet())}
	st, err := sys.Look(ctx)
	if err != nil {
		return p, err
	}
	if !st.Enabled {
		p.Notes = append(p.Notes, st.Reason)
		return p, nil
	}
	p.Notes = append(p.Notes, say.Sentence(st.Verdict.Text))
	if len(st.Changes) > 0 {
		if err := p.addRoute(ctx, sys, st); err != nil {
			return p, err
		}
	} else {
		p.Unmended = st.Verdict.Kind != windows.Good
		if st.Verdict.Remedy != "" {
			p.Notes = append(p.Notes, st.Verdict.Remedy)
		}
	}
	p.addScripts(ctx, sys)
	return p, nil
}

// addScripts plans to write the scripts. A drive that is not there is no
// reason to leave the route as it is.
func (p *Plan) addScripts(ctx context.Context, sys *windows.System) {
	stale, err := sys.StaleScripts(ctx)
	if err != nil {
		p.Notes = append(p.Notes, say.Sentence(say.Of(err)))
		return
	}
	for _, script := range stale {
		p.Steps = append(p.Steps, Step{
			Text:    say.F("write %s into %s", script.Name, sys.ScriptsDir()),
			Command: fmt.Sprintf("flatnet-tui route script %s > %s/%s", script.Name, sys.ScriptsDir(), script.Name),
			Do:      func(ctx context.Context) ([]journal.Entry, error) { return nil, sys.WriteScript(ctx, script) },
		})
	}
}

// addRoute plans the change of the route itself.
func (p *Plan) addRoute(ctx context.Context, sys *windows.System, st windows.Status) error {
	means, err := sys.Means(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		p.Notes = append(p.Notes, say.F("What this session may do on Windows could not be seen: %v.", err))
		p.byHand(sys, st)
		return nil
	case means.Task:
		p.Steps = append(p.Steps, taskStep(sys, st))
		p.Notes = append(p.Notes, say.F("Should the task fail, run this in an administrator's PowerShell: %s", changeCommands(st)))
	case means.Elevated, means.Unsure:
		if means.Unsure {
			p.Notes = append(p.Notes, "Whether this session is an administrator's could not be seen: route.exe is tried.")
		}
		for _, c := range st.Changes {
			p.Steps = append(p.Steps, changeStep(sys, c, st))
		}
	default:
		p.byHand(sys, st)
		return nil
	}
	p.Fits = func(ctx context.Context) error { return sameChanges(ctx, sys, st) }
	p.Verify = func(ctx context.Context) error { return routeGood(ctx, sys) }
	return nil
}

func taskStep(sys *windows.System, st windows.Status) Step {
	return Step{
		Text:    say.F("start the scheduled task %s, which sends %s to WSL at %s", windows.Task, sys.Subnet(), st.WSLAddress),
		Command: "schtasks.exe /run /tn '" + windows.Task + "'",
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			return routeEntry("set the route with the scheduled task", st, sys.StartTask(ctx))
		},
	}
}

func changeStep(sys *windows.System, c windows.Change, st windows.Status) Step {
	return Step{
		Text:    c.Text(),
		Command: c.Command(),
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			return routeEntry(c.Text().String(), st, sys.Change(ctx, c))
		},
	}
}

// byHand leaves the change to the person.
func (p *Plan) byHand(sys *windows.System, st windows.Status) {
	p.ByHand = changeCommands(st)
	p.Notes = append(p.Notes,
		"Only an administrator may change Windows' routes: run the command in a PowerShell started with \"Run as administrator\".",
		say.F("Once registered, a scheduled task does this from here: %s", sys.ScriptCommand(windows.RegisterTasks)))
}

// changeCommands gives the changes as a person types them in PowerShell.
func changeCommands(st windows.Status) string {
	commands := make([]string, len(st.Changes))
	for i, c := range st.Changes {
		commands[i] = c.Command()
	}
	return strings.Join(commands, "; ")
}

// routeEntry makes the journal entry of a change that err says how it ended:
// the gateway before and after.
func routeEntry(text string, st windows.Status, err error) ([]journal.Entry, error) {
	if err != nil {
		return nil, err
	}
	e := journal.Entry{Text: text, After: st.WSLAddress.String()}
	if st.Route != nil {
		e.Before = st.Route.Gateway.String()
	}
	return []journal.Entry{e}, nil
}

// sameChanges refuses a plan that another look would not make again.
func sameChanges(ctx context.Context, sys *windows.System, was windows.Status) error {
	st, err := sys.Look(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(st.Changes, was.Changes) {
		return say.Errorf("%w: %s", ErrChanged, st.Verdict.Text)
	}
	return nil
}

// routeGood looks whether the route is right now.
func routeGood(ctx context.Context, sys *windows.System) error {
	st, err := sys.Look(ctx)
	if err != nil {
		return err
	}
	if st.Verdict.Kind != windows.Good {
		return say.New(st.Verdict.Text)
	}
	return nil
}
