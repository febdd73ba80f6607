package ipam

import (
	"context"
	"time"

	"flatnet/core/journal"
)

// FileName is the state's file within its directory (contracts.md, State).
const FileName = "allocations.json"

// Options of OpenFile.
type Options struct {
	Pool   Pool   // what a new file says about its network
	Holder string // who takes the lock, for whoever has to wait: "flatnet ADD"
	Now    func() time.Time

	// Rebuild gives the leases that can be told without the file, when the
	// file is missing or was set aside. nil: Update then fails with
	// ErrUnreadable and leaves the file as it is.
	Rebuild func(ctx context.Context) ([]Lease, error)
	// Report is told what had to be mended on the way, for the log. May be nil.
	Report func(text string)
}

// FileStore is a Store in a directory: allocations.json, .lock and the
// journal. The directory has mode 0700, its files 0600.
type FileStore struct {
	dir string
	o   Options
}

// OpenFile gives the store in dir. Nothing is read or made yet.
func OpenFile(dir string, o Options) *FileStore { return &FileStore{dir: dir, o: o} }

// Dir gives the directory of a network's state: stateDir for the configured
// network, stateDir/networks/<name> for any other (contracts.md, State).
func Dir(stateDir, configured, network string) (string, error) {
	panic("being written")
}

// Read implements Store. It never makes a file or directory; a store that was
// never written gives an empty State.
func (f *FileStore) Read(ctx context.Context) (State, error) {
	panic("being written")
}

// Update implements Store.
func (f *FileStore) Update(ctx context.Context, change func(*State) ([]journal.Entry, error)) error {
	panic("being written")
}
