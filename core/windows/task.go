package windows

import (
	"context"
	"errors"
	"strings"
	"time"

	"flatnet/core"
	"flatnet/core/say"
)

// A started task is waited for: PowerShell takes up to 4 s to start, and WSL
// may have to be asked.
const (
	taskLimit = 30 * time.Second
	taskPoll  = 500 * time.Millisecond
)

// Every process has a label with integrity's prefix; highIntegrity and
// systemIntegrity are those of an elevated one (winnt.h, SECURITY_MANDATORY_*_RID).
const (
	integrity       = "S-1-16-"
	highIntegrity   = "S-1-16-12288"
	systemIntegrity = "S-1-16-16384"
)

// ErrTaskFailed says that the task was started, and the route is as before.
var ErrTaskFailed = say.New("the scheduled task has not set the route")

// Means is what this session may do on Windows.
type Means struct {
	Task     bool // the scheduled task is registered
	Elevated bool // route.exe may change the table
	Unsure   bool // whether it may could not be seen; trying does no harm
}

// Means looks what this session may do. The error says that Windows could not
// be asked at all.
func (s *System) Means(ctx context.Context) (Means, error) {
	var m Means
	out, err := s.host.Run(ctx, 0, schtasksExe, "/query", "/tn", Task)
	if err != nil && !errors.Is(err, ErrNoProgram) && !errors.Is(err, ErrDenied) {
		return m, err
	}
	m.Task = err == nil && out.Exit == 0
	out, err = s.host.Run(ctx, 0, whoamiExe, "/groups", "/fo", "csv", "/nh")
	if err != nil && !errors.Is(err, ErrNoProgram) && !errors.Is(err, ErrDenied) {
		return m, err
	}
	groups := string(out.Stdout)
	m.Elevated = strings.Contains(groups, highIntegrity) || strings.Contains(groups, systemIntegrity)
	m.Unsure = !strings.Contains(groups, integrity)
	return m, nil
}

// StartTask starts the scheduled task and waits until the table has one route
// to the subnet, by way of WSL; ErrTaskFailed if it has none in
// Options.TaskLimit.
func (s *System) StartTask(ctx context.Context) error {
	err := s.startTask(ctx)
	if err != nil {
		return &core.OpError{
			Op: "set the route with the scheduled task", Target: Task, Err: err,
			Hint: "In Windows, see the task's last result in Task Scheduler; docs/operations/windows.md has its exit codes.",
		}
	}
	return nil
}

func (s *System) startTask(ctx context.Context) error {
	out, err := s.host.Run(ctx, 0, schtasksExe, "/run", "/tn", Task)
	if err != nil {
		return err
	}
	if out.Exit != 0 {
		return say.Errorf("schtasks.exe ended with status %d", out.Exit)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.TaskLimit, ErrTaskFailed)
	defer cancel()
	tick := time.NewTicker(taskPoll)
	defer tick.Stop()
	for {
		if s.routeIsSet(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// routeIsSet tells whether the table has one route to the subnet, by way of
// WSL; false too where either could not be read this time.
func (s *System) routeIsSet(ctx context.Context) bool {
	wsl, _, err := addresses(ctx, s.o.Kernel)
	if err != nil {
		return false
	}
	t, err := s.Table(ctx)
	return err == nil && len(Changes(t, s.Subnet(), wsl)) == 0
}
