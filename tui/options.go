package tui

import (
	"context"
	"io"
	"net/netip"
	"time"

	"flatnet/core/config"
	"flatnet/core/health"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/themes"
	"flatnet/tui/pane"
)

// Options are everything that the console needs from outside. It looks and
// changes only through these.
type Options struct {
	Config   config.Config
	Sources  pane.Sources
	Findings pane.Source[[]health.Finding] // for the header; nil: none
	Plans    Plans
	Journal  repair.Recorder
	Tools    Tools
	// Reload looks whether the configuration file has changed and, if it has,
	// gives the Options of the new one. An error says what is wrong with it;
	// the console then goes on with what it has. nil: never reloaded.
	Reload func(ctx context.Context) (o Options, changed bool, err error)

	Now     func() time.Time
	Limit   time.Duration // of one look; 0: DefaultLimit
	Environ []string      // "KEY=value": TERM, LANG, NO_COLOR, …

	In  io.Reader // the terminal
	Out io.Writer

	ReadOnly bool           // takes every key away that changes something
	Plain    bool           // lines instead of a screen; also where TERM is "dumb"
	Theme    string         // "" : as configured
	Themes   []themes.Theme // nil: the built-in ones
	Notice   string         // said at the start: a theme that could not be read, a replayed bundle
}

// DefaultLimit is how long one look may take before it counts as failed.
const DefaultLimit = 10 * time.Second

// Plan makes the plan of one change from the machine as it is now.
type Plan func(ctx context.Context) (repair.Plan, error)

// Plans are the changes that the console can ask for. One that is nil cannot
// be had here, and its key says so.
type Plans struct {
	ReleaseStale Plan // every stale lease
	Release      func(ctx context.Context, ips []netip.Addr) (repair.Plan, error)
	Firewall     Plan                                                        // the rules again
	Bridge       Plan                                                        // bridge, address, ip_forward
	Gateway      Plan                                                        // regenerate and deploy
	Rollback     Plan                                                        // the gateway's last generation
	Route        Plan                                                        // Windows' route
	Maintenance  func(ctx context.Context, host string) (repair.Plan, error) // on or off, whichever it is not
	Undo         Plan
	// ByFinding gives the plan for health.Finding.Repair; nil, or an error
	// wrapping ErrNoRepair: none is known.
	ByFinding func(ctx context.Context, id string) (repair.Plan, error)
}

// ErrNoRepair says that nothing the console can do mends a finding.
var ErrNoRepair = say.New("no repair for this finding")

// Tools are what the console can do besides looking and repairing.
type Tools struct {
	// ProbeNow asks upstreams at once, all if none is named.
	ProbeNow func(names ...string)
	// AskAgain asks every upstream and waits for the answers.
	AskAgain func(ctx context.Context, told Progress) error
	// Path follows a site from its name to the container's port.
	Path func(ctx context.Context, host string, told Progress) ([]PathHop, error)
	// Bundle writes an incident bundle and gives its path.
	Bundle func(ctx context.Context, told Progress) (string, error)
}

// Progress is told how many parts of a long look are done.
type Progress func(done, total int)

// PathHop is one step of a path.
type PathHop struct {
	Name   say.Text // what is looked at
	State  health.Severity
	Detail say.Text // what was seen
	Remedy say.Text
}
