// Package journal keeps what was done, by whom and when: every lease given
// and taken, and every repair step. One JSON object a line; a broken line
// loses only itself. It is a record, not a log of calls (core/logfile).
package journal

import "time"

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
