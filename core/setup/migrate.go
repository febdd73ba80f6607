package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flatnet/core"
	"flatnet/core/host"
	"flatnet/core/netavark"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// MigrateID names the way from Podman 4 with CNI to Podman 5 with netavark
// among the repairs.
const MigrateID = "migrate"

// Sentinels of Migrate.
var (
	// ErrNoList: no network list of ours has a name that was given.
	ErrNoList = say.New("there is no such network list of Flatnet's")
	// ErrUnsaid: the network list says what a network of Podman 5 cannot.
	ErrUnsaid = say.New("its network list says what Podman 5 has no words for")
)

// Migrate plans what an upgrade from Podman 4 to 5 leaves to be done: Podman
// told where the plugin is and no longer told to use CNI, and for each network
// list of ours, or each of those names, a network of the same subnet, bridge
// and configuration. Addresses stay with their containers, since the leases
// are where they were. What is there already is left as it is; a network of
// the name that is not ours, or another, is refused with repair.ErrHarm.
func Migrate(ctx context.Context, o Options, names []string) (repair.Plan, error) {
	lists, others := host.Lists(host.Options{Root: o.Root, ContainersConf: o.ContainersConf})
	lists, err := choose(lists, names)
	if err != nil {
		return repair.Plan{}, err
	}
	p := repair.Plan{Repair: MigrateID, Title: "Take the networks over from CNI to netavark"}
	info, err := o.Podman.Info(ctx)
	switch {
	case errors.Is(err, podman.ErrNoCNI): // it says nothing else until the first step is done
	case err != nil:
		return repair.Plan{}, err
	case info.NetworkBackend == "cni":
		p.Notes = []say.Text{say.F("Podman %s uses CNI: there is nothing to do before it is upgraded.", info.Version)}
		return p, nil
	case len(lists) == 0:
		p.Notes = []say.Text{"There is no CNI network list of Flatnet's to take over. sudo flatnet-tui init sets Flatnet up."}
		return p, nil
	}
	if p.Steps, err = migrateSteps(ctx, o, lists, err); err != nil {
		return repair.Plan{}, err
	}
	if len(p.Steps) == 0 {
		p.Notes = []say.Text{"Podman has every network already that has a network list: there is nothing to do."}
		return p, nil
	}
	p.Notes = migrateNotes(lists, others)
	p.Fits = repair.Unchanged(p, func(ctx context.Context) (repair.Plan, error) { return Migrate(ctx, o, names) })
	p.Verify = func(ctx context.Context) error {
		left, err := migrateSteps(ctx, o, lists, nil)
		if err == nil && len(left) > 0 {
			err = say.Errorf("still to do: %s", left[0].Text)
		}
		return err
	}
	return p, nil
}

// migrateSteps plans the steps from what is on the disk. refused is what Podman
// said when it was asked.
func migrateSteps(ctx context.Context, o Options, lists []host.List, refused error) ([]repair.Step, error) {
	steps, err := settingsSteps(ctx, o, refused)
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		more, err := takeOver(o, l)
		if err != nil {
			return nil, err
		}
		steps = append(steps, more...)
	}
	return steps, nil
}

// choose gives the lists of those names, all where there are none.
func choose(lists []host.List, names []string) ([]host.List, error) {
	if len(names) == 0 {
		return lists, nil
	}
	var chosen []host.List
	for _, name := range names {
		at := slices.IndexFunc(lists, func(l host.List) bool { return l.Name == name })
		if at < 0 {
			return nil, &core.OpError{Op: "take over", Target: fmt.Sprintf("%q", name), Err: ErrNoList, Hint: say.F("name one of: %s", listNames(lists))}
		}
		chosen = append(chosen, lists[at])
	}
	return chosen, nil
}

func listNames(lists []host.List) string {
	names := make([]string, len(lists))
	for i, l := range lists {
		names[i] = l.Name
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// takeOver plans the network that stands for a list, none where it is there.
func takeOver(o Options, l host.List) ([]repair.Step, error) {
	failed := func(err error, hint say.Text) error {
		return &core.OpError{Op: "take over", Target: l.Name, Err: err, Hint: hint}
	}
	if l.Err != nil {
		return nil, failed(l.Err, say.F("correct %s first", l.Path))
	}
	n := netavark.From(l.Asked, l.File, l.Config)
	if _, err := n.Check(netavark.ForCreate); err != nil {
		return nil, failed(err, say.F("give the configuration the values of %s first: sudo flatnet-tui config edit", l.Path))
	}
	unsaid, err := n.Unsaid(l.Asked)
	if err != nil {
		return nil, failed(err, "")
	}
	if len(unsaid) > 0 {
		return nil, failed(say.Errorf("%w: %s", ErrUnsaid, strings.Join(unsaid, ", ")),
			say.F("write that into the configuration file (%s) and take it out of %s first", fileOf(l), l.Path))
	}
	is := host.LookNetwork(o.host(l.Asked))
	switch {
	case is.Err != "":
		return nil, failed(say.New(is.Err), "run it as root")
	case !is.Exists:
		return []repair.Step{createNetwork(n.String(), n.CreateArgs(), o.host(l.Asked))}, nil
	case !is.Ours, is.Problem != "", len(is.Differs) > 0:
		return nil, failed(say.Errorf("%w: Podman has another network of that name: %s", repair.ErrHarm, described(is)),
			say.F("if it is not needed: sudo podman network rm %s", l.Name))
	}
	return nil, nil
}

// fileOf names the configuration file of a list.
func fileOf(l host.List) string {
	if l.File.Path == "" {
		return "/etc/flatnet/flatnet.toml"
	}
	return l.File.Path
}

// described tells what is wrong with the network that is there.
func described(n host.NetworkList) say.Text {
	switch {
	case n.Problem != "":
		return n.Problem
	case !n.Ours:
		return say.F("%s has another driver", n.Path)
	}
	return say.F("%s: %s", n.Path, strings.Join(n.Differs, "; "))
}

// migrateNotes say what a person should know before saying yes.
func migrateNotes(lists []host.List, others []string) []say.Text {
	notes := []say.Text{
		"Containers stay: those that Podman 4 made start again with sudo podman start, with the address that they had. One that is made anew under its old name has its old address too.",
		"Containers that run since before the upgrade go on. Restart the machine once they may stop: until then the rules stay that CNI made for their published ports.",
	}
	for _, l := range lists {
		notes = append(notes, say.F("%s stays, for the way back; Podman 5 does not read it.", l.Path))
	}
	if len(others) > 0 {
		notes = append(notes, say.F("Not taken over, since they are not Flatnet's: %s. sudo podman network create makes them anew.", strings.Join(others, ", ")))
	}
	return notes
}
