package ipam

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"flatnet/core"
	"flatnet/core/journal"
	"flatnet/core/say"
)

func (f *FileStore) path() string { return filepath.Join(f.dir, FileName) }

// load takes what reading the state file gave. Errors: errMissing,
// ErrUnreadable, ErrNotReadable.
func (f *FileStore) load(text stateText, err error) (document, error) {
	switch {
	case errors.Is(err, errMissing):
		return document{}, err
	case errors.Is(err, errNotPlain):
		return document{}, f.unreadable(err)
	case err != nil:
		return document{}, f.fileError("read", FileName, err)
	}
	d, err := decode(text.bytes)
	if err != nil {
		return document{}, f.unreadable(err)
	}
	return d, nil
}

func (f *FileStore) unreadable(err error) error {
	return &core.OpError{
		Op: "read the leases in", Target: f.path(), Err: say.Errorf("%w: %w", ErrUnreadable, err),
		Hint: "the next start or stop of a container sets the file aside and rebuilds the leases from the bridge",
	}
}

// mend makes of what load gave the state for a change. A file that is missing
// or bad is replaced by what Options.Rebuild knows; entries then say so.
func (f *FileStore) mend(ctx context.Context, d document, bad error) (document, []journal.Entry, error) {
	if bad == nil {
		entries, err := f.complete(ctx, &d)
		return d, entries, err
	}
	missing := errors.Is(bad, errMissing)
	if !missing && !errors.Is(bad, ErrUnreadable) {
		return d, nil, bad
	}
	d = document{state: NewState(f.o.Pool)}
	if f.o.Rebuild == nil {
		if missing {
			return d, nil, nil
		}
		return d, nil, bad
	}
	found, err := f.o.Rebuild(ctx)
	if err != nil {
		return d, nil, say.Errorf("%w; rebuilding failed too: %w", bad, err)
	}
	if missing && len(found) == 0 {
		return d, nil, nil // the first start
	}
	why := "the state file was missing"
	if !missing {
		name, err := f.setAside()
		if err != nil {
			return d, nil, err
		}
		why = fmt.Sprintf("%v; it was kept as %s", bad, name)
	}
	return d, f.rebuild(&d.state, found, why), nil
}

// complete adds to a file that somebody else has written or edited the leases
// that are missing in it: their addresses would be given a second time.
func (f *FileStore) complete(ctx context.Context, d *document) ([]journal.Entry, error) {
	if d.own || f.o.Rebuild == nil {
		return nil, nil
	}
	found, err := f.o.Rebuild(ctx)
	if err != nil {
		return nil, err
	}
	s := &d.state
	here := Pool{Subnet: s.Subnet, Gateway: s.Gateway}
	missing := slices.DeleteFunc(found, func(l Lease) bool { return s.has(l.IP) || here.Check(l.IP) != nil })
	if len(missing) == 0 {
		return nil, nil
	}
	return f.rebuild(s, missing, "they were not in the state file, which was edited"), nil
}

// rebuild adds the leases that were found to s, and says so.
func (f *FileStore) rebuild(s *State, found []Lease, why string) []journal.Entry {
	now, before := f.o.Now(), s.Len()
	var entries []journal.Entry
	note := func(e journal.Entry) {
		entries = append(entries, e)
		if f.o.Report != nil {
			f.o.Report(e.Text)
		}
	}
	for _, l := range found {
		if other, twice := s.Lease(l.IP); twice || f.o.Pool.Check(l.IP) != nil || l.ContainerID == "" {
			note(entry("rebuild", l, f.o.Holder, fmt.Sprintf("%s of %s was left out: outside the network, or held by %q too",
				l.IP, l.Owner(), other.Owner()), now))
			continue
		}
		if l.AllocatedAt.IsZero() {
			l.AllocatedAt = now
		}
		s.Put(l)
		note(entry("rebuild", l, f.o.Holder, fmt.Sprintf("%s is held by %s, as the bridge shows", l.IP, l.Owner()), now))
	}
	note(journal.Entry{
		Time: now, Action: "rebuild", By: f.o.Holder,
		Text: fmt.Sprintf("%d leases rebuilt from the bridge: %s", s.Len()-before, why),
	})
	return entries
}

// setAside gives the bad file a second name under which it stays when it is
// replaced. At no instant is there no file; a call that is killed before it
// has rebuilt the leases leaves it to the next one.
func (f *FileStore) setAside() (string, error) {
	path := f.path()
	kept, _ := filepath.Glob(path + ".bad-*") // the pattern is good
	for _, k := range kept {
		if sameFile(path, k) {
			return filepath.Base(k), nil
		}
	}
	name := FileName + ".bad-" + f.o.Now().UTC().Format("20060102T150405.000000000Z")
	err := os.Link(path, filepath.Join(f.dir, name))
	if err != nil { // a directory, or a file system without links
		err = os.Rename(path, filepath.Join(f.dir, name))
	}
	if err != nil {
		return "", f.fileError("set aside", FileName, err)
	}
	return name, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Lstat(a)
	y, errY := os.Lstat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
