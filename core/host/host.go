// Package host looks at what the network needs from the machine around it:
// the plugin and the network where each of Podman's network backends looks for
// them, room on the disks, a clock that runs forward, and ip_forward after the next boot. It
// only looks; what is wrong about it is said in core/health.
package host

import (
	"context"
	"os"
	"sync"
	"time"

	"flatnet/core/config"
	"flatnet/core/say"
)

// Status is one look at the machine. Each part has its own Err where it
// could not be looked at.
type Status struct {
	Plugin      Plugin      `json:"plugin"`       // as CNI finds it
	NetworkList NetworkList `json:"network_list"` // of CNI
	Netavark    Netavark    `json:"netavark"`
	Backend     Backend     `json:"backend"`
	Settings    say.Text    `json:"settings_problem,omitempty"` // the mistake in Podman's settings
	Disks       []Disk      `json:"disks"`
	Clock       Clock       `json:"clock"`
	NextBoot    NextBoot    `json:"next_boot"`
	ErrorLog    ErrorLog    `json:"error_log"`
	Root        bool        `json:"root"` // looked at with root's rights
}

// Options say where to look; zero fields take Podman's and systemd's defaults.
type Options struct {
	Root    string // put before the usual paths of Podman's files; "": this machine
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

// Looker looks again and again. It starts the plugin, to hear its version,
// only where its file has changed. The zero Looker is ready.
type Looker struct {
	mu      sync.Mutex
	plugins map[string]answer // by path
}

// Look looks at everything. It never fails as a whole, and ends with ctx.
func Look(ctx context.Context, o Options) Status { return new(Looker).Look(ctx, o) }

// Look does what the function of that name does.
func (l *Looker) Look(ctx context.Context, o Options) Status {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SysctlPaths == nil {
		o.SysctlPaths = sysctlPaths()
	}
	p := o.settings()
	st := Status{
		NetworkList: lookNetworkList(p.cni.networkDir, o.Config),
		Netavark:    Netavark{Network: lookNetwork(p.netavark.networkDir, o.Config)},
		Backend:     p.backend,
		Settings:    p.problem,
		Disks:       lookDisks(o.Config),
		Clock:       lookClock(o.Config, o.Now()),
		NextBoot:    lookNextBoot(o.SysctlPaths),
		ErrorLog:    lookErrorLog(o.Config),
		Root:        os.Geteuid() == 0,
	}
	both := l.lookPlugins(ctx, o)
	st.Plugin, st.Netavark.Plugin = both.CNI, both.Netavark
	return st
}
