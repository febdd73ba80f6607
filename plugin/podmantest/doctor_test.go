package podmantest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/testdata/nginx"
	"flatnet/testdata/podman"
	"flatnet/testdata/program"
)

// machine is what a user has: real Podman with its API socket, the plugin, a
// real nginx with one site, and flatnet-tui. There is no Windows.
type machine struct {
	t       *testing.T
	p       *podman.Podman
	tui     string
	socket  string
	service *exec.Cmd
	bound   []string // see bind
}

const machineConfig = `
[podman]
socket = %q
[windows]
enabled = false
[gateway]
config_dir = %q
windows_path = %[2]q
nginx = "/usr/sbin/nginx"
health_url = "http://127.0.0.1/health"
[[gateway.site]]
host = "web.local"
container = "web"
port = 80
[probes]
timeout = "20s"
`

func newMachine(t *testing.T) *machine {
	t.Helper()
	front := nginx.New(t)
	m := &machine{t: t, socket: filepath.Join(t.TempDir(), "podman.sock"), tui: program.Build(t, "flatnet/tui/flatnet-tui")}
	m.p = podman.New(t, podman.Options{TOML: fmt.Sprintf(machineConfig, m.socket, front.Dir)})
	const sysctls = "/run/sysctl.d"
	if err := os.MkdirAll(sysctls, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(sysctls, "99-flatnet.conf"), []byte("net.ipv4.ip_forward=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stopServing)
	m.serve()
	web(m.p, "web")
	m.p.Run("run", "--detach", "--name", "db", "--network", "flatnet", podman.Postgres)
	fetch(t, "http://"+m.p.IP("web", "flatnet")+"/")
	front.Start(t)
	m.run("gateway apply --yes")
	return m
}

// serve has Podman answer at its socket.
func (m *machine) serve() {
	m.t.Helper()
	m.service = m.p.Command("system", "service", "--time", "0", "unix://"+m.socket)
	if err := program.Start(m.service); err != nil {
		m.t.Fatal(err)
	}
	for range 100 {
		if _, err := os.Stat(m.socket); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.t.Fatal("Podman does not listen at its socket")
}

// stopServing ends Podman's service.
func (m *machine) stopServing() {
	_ = m.service.Process.Kill()
	_ = m.service.Wait()
	_ = os.Remove(m.socket)
}

// command is flatnet-tui with these arguments.
func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(m.tui, append([]string{"--config", m.p.Config}, args...)...)
	cmd.Env = m.p.Env()
	return cmd
}

// run runs a line as a person types it: flatnet-tui's, podman's, or another
// program's.
func (m *machine) run(line string) {
	m.t.Helper()
	words := strings.Fields(line)
	var cmd *exec.Cmd
	switch words[0] {
	case "podman":
		cmd = m.p.Command(words[1:]...)
	case "ip":
		cmd = exec.Command("ip", words[1:]...)
	default:
		cmd = m.command(words...)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// found gives what doctor finds: its code, severity and remedy.
type found struct{ Code, Severity, Title, Detail, Remedy string }

func (m *machine) doctor(change ...func(*exec.Cmd)) []found {
	m.t.Helper()
	cmd := m.command("doctor", "--json")
	for _, c := range change {
		c(cmd)
	}
	out, _ := cmd.Output() // its exit status is of the findings
	var report struct{ Findings []found }
	if err := json.Unmarshal(out, &report); err != nil {
		m.t.Fatalf("doctor --json: %v\n%s", err, out)
	}
	return report.Findings
}

// forgotten removes a container from Podman while the plugin cannot work, as
// a crash or a damaged configuration does: its lease stays.
func (m *machine) forgotten(name string) {
	m.t.Helper()
	away := m.p.Config + ".away"
	if err := os.Rename(m.p.Config, away); err != nil {
		m.t.Fatal(err)
	}
	_, _ = m.p.Try("rm", "--force", "--time", "0", name) // it says that the plugin failed
	if err := os.Rename(away, m.p.Config); err != nil {
		m.t.Fatal(err)
	}
	if left := m.p.Run("ps", "--all", "--format", "{{.Names}}"); strings.Contains(left, name) {
		m.t.Fatalf("Podman still knows %s: %s", name, left)
	}
}

// bind gives a namespace a second name, which outlives what Podman does.
func (m *machine) bind(netns, name string) {
	m.t.Helper()
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		m.t.Fatal(err)
	}
	if err := unix.Mount(netns, name, "", unix.MS_BIND, ""); err != nil {
		m.t.Fatal(err)
	}
	m.bound = append(m.bound, name)
}

// unbind takes the names of bind away.
func (m *machine) unbind() {
	m.t.Helper()
	for _, name := range m.bound {
		if err := errors.Join(unix.Unmount(name, unix.MNT_DETACH), os.Remove(name)); err != nil {
			m.t.Error(err)
		}
	}
	m.bound = nil
}

// veth gives the host's end of a container's link.
func (m *machine) veth(name string) string {
	return "fn-" + m.p.Run("inspect", "--format", "{{.Id}}", name)[:8]
}

// fault is one way in which things break around real containers: doctor says
// exactly this, and its remedy as printed mends it. mend is what stands for a
// remedy that cannot be typed here.
type fault struct {
	name, code, severity string
	make                 func(m *machine)
	look                 func(*exec.Cmd) // changes the doctor that looks
	remedy               string          // what the remedy says, without sudo
	mend                 func(m *machine)
}

func faults() []fault {
	again := func(name string) func(*machine) {
		return func(m *machine) { m.p.Run("run", "--detach", "--name", name, "--network", "flatnet", podman.Postgres) }
	}
	return []fault{
		{
			name: "container removed while the plugin could not work", code: "lease-stale", severity: "warn",
			make:   func(m *machine) { m.forgotten("db") },
			remedy: "flatnet-tui leases release --stale", mend: again("db"),
		},
		{
			name: "container removed, and its namespace lives", code: "lease-unknown", severity: "unknown",
			make: func(m *machine) {
				netns := m.p.Run("inspect", "--format", "{{.NetworkSettings.SandboxKey}}", "db")
				m.bind(netns, netns+"-kept")
				m.forgotten("db")
				m.bind(netns+"-kept", netns)
			},
			mend: func(m *machine) { // what kept the namespace ends: both witnesses agree
				m.unbind()
				m.run("leases release --stale --yes")
				again("db")(m)
			},
		},
		{
			name: "link taken off the bridge", code: "lease-without-veth", severity: "fail",
			make:   func(m *machine) { m.run("ip link set " + m.veth("web") + " nomaster") },
			remedy: "flatnet-tui bridge apply",
		},
		{
			name: "link deleted", code: "lease-without-veth", severity: "fail",
			make:   func(m *machine) { m.run("ip link delete " + m.veth("web")) },
			remedy: "podman restart web",
		},
		{
			name: "site's container stopped", code: "site-without-container", severity: "fail",
			make:   func(m *machine) { m.run("podman stop --time 0 web") },
			remedy: "podman start web",
		},
		{
			name: "Podman's service hangs", code: "podman-unreachable", severity: "unknown",
			make: func(m *machine) { _ = m.service.Process.Signal(syscall.SIGSTOP) },
			mend: func(m *machine) { _ = m.service.Process.Signal(syscall.SIGCONT) },
		},
		{
			name: "Podman's service stopped, and no podman on the path", code: "podman-unreachable", severity: "unknown",
			make: (*machine).stopServing,
			look: func(c *exec.Cmd) { c.Env = append(c.Env, "PATH=/usr/sbin:/sbin") },
			mend: func(m *machine) { m.serve() }, // systemctl enable --now podman.socket
		},
	}
}

// TestDoctorOnRealPodman makes each fault on real containers, sees exactly its
// finding, mends it as the finding says, and sees that nothing is left.
func TestDoctorOnRealPodman(t *testing.T) {
	m := newMachine(t)
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) { f.try(m, t) })
	}
}

