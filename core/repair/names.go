package repair

import (
	"context"
	"fmt"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/leases"
	"flatnet/core/say"
)

// NamesID is the repair of leases without a name.
const NamesID = "names"

// Names plans to write down the names of containers whose leases have none,
// because they were rebuilt from the kernel or come from an older program. By
// its name a container that is made anew gets its address back. Podman is asked
// only if there are such leases; what it does not know stays without.
func Names(ctx context.Context, l Leases) (Plan, error) {
	p := Plan{Repair: NamesID, Title: "Write down the names of containers"}
	state, err := l.Store.Read(ctx)
	if err != nil || !anyNameless(&state) {
		return p, err
	}
	all, err := leases.Look(ctx, l.Sources)
	if err != nil {
		return p, err
	}
	for _, s := range all {
		if was, held := state.Lease(s.IP); held && was.Name == "" && s.Name != "" {
			p.Steps = append(p.Steps, l.name(s))
		}
	}
	return p, nil
}

func anyNameless(state *ipam.State) bool {
	for l := range state.All() {
		if l.Name == "" {
			return true
		}
	}
	return false
}

// name makes the step that gives one lease the name that was seen.
func (l Leases) name(s leases.Status) Step {
	return Step{
		Text: say.F("Note that the container with %s is %s", s.IP, s.Name),
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			return []journal.Entry{}, l.Store.Update(ctx, func(state *ipam.State) ([]journal.Entry, error) {
				now, held := state.Lease(s.IP)
				if !held || now.Name != "" || !now.SameAttachment(s.Lease) {
					return nil, nil // done already, or another's by now
				}
				now.Name = s.Name
				state.Put(now)
				run := runOf(ctx)
				return []journal.Entry{{
					Time: run.at, Action: NamesID, By: run.by, IP: s.IP.String(),
					ContainerID: now.ContainerID, Name: now.Name, IfName: now.IfName,
					Text: fmt.Sprintf("%s is held by %s, as Podman says", s.IP, s.Name),
				}}, nil
			})
		},
	}
}
