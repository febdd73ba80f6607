package windows

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/say"
)

// firstLimit is the limit of the first call.
const firstLimit = 3 * time.Second

// System is the one Windows beside this WSL. It may be used by several
// goroutines; Windows sees one program at a time.
type System struct {
	o       Options
	host    *Host
	wslinfo *Host // nil where there is no wslinfo; a rest of its own

	mu     sync.Mutex
	found  bool // route.exe was seen once
	mode   Mode
	table  Table
	readAt time.Time
	reach  []Reach
}

// New makes a System; it looks at nothing yet.
func New(o Options) *System {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FirstLimit == 0 {
		o.FirstLimit = firstLimit
	}
	if o.ReachLimit == 0 {
		o.ReachLimit = reachLimit
	}
	if o.TaskLimit == 0 {
		o.TaskLimit = taskLimit
	}
	s := &System{o: o, host: newHost(o.Config.SystemRoot, o)}
	if path, err := exec.LookPath("wslinfo"); err == nil {
		s.wslinfo = newHost(filepath.Dir(path), o)
	}
	return s
}

// Subnet is the subnet that the route is to lead to.
func (s *System) Subnet() netip.Prefix { return s.o.Network.Subnet }

// Look reads mode, addresses and table, judges the route, and, when the route
// is good, tries it now and then. It takes at most twice the configured time
// limit and Options.ReachLimit, whatever Windows does. Where the table
// could not be read the error wraps one of this package's sentinels and the
// Status holds what is known, the route as last seen among it, State unknown.
// Where there is no Windows the error is nil and Status.Enabled false.
func (s *System) Look(ctx context.Context) (Status, error) {
	st := Status{State: Unknown, Verdict: Verdict{Kind: Undecided}}
	enabled, err := s.enabled(ctx, &st)
	if err != nil || !enabled {
		return s.fail(st, err)
	}
	var addrErr error
	st.WSLAddress, st.WindowsAddress, addrErr = addresses(ctx, s.o.Kernel)
	mode := make(chan Mode, 1)
	go func() { mode <- s.networkingMode(ctx) }() // if both hang, one time limit is enough
	table, err := s.Table(ctx)
	st.Mode = <-mode
	s.recall(&st)
	if err != nil {
		return s.fail(st, err)
	}
	st.Facing, _ = table.Facing(st.WSLAddress)
	st.Verdict = Judge(table, s.Subnet(), st.WSLAddress, st.Mode)
	switch st.Verdict.Kind {
	case Good:
		st.Reach = s.tryRoute(ctx)
	case Mirrored, Undecided:
	default:
		st.Changes = s.changes(table, st.WSLAddress)
	}
	st.State, st.Reason = st.sum(addrErr)
	return st, nil
}

func (s *System) changes(t Table, wsl netip.Addr) []Change {
	if !wsl.IsValid() {
		return nil
	}
	return Changes(t, s.Subnet(), wsl)
}

// sum gives the state of all that was seen, and why it is not ok.
func (st *Status) sum(addrErr error) (State, say.Text) {
	if st.Verdict.Kind == Undecided && addrErr != nil {
		return Unknown, say.Of(addrErr)
	}
	if st.Verdict.Kind != Good {
		return st.Verdict.Kind.State(), st.Verdict.Text
	}
	for _, r := range st.Reach {
		if r.State == Fail {
			return Warn, say.F("the route is good, and yet Windows does not reach %s at %s: %s", r.Name, r.Target, r.Detail)
		}
	}
	return OK, ""
}

// fail ends a look that could not read the table.
func (s *System) fail(st Status, err error) (Status, error) {
	if err == nil {
		return st, nil
	}
	st.Reason, st.Trouble = say.Of(err), Explain(err)
	if errors.Is(err, ErrDenied) { // to look needs no administrator
		st.Trouble.Remedy = remedyMayRun
	}
	st.Verdict.Text = "the route cannot be judged: Windows' table could not be read"
	if st.Trouble != nil {
		st.Verdict.Remedy = st.Trouble.Remedy
	}
	return st, &core.OpError{Op: "read Windows' route table", Err: err, Hint: st.Verdict.Remedy}
}

// enabled tells whether there is a Windows to ask.
func (s *System) enabled(ctx context.Context, st *Status) (bool, error) {
	if s.o.Config.Enabled == config.Off {
		st.Reason = "switched off in the configuration ([windows] enabled = false)"
		return false, nil
	}
	s.mu.Lock()
	found := s.found
	s.mu.Unlock()
	if !found {
		err := s.host.Present(ctx, routeExe)
		if errors.Is(err, ErrNoProgram) && s.o.Config.Enabled != config.On {
			st.Reason = say.F("not on WSL: there is no %s", s.host.path(routeExe))
			return false, nil
		}
		if err != nil {
			st.Enabled = s.o.Config.Enabled == config.On
			return false, err
		}
		s.mu.Lock()
		s.found = true
		s.mu.Unlock()
	}
	st.Enabled = true
	return true, nil
}

// networkingMode asks wslinfo until it has answered once: the mode changes
// only when WSL starts anew, and this process with it.
func (s *System) networkingMode(ctx context.Context) Mode {
	s.mu.Lock()
	mode := s.mode
	s.mu.Unlock()
	if mode != "" || s.wslinfo == nil {
		return mode
	}
	out, err := s.wslinfo.Run(ctx, 0, "wslinfo", "--networking-mode")
	if err != nil || out.Exit != 0 {
		return ""
	}
	mode = parseMode(out.Stdout)
	s.mu.Lock()
	s.mode = mode
	s.mu.Unlock()
	return mode
}

// parseMode takes one plain word; anything else is no mode.
func parseMode(out []byte) Mode {
	const longest = 32
	word := bytes.TrimSpace(out)
	plain := len(word) <= longest && !bytes.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
	if !plain {
		return ""
	}
	return Mode(word)
}

// Table reads Windows' IPv4 table now, and remembers it.
func (s *System) Table(ctx context.Context) (Table, error) {
	out, err := s.host.Run(ctx, 0, routeExe, "print", "-4")
	if err != nil {
		return Table{}, err
	}
	table, err := ParseTable(out.Stdout)
	if err != nil {
		return Table{}, say.Errorf("route.exe: %w: %w", ErrOutput, err)
	}
	s.mu.Lock()
	s.table, s.readAt = table, s.o.Now()
	s.mu.Unlock()
	return table, nil
}

// recall puts the table as last read into the status.
func (s *System) recall(st *Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.ReadAt, st.Route = s.readAt, s.table.Route(s.Subnet())
	st.Facing, _ = s.table.Facing(st.WSLAddress)
}

// Route gives the cheapest active route to the subnet itself, nil if none.
func (t Table) Route(subnet netip.Prefix) *Route {
	to := func(e Entry) bool { return e.Destination == subnet }
	own := slices.DeleteFunc(slices.Clone(t.Active), func(e Entry) bool { return !to(e) })
	if len(own) == 0 {
		return nil
	}
	best := slices.MinFunc(own, func(a, b Entry) int { return cmp.Compare(a.Metric, b.Metric) })
	persistent := slices.ContainsFunc(t.Persistent, func(e Entry) bool { return to(e) && e.Gateway == best.Gateway })
	return &Route{Destination: subnet, Gateway: best.Gateway, Interface: best.Interface, Metric: best.Metric, Persistent: persistent}
}

// TryNow ends the rest that follows failures: a person asked for a look now.
func (s *System) TryNow() {
	s.host.breaker.reset()
	if s.wslinfo != nil {
		s.wslinfo.breaker.reset()
	}
}