func (f fault) try(m *machine, t *testing.T) {
	m.t = t
	if all := m.settled(""); len(all) > 0 {
		t.Fatalf("before the fault there is %+v", all)
	}
	f.make(m)
	var look []func(*exec.Cmd)
	if f.look != nil {
		look = append(look, f.look)
	}
	all := m.settled(f.code, look...)
	if len(all) != 1 || all[0].Code != f.code || all[0].Severity != f.severity {
		t.Errorf("want one finding, %s %s; got %+v", f.severity, f.code, all)
	}
	if f.remedy != "" {
		if len(all) == 1 && !strings.Contains(all[0].Remedy, "sudo "+f.remedy) {
			t.Errorf("the remedy does not name %q: %s", f.remedy, all[0].Remedy)
		}
		line, ours := strings.CutPrefix(f.remedy, "flatnet-tui ")
		if ours {
			line += " --yes"
		}
		m.run(line)
	}
	if f.mend != nil {
		f.mend(m)
	}
	if left := m.settled(""); len(left) > 0 {
		t.Errorf("mended, and there is %+v", left)
	}
}

// settled gives what doctor finds, once that is the code alone ("" : nothing):
// a server that was just started does not listen yet, and Podman takes seconds
// to tell of itself on a machine that is busy with other tests.
func (m *machine) settled(code string, change ...func(*exec.Cmd)) []found {
	m.t.Helper()
	var all []found
	for range 10 {
		all = m.doctor(change...)
		if len(all) == 0 && code == "" || len(all) == 1 && all[0].Code == code {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	return all
}
