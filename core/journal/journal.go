// Package journal keeps what was done, by whom and when: every lease given
// and taken, and every repair step. One JSON object a line; a broken line
// loses only itself. It is a record, not a log of calls (core/logfile).
package journal

import (
	"context"
	"net/netip"
	"time"
)

// FileName is the journal's file within the state directory.
const FileName = "journal.jsonl"

// File is the journal in a state directory; older entries are in files of the
// same name with .1, .2 and so on.
type File struct {
	dir    string
	holder string
}

// Open gives the journal in dir; nothing is read or made yet. holder names
// this program to whoever waits for the lock: "flatnet-tui".
func Open(dir, holder string) *File { return &File{dir: dir, holder: holder} }

// Append writes entries, under the state's lock.
func (f *File) Append(ctx context.Context, entries ...Entry) error {
	panic("being written")
}

// Recent gives at most limit entries that match, newest first. It reads from
// the end and stops as soon as it has them; broken lines are left out.
func (f *File) Recent(ctx context.Context, limit int, match func(Entry) bool) ([]Entry, error) {
	panic("being written")
}

// OfIP matches the entries about one address.
func OfIP(ip netip.Addr) func(Entry) bool {
	s := ip.String()
	return func(e Entry) bool { return e.IP == s }
}

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
