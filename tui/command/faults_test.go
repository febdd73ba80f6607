package command_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"flatnet/core/health"
	"flatnet/core/podman"
)

// fault is one way in which things break: make makes it for real, and mend
// does what its finding's remedy says. Where the remedy is a command, mend is
// nil and the command is run as it stands there.
type fault struct {
	code     health.Code
	severity health.Severity
	on       podman.Info // the Podman that it happens with; zero: podman4
	make     func(*rig)
	command  string // "firewall apply": it must stand in the remedy
	typed    string // "ip link …; iptables …": these must stand in the remedy, and are typed as they are there
	said     string // this must stand in the remedy, and mend does it
	mend     func(*rig)
}

// faults by name: at least one for every code.
func faults() map[string]fault {
	all := map[string]fault{}
	for _, some := range []map[string]fault{
		machineFaults(), installedFaults(), netavarkFaults(), podmanFaults(), bridgeFaults(), firewallFaults(), leaseFaults(), namesFaults(), windowsFaults(), gatewayFaults(), upstreamFaults(),
	} {
		maps.Copy(all, some)
	}
	return all
}

// TestFaults makes each fault for real, sees exactly its finding, mends it as
// the finding says, and sees that nothing is left.
func TestFaults(t *testing.T) {
	all := faults()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			on := all[name].on
			if on == (podman.Info{}) {
				on = podman4
			}
			all[name].try(newRigFor(t, on))
		})
	}
}

func (f fault) try(r *rig) {
	t := r.t
	if found := r.doctor(); len(found) > 0 {
		t.Fatalf("before the fault there is\n%s", describe(found))
	}
	f.make(r)
	found := r.doctor()
	if len(found) != 1 || found[0].Code != f.code || found[0].Severity != f.severity {
		t.Fatalf("want one finding, %s %s; got\n%s", f.severity, f.code, describe(found))
	}
	checkWords(t, found[0])
	if f.command != "" {
		if !strings.Contains(found[0].Remedy.String(), "flatnet-tui "+f.command) {
			t.Errorf("the remedy does not name %q: %s", f.command, found[0].Remedy)
		}
		if status, out := r.run(append(strings.Fields(f.command), "--yes")...); status != 0 {
			t.Errorf("%s: exit status %d\n%s", f.command, status, out)
		}
	}
	if f.typed != "" {
		if !strings.Contains(found[0].Remedy.String(), "sudo "+strings.ReplaceAll(f.typed, "; ", "; sudo ")) {
			t.Errorf("the remedy does not name %q: %s", f.typed, found[0].Remedy)
		}
		for line := range strings.SplitSeq(f.typed, "; ") {
			r.exec(line)
		}
	}
	if !strings.Contains(found[0].Remedy.String(), f.said) {
		t.Errorf("the remedy does not name %q: %s", f.said, found[0].Remedy)
	}
	if f.mend != nil {
		f.mend(r)
	}
	if left := r.doctor(); len(left) > 0 {
		t.Errorf("mended, and there is\n%s", describe(left))
	}
}

// checkWords: a finding says what is wrong, on what, what was seen, and what
// to do.
func checkWords(t *testing.T, f health.Finding) {
	t.Helper()
	for what, text := range map[string]string{"title": f.Title.String(), "detail": f.Detail.String(), "target": f.Target, "remedy": f.Remedy.String()} {
		if text == "" {
			t.Errorf("%s has no %s", f.Code, what)
		}
		if strings.Contains(text, "%!") || strings.Contains(text, "..") && what != "remedy" {
			t.Errorf("%s: %s reads %q", f.Code, what, text)
		}
	}
}

// TestEveryCodeHasItsFault: nothing is checked that was never seen broken.
func TestEveryCodeHasItsFault(t *testing.T) {
	seen := map[health.Code]bool{}
	for _, f := range faults() {
		seen[f.code] = true
	}
	for _, code := range unseenCodes {
		seen[code] = true // TestNothingCouldBeLookedAt
	}
	for _, c := range health.Checks() {
		if !seen[c.Code] {
			t.Errorf("no test makes the fault %s", c.Code)
		}
		delete(seen, c.Code)
	}
	for code := range seen {
		t.Errorf("a test makes the fault %s, which no check has", code)
	}
}

// unseenCodes say that a part could not be looked at.
var unseenCodes = []health.Code{
	health.MachineUnseen, health.PodmanUnreachable, health.BridgeUnseen, health.FirewallUnseen, health.LeasesUnseen,
	health.WindowsUnseen, health.GatewayUnseen, health.ProbesUnseen,
}

// Where there was no time to look, everything is unknown, once each, and
// nothing is called good.
func TestNothingCouldBeLookedAt(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := map[health.Code]bool{}
	for _, f := range r.parse(r.runIn(ctx, "doctor", "--json")) {
		got[f.Code] = true
		if f.Severity != health.Unknown {
			t.Errorf("%s is %s: %s", f.Code, f.Severity, f.Title)
		}
	}
	for _, code := range unseenCodes {
		if !got[code] {
			t.Errorf("%s is not among the findings", code)
		}
		delete(got, code)
	}
	for code := range got {
		t.Errorf("%s is said of what nobody looked at", code)
	}
	_, out := r.runIn(ctx, "doctor")
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "  ok ") && !strings.Contains(line, "configuration") {
			t.Errorf("called good without a look: %s", line)
		}
	}
}

// Three faults at once: the one that stands first on the path comes first.
func TestThreeFaultsAtOnce(t *testing.T) {
	r := newRig(t)
	r.crash(r.db)
	r.write("/proc/sys/net/ipv4/ip_forward", "0")
	r.web.listener.Close()
	var codes []string
	for _, f := range r.doctor() {
		codes = append(codes, string(f.Code))
	}
	if want := "ip-forward-off upstream-down lease-stale"; strings.Join(codes, " ") != want {
		t.Errorf("got %v, want %s", codes, want)
	}
	if status, out := r.run("doctor"); status != 1 || !strings.Contains(out, "Begin with: the kernel does not forward packets.") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// A cause hides what follows from it: with the bridge gone, nothing is said of
// the upstreams behind it.
func TestOneCauseHidesItsConsequences(t *testing.T) {
	r := newRig(t)
	r.exec("ip link delete flatnet-br0")
	found := r.doctor()
	if len(found) != 1 || found[0].Code != health.BridgeMissing {
		t.Errorf("got\n%s", describe(found))
	}
}

func TestDoctorOnAConfigurationThatIsWrong(t *testing.T) {
	r := newRig(t)
	r.edit("mtu = 1400", `mtu = "many"`)
	status, out := r.run("doctor")
	if status != 2 || !strings.Contains(out, "[config-invalid]") || !strings.Contains(out, "flatnet.toml:3") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if strings.Contains(out, "ok ") && !strings.Contains(out, "0 ok") {
		t.Errorf("something is called good by a wrong configuration:\n%s", out)
	}
}

func TestDoctorGood(t *testing.T) {
	for _, backend := range []podman.Info{podman4, podman5} {
		t.Run(backend.NetworkBackend, func(t *testing.T) {
			r := newRigFor(t, backend)
			status, out := r.run("doctor")
			if status != 0 || strings.Contains(out, "Begin with") || !strings.Contains(out, ", 0 warnings, 0 failing, 0 unknown.") {
				t.Errorf("exit status %d\n%s", status, out)
			}
			for _, c := range health.Checks() {
				if !strings.Contains(out, c.Good.String()) {
					t.Errorf("%s is not listed: %s", c.Code, c.Good)
				}
			}
		})
	}
}
