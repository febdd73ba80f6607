package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/say"
)

// undoDepth is how many releases and undos are looked through, newest first.
const undoDepth = 1000

// pluginBy begins the actor of what the plugin did by itself, which is not
// for people to take back.
const pluginBy = "plugin "

// Undo plans to take back the last release that a person asked for, from the
// journal, as long as its addresses are free. A Plan without steps says why
// there is nothing to take back.
func Undo(ctx context.Context, l Leases) (Plan, error) {
	released, err := lastRelease(ctx, l.Journal)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Repair: UndoID, Title: "Undo the last release"}
	if len(released) == 0 {
		p.Notes = []say.Text{"No release by hand is in the journal that was not undone already."}
		return p, nil
	}
	p.Title = say.F("Undo the release of %s by %s", released[0].Time.Format(time.DateTime), released[0].By)
	state, err := l.Store.Read(ctx)
	if err != nil {
		return Plan{}, err
	}
	for _, e := range released {
		lease, err := leaseBefore(e)
		if err == nil {
			err = l.restorable(&state, lease)
		}
		if err != nil {
			p.Notes = append(p.Notes, say.F("%s is left alone: %v.", e.IP, err))
			continue
		}
		p.Steps = append(p.Steps, l.restore(lease, e.Time))
	}
	if len(p.Steps) > 0 {
		p.Notes = append(p.Notes, "Only the address is given back. An interface that was taken away comes back when the container is started again.")
	}
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return Undo(ctx, l) })
	return p, nil
}

// lastRelease gives the entries of the last release by a person that was not
// undone: those of one Apply have the same time.
func lastRelease(ctx context.Context, j *journal.File) ([]journal.Entry, error) {
	entries, err := j.Recent(ctx, undoDepth, func(e journal.Entry) bool {
		return e.Err == "" && (e.Action == UndoID || e.Action == ReleaseID && !strings.HasPrefix(e.By, pluginBy))
	})
	if err != nil {
		return nil, err
	}
	undone := make(map[string]bool)
	var last []journal.Entry
	for _, e := range entries {
		switch {
		case e.Action == UndoID:
			undone[e.IP+" "+e.Before] = true
		case undone[e.IP+" "+stamp(e.Time)]:
		case len(last) > 0 && !last[0].Time.Equal(e.Time):
			return last, nil
		default:
			last = append(last, e)
		}
	}
	return last, nil
}

// stamp writes a time as an undo's entry names the release that it took back.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// leaseBefore gives the lease that a release ended.
func leaseBefore(e journal.Entry) (ipam.Lease, error) {
	var lease ipam.Lease
	if err := json.Unmarshal([]byte(e.Before), &lease); err != nil || lease.IP.String() != e.IP || lease.ContainerID == "" {
		return lease, say.Errorf("the journal does not say what its lease was")
	}
	return lease, nil
}

// restorable tells why a lease cannot be given back; nil: it can.
func (l Leases) restorable(state *ipam.State, lease ipam.Lease) error {
	if now, held := state.Lease(lease.IP); held {
		return say.Errorf("%s holds it", now.Owner())
	}
	if other, has := state.Find(lease.ContainerID, lease.IfName); has {
		return say.Errorf("%s has %s by now", other.Owner(), other.IP)
	}
	return l.Sources.Pool.Check(lease.IP)
}

func (l Leases) restore(lease ipam.Lease, released time.Time) Step {
	return Step{
		Text: say.F("Give %s back to %s", lease.IP, lease.Owner()),
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			return []journal.Entry{}, l.Store.Update(ctx, func(state *ipam.State) ([]journal.Entry, error) {
				if now, held := state.Lease(lease.IP); held && now.SameAttachment(lease) {
					return nil, nil // done already
				}
				if err := l.restorable(state, lease); err != nil {
					return nil, say.Errorf("%w: %w", ErrChanged, err)
				}
				state.Put(lease)
				after, err := json.Marshal(lease)
				if err != nil {
					return nil, err
				}
				run := runOf(ctx)
				return []journal.Entry{{
					Time: run.at, Action: UndoID, By: run.by, IP: lease.IP.String(),
					ContainerID: lease.ContainerID, Name: lease.Name, IfName: lease.IfName,
					Text:   fmt.Sprintf("%s given back to %s", lease.IP, lease.Owner()),
					Before: stamp(released), After: string(after),
				}}, nil
			})
		},
	}
}
