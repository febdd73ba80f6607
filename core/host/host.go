// Package host looks at what the network needs from the machine around it:
// the plugin and the network list where Podman looks for them, room on the
// disks, a clock that runs forward, and ip_forward after the next boot. It
// only looks; what is wrong about it is said in core/health.
package host

import (
	"context"
	"time"
)

// Status is one look at the machine. Each part has its own Err where it
// could not be looked at.
type Status struct {
	Plugin      Plugin      `json:"plugin"`
	NetworkList NetworkList `json:"network_list"`
	Disks       []Disk      `json:"disks"`
	Clock       Clock       `json:"clock"`
	NextBoot    NextBoot    `json:"next_boot"`
	Root        bool        `json:"root"` // looked at with root's rights
}

// Plugin is the plugin's program, the first of its name in Podman's order.
type Plugin struct {
	Path       string   `json:"path"` // where it is, or where it ought to be
	Exists     bool     `json:"exists"`
	Executable bool     `json:"executable"`
	Build      string   `json:"build,omitempty"`  // what the program says it was built from; "" where it says nothing
	Want       string   `json:"want,omitempty"`   // what this program was built from
	Others     []string `json:"others,omitempty"` // further programs of that name, which Podman passes over
	Err        string   `json:"error,omitempty"`
}

// NetworkList is the CNI network list that Podman uses for the network.
type NetworkList struct {
	Path     string   `json:"path"` // where it is, or where it ought to be
	Exists   bool     `json:"exists"`
	Problem  string   `json:"problem,omitempty"`  // why Podman or the plugin cannot use it; "" if they can
	Shadowed []string `json:"shadowed,omitempty"` // files for the same network that Podman reads before it
	Err      string   `json:"error,omitempty"`
}

// Disk is one file system that is written to.
type Disk struct {
	Path       string `json:"path"` // the directory on it that is ours
	Free       uint64 `json:"free"` // bytes that an ordinary user may still write
	Total      uint64 `json:"total"`
	FreeInodes uint64 `json:"free_inodes"` // 0 of 0 where the file system has none
	Inodes     uint64 `json:"inodes"`
	Err        string `json:"error,omitempty"`
}

// Clock compares the clock with what was written by it.
type Clock struct {
	Now    time.Time `json:"now"`
	Newest time.Time `json:"newest,omitzero"` // the latest time that our own files bear
	Of     string    `json:"of,omitempty"`    // the file that bears it
}

// NextBoot is what sysctl files say of net.ipv4.ip_forward.
type NextBoot struct {
	Forward string `json:"forward"`        // "1", "0"; "" : no file says anything
	File    string `json:"file,omitempty"` // the file that has the last word
}

// Options say where to look; zero fields take Podman's and systemd's defaults.
type Options struct {
	Network     string   // name of the network
	PluginName  string   // "flatnet"
	PluginDirs  []string // in Podman's order
	NetworkDir  string   // of network lists
	SysctlFiles []string // directories and files, the most important first
	Written     []string // our own files whose times are compared with the clock
	Spaces      []string // directories that are written to
	Now         func() time.Time
}

// Look looks at everything. It never fails as a whole.
func Look(ctx context.Context, o Options) Status {
	_, _ = ctx, o
	return Status{}
}
