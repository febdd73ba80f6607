// Package host looks at what the network needs from the machine around it:
// the plugin and the network list where Podman looks for them, room on the
// disks, a clock that runs forward, and ip_forward after the next boot. It
// only looks; what is wrong about it is said in core/health.
package host

import (
	"context"
	"os"
	"time"

	"flatnet/core/config"
)

// Status is one look at the machine. Each part has its own Err where it
// could not be looked at.
type Status struct {
	Plugin      Plugin      `json:"plugin"`
	NetworkList NetworkList `json:"network_list"`
	Disks       []Disk      `json:"disks"`
	Clock       Clock       `json:"clock"`
	NextBoot    NextBoot    `json:"next_boot"`
	ErrorLog    ErrorLog    `json:"error_log"`
	Root        bool        `json:"root"` // looked at with root's rights
}

// Options say where to look; zero fields take Podman's and systemd's defaults.
type Options struct {
	Config  config.Config
	Version string // of this program, which the plugin's is to be
	// ContainersConf is Podman's CONTAINERS_CONF: the only file read for its
	// settings where it is set.
	ContainersConf string
	// SysctlPaths are directories of *.conf files and single files, the last
	// word first.
	SysctlPaths []string
	Now         func() time.Time
}

// Look looks at everything. It never fails as a whole, and ends with ctx.
func Look(ctx context.Context, o Options) Status {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SysctlPaths == nil {
		o.SysctlPaths = sysctlPaths()
	}
	s := readSettings(o.ContainersConf)
	return Status{
		Plugin:      lookPlugin(ctx, s.pluginDirs, o.Version),
		NetworkList: lookNetworkList(s.networkDir, o.Config),
		Disks:       lookDisks(o.Config),
		Clock:       lookClock(o.Config, o.Now()),
		NextBoot:    lookNextBoot(o.SysctlPaths),
		ErrorLog:    lookErrorLog(o.Config),
		Root:        os.Geteuid() == 0,
	}
}
