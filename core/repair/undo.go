package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"flatnet/core/config/edit"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/say"
)

// undoDepth is how many changes that could be undone and undos are looked
// through, newest first.
const undoDepth = 1000

// pluginBy begins the actor of what the plugin did by itself, which is not
// for people to take back.
const pluginBy = "plugin "

// Undo plans to take back, from the journal, the last that a person asked for:
// a release, as long as its addresses are free, or a saving of the
// configuration in file ("": there is none), as long as that was not changed
// since. A Plan without steps says why there is nothing to take back.
func Undo(ctx context.Context, l Leases, file string) (Plan, error) {
	var f *edit.File
	saved := func(journal.Entry) bool { return false }
	if file != "" {
		var err error
		if f, err = edit.Open(file); err != nil {
			return Plan{}, err
		}
		saved = savedOver(f)
	}
	last, err := lastChange(ctx, l.Journal, saved)
	switch {
	case err != nil:
		return Plan{}, err
	case len(last) == 0:
		return Plan{Repair: UndoID, Title: "Undo the last change", Notes: []say.Text{
			"The journal has no release by hand and no saving of the configuration that was not undone already and could be.",
		}}, nil
	case last[0].Action == ConfigID:
		return undoConfig(f, last[0])
	}
	return l.undoRelease(ctx, last)
}

// undoRelease plans to give back what one release took.
func (l Leases) undoRelease(ctx context.Context, released []journal.Entry) (Plan, error) {
	p := Plan{Repair: UndoID, Title: say.F("Undo the release of %s by %s", released[0].Time.Format(time.DateTime), released[0].By)}
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
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return l.undoRelease(ctx, released) })
	return p, nil
}

// lastChange gives the entries of the last change by a person that was not
// undone and could be: those of one Apply have the same time. saved tells that
// of a saving of the configuration.
func lastChange(ctx context.Context, j *journal.File, saved func(journal.Entry) bool) ([]journal.Entry, error) {
	entries, err := j.Recent(ctx, undoDepth, func(e journal.Entry) bool {
		switch e.Action {
		case UndoID:
			return e.Err == ""
		case ReleaseID:
			return e.Err == "" && !strings.HasPrefix(e.By, pluginBy)
		case ConfigID:
			return e.Err == "" && saved(e)
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	undone := make(map[string]bool)
	var last []journal.Entry
	for _, e := range entries {
		switch {
		case e.Action == UndoID:
			undone[e.IP+" "+e.Before] = true // of a configuration there is no address
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
