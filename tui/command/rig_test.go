package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/windows"
	"flatnet/probes"
	"flatnet/testdata/nettest"
	"flatnet/testdata/nginx"
	"flatnet/testdata/program"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
	"flatnet/tui/command"
	"flatnet/tui/monitor"
)

// rig is a whole machine in the test's own namespaces: a real bridge with two
// real attachments, real rules, a real nginx with one site; Windows is the
// stand-in, and Podman answers from what the rig started.
type rig struct {
	t       *testing.T
	dir     string
	conf    string // the configuration file
	kernel  kernel.Kernel
	nginx   *nginx.Server
	windows *windowstest.World
	linux   windows.Router // the WSL beside it, while a test has another there
	podman  podman.Client
	backend podman.Info // of the Podman that the rig stands for
	probers probes.Probers
	version string
	limit   time.Duration // of one look
	ahead   time.Duration // of the clock
	web, db *container

	stopNames func() // ends the resolver
}

const rigConfig = `
[network]
mtu = 1400

[ipam]
state_dir = "%[1]s/state/ipam"

[log]
file = "%[1]s/flatnet.log"

[windows]
enabled = true
system_root = "%[2]s"
root = "%[1]s"
timeout = "1m"

[gateway]
config_dir = "%[3]s"
windows_path = "%[3]s"
nginx = "/usr/sbin/nginx"
health_url = "http://127.0.0.1/health"

[[gateway.site]]
host = "web.local"
container = "web"
port = 3000

[probes]
timeout = "20s"
`

// bridgeNFCall is there where the module br_netfilter is loaded.
const bridgeNFCall = "/proc/sys/net/bridge/bridge-nf-call-iptables"

// The Podmans that the rig can stand for.
var (
	podman4 = podman.Info{Version: "4.3.1", NetworkBackend: "cni"}
	podman5 = podman.Info{Version: "5.4.2", NetworkBackend: "netavark"}
)

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigFor(t, podman4)
}

// newRigFor makes a rig on which Flatnet is set up for that Podman.
func newRigFor(t *testing.T, backend podman.Info) *rig {
	t.Helper()
	nettest.Need(t)
	r := &rig{
		t: t, dir: t.TempDir(), kernel: kernel.New(), nginx: nginx.New(t), windows: windowstest.New(t, func(s *standin.State) { s.Live = true }),
		probers: probes.New(), version: "unknown", limit: time.Minute, backend: backend,
	}
	// The lab is the stand-in's program, too, and starts quicker than a test
	// binary with the race detector in it.
	state, err := standin.Read(r.windows.Root)
	r.must(err)
	r.must(standin.Install(r.windows.Root, program.Build(t, "flatnet/testdata/lab"), state))
	r.podman = standInPodman{r}
	r.conf = filepath.Join(r.dir, "flatnet.toml")
	r.write(r.conf, fmt.Sprintf(rigConfig, r.dir, r.windows.Root, r.nginx.Dir))
	r.install()
	t.Cleanup(r.clear)
	if _, err := os.Stat(bridgeNFCall); err == nil { // on in every new namespace
		r.write(bridgeNFCall, "0")
	}
	r.write(r.resolvConf(), "nameserver 192.0.2.53\n")
	r.answerNames()
	r.web, r.db = r.newContainer("web", "10.87.1.2"), r.newContainer("db", "10.87.1.3")
	r.nginx.Start(t)
	if status, out := r.run("gateway", "apply", "--yes"); status != 0 {
		t.Fatalf("deploy the gateway: %d\n%s", status, out)
	}
	return r
}

