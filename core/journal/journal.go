// Package journal keeps what was done, by whom and when: every lease given
// and taken, and every repair step. One JSON object a line; a broken line
// loses only itself. It is a record, not a log of calls (core/logfile).
package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"flatnet/core/filelock"
	"flatnet/core/linefile"
	"flatnet/core/say"
)

// Names within the state directory. The state and its journal share the lock.
const (
	FileName = "journal.jsonl"
	LockName = ".lock"
)

// Sizes of the journal: at some 400 bytes an entry, the kept files hold the
// last 25,000 starts and stops of containers.
const (
	maxSize = 4 << 20 // bytes of one file
	keep    = 4       // rotated files
)

// Entry is one thing that was done.
type Entry struct {
	Time        time.Time `json:"time"`
	Action      string    `json:"action"` // allocate, release, heal, rebuild, undo, firewall, gateway, route, …
	By          string    `json:"by"`     // "plugin ADD", "key r", "command leases release", with the user where known
	IP          string    `json:"ip,omitempty"`
	ContainerID string    `json:"container_id,omitempty"`
	Name        string    `json:"name,omitempty"`
	IfName      string    `json:"ifname,omitempty"`
	Text        string    `json:"text,omitempty"`   // what a person reads
	Before      string    `json:"before,omitempty"` // enough to undo it
	After       string    `json:"after,omitempty"`
	Err         string    `json:"error,omitempty"` // why it failed, if it did
}

// File is the journal in a state directory; older entries are in files of the
// same name with .1, .2 and so on.
type File struct {
	dir    string
	holder string
	lines  linefile.File
}

// Open gives the journal in dir; nothing is read or made yet. holder names
// this program to whoever waits for the lock: "flatnet-tui".
func Open(dir, holder string) *File {
	return &File{dir: dir, holder: holder, lines: linefile.File{
		Path: filepath.Join(dir, FileName), Mode: 0o600, MaxSize: maxSize, Keep: keep,
	}}
}

// Append writes entries, under the state's lock. It makes the directory if it
// is missing.
func (f *File) Append(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return say.Errorf("make the journal's directory: %w", err)
	}
	lock, err := filelock.Acquire(ctx, filepath.Join(f.dir, LockName), f.holder)
	if err != nil {
		return say.Errorf("lock the journal: %w", err)
	}
	defer lock.Release()
	return f.AppendLocked(entries...)
}

// AppendLocked is Append for the store, which holds the lock already. What undoing
// needs (Before) is on the disk when it returns. The rest is left to the kernel:
// an ADD must not wait for the disk once more, and after a loss of power the
// lease itself says since when it is.
func (f *File) AppendLocked(entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	durable := false
	for _, e := range entries {
		durable = durable || e.Before != ""
		if err := encoder.Encode(e); err != nil {
			return say.Errorf("encode a journal entry: %w", err)
		}
	}
	if err := f.lines.AppendWhole(text.Bytes(), durable); err != nil {
		return say.Errorf("write the journal: %w", err)
	}
	return nil
}

// Recent gives at most limit entries that match, newest first. It reads from
// the end and stops as soon as it has them; broken lines are left out. A
// journal that is not there yet has no entries. match nil: all.
func (f *File) Recent(ctx context.Context, limit int, match func(Entry) bool) ([]Entry, error) {
	var found []Entry
	if limit <= 0 {
		return nil, nil
	}
	for line, err := range f.lines.Backwards(ctx) {
		if err != nil {
			return found, say.Errorf("read the journal: %w", err)
		}
		e, ok := parse(line)
		if !ok || match != nil && !match(e) {
			continue
		}
		if found = append(found, e); len(found) == limit {
			break
		}
	}
	return found, nil
}

// parse reads one line; ok is false for one that is broken or no entry.
func parse(line []byte) (e Entry, ok bool) {
	err := json.Unmarshal(line, &e)
	return e, err == nil && !e.Time.IsZero() && e.Action != ""
}

// OfIP matches the entries about one address.
func OfIP(ip netip.Addr) func(Entry) bool {
	s := ip.String()
	return func(e Entry) bool { return e.IP == s }
}
