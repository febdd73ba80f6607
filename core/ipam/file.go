package ipam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"flatnet/core"
	"flatnet/core/filelock"
	"flatnet/core/journal"
	"flatnet/core/say"
)

// FileName is the state's file within its directory (contracts.md, State).
const FileName = "allocations.json"

// Options of OpenFile.
type Options struct {
	Pool   Pool   // what a new file says about its network
	Holder string // who takes the lock, for whoever has to wait: "flatnet ADD"
	Now    func() time.Time

	// Rebuild gives the leases that can be told without the file, when the
	// file is missing or was set aside. nil: Update then fails on a bad file
	// with ErrUnreadable and leaves it as it is, and takes a missing one for
	// a new beginning.
	Rebuild func(ctx context.Context) ([]Lease, error)
	// Report is told what had to be mended on the way, for the log. May be nil.
	Report func(text string)
}

// FileStore is a Store in a directory: allocations.json, .lock and the
// journal. The directory has mode 0700, its files 0600.
type FileStore struct {
	dir     string
	o       Options
	journal *journal.File
}

// OpenFile gives the store in dir. Nothing is read or made yet.
func OpenFile(dir string, o Options) *FileStore {
	return &FileStore{dir: dir, o: o, journal: journal.Open(dir, o.Holder)}
}

// Dir gives the directory of a network's state: stateDir for the configured
// network, stateDir/networks/<name> for any other (contracts.md, State). The
// name must be one that CNI allows: letters, digits, and after the first
// character also "_", "." and "-".
func Dir(stateDir, configured, network string) (string, error) {
	if network == configured {
		return stateDir, nil
	}
	if !validName(network) {
		return "", &core.OpError{
			Op: "keep the state of network", Target: fmt.Sprintf("%q", network),
			Err:  say.New("this is no name of a network"),
			Hint: "use letters, digits, and after the first character also _ . and -",
		}
	}
	return filepath.Join(stateDir, networksDir, network), nil
}

// validName is the rule of the CNI specification for network names; the
// length is that of a file name.
func validName(name string) bool {
	for i, c := range []byte(name) {
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '_' && c != '.' && c != '-') {
			return false
		}
	}
	return name != "" && len(name) <= 255
}

// Read implements Store. It makes neither file nor directory: a store that was
// never written gives an empty State. Errors: ErrLocked, ErrUnreadable for a
// broken file, ErrNotReadable for one that this user may not read.
func (f *FileStore) Read(ctx context.Context) (State, error) {
	lock, err := filelock.Share(ctx, filepath.Join(f.dir, journal.LockName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return State{}, f.lockError(err)
	}
	defer lock.Release()
	d, err := f.load(copyText(f.path()))
	if errors.Is(err, errMissing) {
		return NewState(f.o.Pool), nil
	}
	return d.state, err
}

// Update implements Store. A bad file is set aside and rebuilt on the way (see
// Options.Rebuild); that is journalled, and told to Options.Report. The
// journal is written before the state, so that there is no change without
// its record. Errors besides change's own: ErrLocked, ErrUnreadable,
// ErrNotReadable, ErrNoSpace.
func (f *FileStore) Update(ctx context.Context, change func(*State) ([]journal.Entry, error)) error {
	if err := f.prepareDir(); err != nil {
		return err
	}
	lock, err := filelock.Acquire(ctx, filepath.Join(f.dir, journal.LockName), f.o.Holder)
	if err != nil {
		return f.lockError(err)
	}
	defer lock.Release()
	if lock.CutOff() {
		// Its swap may not be on the disk yet, where the spare is still the
		// state then: it must not be overwritten before.
		if err := f.syncDir(); err != nil {
			return f.fileError("read", "", err)
		}
	}

	text, err := mapText(f.path())
	defer text.close()
	err = text.guard(func() error { return f.update(ctx, text, err, change) })
	if errors.Is(err, errMoved) {
		return &core.OpError{Op: "change the leases in", Target: f.path(), Err: say.Errorf("%w: %w", ErrUnreadable, err), Hint: "try again"}
	}
	return err
}

// update is Update of what was read, or could not be.
func (f *FileStore) update(ctx context.Context, text stateText, unread error, change func(*State) ([]journal.Entry, error)) error {
	d, err := f.load(text, unread)
	d, rebuilt, err := f.mend(ctx, d, err)
	if err != nil {
		return err
	}
	after := d.state
	entries, err := change(&after)
	if err != nil {
		return err
	}
	entries = append(rebuilt, entries...)
	if len(entries) == 0 && d.unchanged(&after) {
		return nil
	}
	return f.commit(&d, text, &after, entries)
}

// Try implements Store. That the disk has room is tried with a file that
// vanishes.
func (f *FileStore) Try(ctx context.Context, change func(*State) ([]journal.Entry, error)) error {
	err := f.Update(ctx, func(s *State) ([]journal.Entry, error) {
		if _, err := change(s); err != nil {
			return nil, err
		}
		if err := f.tryWriting(); err != nil {
			return nil, f.fileError("write", "", err)
		}
		return nil, errTried
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}

// errTried makes Update leave everything as it is.
var errTried = errors.New("only tried") // nobody sees it

// commit makes after the state and entries part of the journal.
func (f *FileStore) commit(d *document, text stateText, after *State, entries []journal.Entry) error {
	err := f.writeSpare(func(w io.Writer) error { return encode(w, d, after) })
	if d.own && text.changed() {
		return errMoved // and may be in what was written
	}
	if err != nil {
		return f.fileError("write", FileName, err)
	}
	if err := f.journal.AppendLocked(entries...); err != nil {
		return f.fileError("write", journal.FileName, err)
	}
	if err := f.swap(); err != nil {
		return f.fileError("replace", FileName, err)
	}
	return nil
}

func (f *FileStore) lockError(err error) error {
	if errors.Is(err, filelock.ErrHeld) {
		return &core.OpError{
			Op: "change the leases in", Target: f.dir, Err: say.Errorf("%w: %w", ErrLocked, err),
			Hint: "try again; if it stays so, see what that program is doing",
		}
	}
	return f.fileError("open", journal.LockName, err)
}