// install puts the plugin and its network where Podman finds them, and
// forwarding where the next boot finds it.
func (r *rig) install() {
	networks := filepath.Join(r.dir, "net.d")
	for _, dir := range []string{r.pluginDir("cni"), r.pluginDir("netavark"), networks, "/run/sysctl.d"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	r.installPlugin()
	r.installNetwork()
	r.write("/run/sysctl.d/99-flatnet.conf", "net.ipv4.ip_forward=1\n")
	conf := r.containersConf()
	r.write(conf, fmt.Sprintf("[network]\ncni_plugin_dirs = [%q]\nnetavark_plugin_dirs = [%q]\nnetwork_config_dir = %q\n",
		r.pluginDir("cni"), r.pluginDir("netavark"), networks))
	r.t.Setenv("CONTAINERS_CONF", conf)
}

func (r *rig) installPlugin() {
	text, err := os.ReadFile(program.Plugin(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.plugin(), text, 0o755); err != nil {
		r.t.Fatal(err)
	}
	r.chmod(r.plugin(), 0o755)
}

// installNetwork makes the network known to the Podman that the rig stands for.
func (r *rig) installNetwork() {
	if r.backend.NetworkBackend == "cni" {
		r.installList()
		return
	}
	r.write(r.network("flatnet"), fmt.Sprintf(`{"name":"flatnet","id":"1","driver":"flatnet","network_interface":"flatnet-br0",
		"subnets":[{"subnet":"10.87.1.0/24","gateway":"10.87.1.1"}],"options":{"config":%q},"ipam_options":{"driver":"none"}}`, r.conf))
}

func (r *rig) installList() {
	r.write(r.list("flatnet"), fmt.Sprintf(`{"cniVersion":"1.0.0","name":"flatnet","plugins":[{"type":"flatnet","config":%q}]}`, r.conf))
}

func (r *rig) containersConf() string          { return filepath.Join(r.dir, "containers.conf") }
func (r *rig) pluginDir(backend string) string { return filepath.Join(r.dir, backend) }
func (r *rig) plugin() string                  { return filepath.Join(r.pluginDir(r.backend.NetworkBackend), "flatnet") }

func (r *rig) list(name string) string { return filepath.Join(r.dir, "net.d", name+".conflist") }

func (r *rig) network(name string) string { return filepath.Join(r.dir, "net.d", name+".json") }
func (r *rig) stateDir() string           { return filepath.Join(r.dir, "state", "ipam") }
func (r *rig) live() string               { return filepath.Join(r.nginx.Dir, "conf.d", "flatnet.conf") }
func (r *rig) now() time.Time             { return time.Now().Add(r.ahead) }

func (r *rig) config() config.Config {
	c, err := config.Load(r.conf)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// edit replaces text in the configuration file.
func (r *rig) edit(old, replacement string) { r.replace(r.conf, old, replacement) }

func (r *rig) replace(path, old, replacement string) {
	r.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		r.t.Fatalf("%q is not in %s (%v)", old, path, err)
	}
	r.write(path, strings.Replace(string(text), old, replacement, 1))
}

func (r *rig) write(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) remove(path string) { r.must(os.RemoveAll(path)) }
func (r *rig) move(from, to string) {
	r.t.Helper()
	r.must(os.Rename(from, to))
}
func (r *rig) chmod(path string, mode os.FileMode) { r.must(os.Chmod(path, mode)) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// exec runs a program in the rig's namespace.
func (r *rig) exec(line string) {
	r.t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// clear takes away what a test left in the namespace.
func (r *rig) clear() {
	for _, c := range []*container{r.web, r.db} {
		if c != nil {
			c.listener.Close()
		}
	}
	links, _ := netlink.LinkList()
	for _, l := range links {
		if l.Type() == "bridge" || l.Type() == "veth" {
			_ = netlink.LinkDel(l)
		}
	}
	for _, program := range []string{"iptables", "iptables-legacy"} {
		for _, args := range []string{
			"-P FORWARD ACCEPT", "-F", "-X", "-t nat -F", "-t nat -X",
		} {
			_ = exec.Command(program, strings.Fields(args)...).Run()
		}
	}
}

// open makes the parts of a configuration as flatnet-tui does.
func (r *rig) open(c config.Config) (*command.Parts, error) {
	p := &command.Parts{
		Version: r.version, Config: c, Now: r.now, Kernel: r.kernel, Journal: journal.Open(c.IPAM.StateDir, "test"),
		Store: r.store(c), Podman: r.podman, Probers: r.probers, Limit: r.limit,
		ResolvConf: r.resolvConf(),
	}
	beside := r.windows.Options
	beside.Targets = p.RouteTargets
	p.Windows = windows.New(beside)
	p.Monitor = monitor.New(c.Probes, p.Probers, r.now)
	p.Gateway = gateway.New(gateway.Options{
		Config: c.Gateway, Network: c.Network, Runner: gateway.NewRunner(c.Gateway.Nginx),
		HealthURL:  func(context.Context) string { return c.Gateway.HealthAt(netip.Addr{}) },
		Containers: p.Podman.Containers, Leases: p.HeldLeases, Health: p.Monitor.Health, Now: r.now,
	})
	return p, nil
}

// run runs flatnet-tui with these arguments.
func (r *rig) run(args ...string) (status int, out string) { return r.runIn(r.t.Context(), args...) }

func (r *rig) runIn(ctx context.Context, args ...string) (status int, out string) {
	var stdout, stderr bytes.Buffer

	a := &command.App{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Version: r.version, Now: r.now, Open: r.open,
	}
	status = command.Run(ctx, a, append([]string{"--config", r.conf}, args...))
	return status, stdout.String() + stderr.String()
}

// doctor gives what doctor finds.
func (r *rig) doctor() []health.Finding {
	r.t.Helper()
	return r.parse(r.run("doctor", "--json"))
}

func (r *rig) parse(_ int, out string) []health.Finding {
	r.t.Helper()
	var report struct{ Findings []health.Finding }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		r.t.Fatalf("doctor --json: %v\n%s", err, out)
	}
	return report.Findings
}

// describe gives findings as lines for a failure's message.
func describe(all []health.Finding) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "  %s %s (%s): %s\n    seen: %s\n    mend: %s\n", f.Severity, f.Code, f.Target, f.Title, f.Detail, f.Remedy)
	}
	return b.String()
}

// until waits for what a program that was told does in its own time.
func (r *rig) until(done func() bool) {
	r.t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Fatal("it did not come to pass in 10 s")
}

// listenHere serves pages on this machine itself, and gives the address.
func (r *rig) listenHere(address string) string {
	r.t.Helper()
	l, err := net.Listen("tcp", address)
	r.must(err)
	r.t.Cleanup(func() { l.Close() })
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "from elsewhere") }))
	}()
	return l.Addr().String()
}
