package command_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"flatnet/core/journal"
	"flatnet/core/leases"
	"flatnet/tui/command"
)

// listed is `leases list --json`.
type listed struct {
	Schema int
	Leases []struct {
		IP, Name, IfName string
		ContainerID      string `json:"container_id"`
		State            leases.State
		AllocatedAt      *time.Time `json:"allocated_at"`
	}
}

func (r *rig) listed() listed {
	r.t.Helper()
	status, out := r.run("leases", "list", "--json")
	var l listed
	if err := json.Unmarshal([]byte(out), &l); err != nil || status != command.ExitGood {
		r.t.Fatalf("status %d, %v:\n%s", status, err, out)
	}
	return l
}

// want runs a command and looks at its status and for words in what it prints.
func (r *rig) want(status int, line string, words ...string) {
	r.t.Helper()
	got, out := r.run(strings.Fields(line)...)
	if got != status {
		r.t.Errorf("%s: exit status %d, want %d:\n%s", line, got, status, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			r.t.Errorf("%s: %q is not in:\n%s", line, w, out)
		}
	}
}

func TestLeasesAreListed(t *testing.T) {
	r := newRig(t)
	r.want(command.ExitGood, "leases list", "10.87.1.2       active      web", "10.87.1.3       active      db")
	r.crash(r.db)
	r.want(command.ExitGood, "leases list", "10.87.1.3       stale       db", "Podman does not know the container")
	l := r.listed()
	if l.Schema != 1 || len(l.Leases) != 2 || l.Leases[0].State != leases.Active || l.Leases[1].State != leases.Stale ||
		l.Leases[1].ContainerID != r.db.id || l.Leases[1].AllocatedAt == nil {
		t.Errorf("%+v", l)
	}
}

func TestLeasesAreReleasedAndGivenBack(t *testing.T) {
	r := newRig(t)
	r.want(command.ExitRefused, "leases release 10.87.1.2 --yes", "10.87.1.2 (web)", "--force")
	r.want(command.ExitFailing, "leases release 10.87.1.77 --yes", "no such lease")
	r.want(command.ExitGood, "leases release --stale --yes", "No lease is known to be stale")
	r.crash(r.db)

	r.want(command.ExitGood, "leases release --stale --dry-run", "Release 10.87.1.3 from db")
	r.want(command.ExitUsage, "leases release --stale", "--yes")
	if l := r.listed(); len(l.Leases) != 2 {
		t.Fatalf("something was released without a yes: %+v", l)
	}
	r.want(command.ExitGood, "leases release --stale --yes --json", `"applied": true`, `"command": "flatnet-tui leases release 10.87.1.3"`)
	if l := r.listed(); len(l.Leases) != 1 {
		t.Fatalf("not released: %+v", l)
	}
	r.want(command.ExitGood, "undo --yes", "Give 10.87.1.3 back to db")
	if l := r.listed(); len(l.Leases) != 2 || l.Leases[1].Name != "db" {
		t.Fatalf("not given back: %+v", l)
	}
	r.want(command.ExitGood, "undo --yes", "has no release by hand")
	r.want(command.ExitGood, "leases release 10.87.1.2 10.87.1.2 --force --yes", "web is running and loses its network", "Done.")
	if l := r.listed(); len(l.Leases) != 1 {
		t.Fatalf("not released by force: %+v", l)
	}
}

func TestHistoryOfAnAddress(t *testing.T) {
	r := newRig(t)
	r.stop(r.db)
	r.want(command.ExitGood, "leases list --history 10.87.1.3", "release", "allocate", "db", "plugin DEL", "plugin ADD")
	r.want(command.ExitGood, "leases list --history 10.87.1.99", "knows nothing")
	status, out := r.run("leases", "list", "--history", "10.87.1.3", "--json")
	var h struct {
		IP      string
		Entries []journal.Entry
	}
	if err := json.Unmarshal([]byte(out), &h); err != nil || status != 0 || h.IP != "10.87.1.3" || len(h.Entries) != 2 || h.Entries[0].Action != "release" {
		t.Errorf("status %d, %v:\n%s", status, err, out)
	}
}

func TestWrongUseOfLeases(t *testing.T) {
	r := newRig(t)
	for _, line := range []string{
		"leases", "leases list x", "leases list --history web", "leases release", "leases release web",
		"leases release 10.87.1.2 --stale", "leases release --stale --force", "undo 10.87.1.2",
	} {
		r.want(command.ExitUsage, line)
	}
}

// help and completion are cobra's, and as strict as ours.
func TestWrongUseOfHelp(t *testing.T) {
	r := newRig(t)
	for _, line := range []string{"help nothing", "help config nothing", "completion", "completion tcsh", "completion bash more"} {
		r.want(command.ExitUsage, line, "--help")
	}
	r.want(command.ExitGood, "help gateway apply", "--dry-run")
	r.want(command.ExitGood, "completion fish", "flatnet-tui")
}
