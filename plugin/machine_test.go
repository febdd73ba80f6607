package plugin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	current "github.com/containernetworking/cni/pkg/types/100"

	"flatnet/core/ipam"
	"flatnet/testdata/nettest"
	"flatnet/testdata/program"
)

func TestMain(m *testing.M) {
	if isFaulty() {
		os.Exit(runFaulty())
	}
	nettest.Main(m)
}

// fronts are the ways by which the plugin is called.
var fronts = []string{"cni", "netavark"}

// onFronts runs one test through each front.
func onFronts(t *testing.T, test func(t *testing.T, front string)) {
	t.Helper()
	for _, front := range fronts {
		t.Run(front, func(t *testing.T) { test(t, front) })
	}
}

// machine is a network namespace in which the real plugin's process runs.
type machine struct {
	t      testing.TB
	front  string // by which ADD and DEL are called; "": CNI
	ns     string // the host's namespace
	state  string
	log    string
	config string
	usual  string // FLATNET_CONFIG: what the plugin goes by where it cannot read config, such as for its log
	plugin string
}

// newMachineFor makes a machine whose containers come through a front.
func newMachineFor(t testing.TB, front, toml string) *machine {
	t.Helper()
	m := newMachine(t, toml)
	m.front = front
	return m
}

func newMachine(t testing.TB, toml string) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{
		t: t, ns: nettest.New(t), state: filepath.Join(dir, "ipam"), log: filepath.Join(dir, "flatnet.log"),
		config: filepath.Join(dir, "flatnet.toml"), usual: filepath.Join(dir, "usual.toml"), plugin: program.Plugin(t),
	}
	usual := fmt.Sprintf("[log]\nfile = %q\n[ipam]\nstate_dir = %q\n", m.log, m.state)
	if err := os.WriteFile(m.usual, []byte(usual), 0o600); err != nil {
		t.Fatal(err)
	}
	m.configure(toml)
	return m
}

// configure writes the configuration; toml comes first and may hold tables.
func (m *machine) configure(toml string) {
	m.t.Helper()
	text := fmt.Sprintf("%s\n[log]\nfile = %q\n", toml, m.log)
	if !strings.Contains(toml, "[ipam]") {
		text += fmt.Sprintf("[ipam]\nstate_dir = %q\n", m.state)
	}
	if err := os.WriteFile(m.config, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// call is one call of the plugin. What is empty gets what is usual.
type call struct {
	verb, id, ifName, netns, args string

	version string         // of CNI; 1.0.0
	keys    map[string]any // more keys of the network list's entry
	stdin   string         // instead of all that
	env     []string       // more variables
}

func (m *machine) command(c call) *exec.Cmd {
	m.t.Helper()
	if c.ifName == "" {
		c.ifName = "eth0"
	}
	if c.version == "" {
		c.version = "1.0.0"
	}
	if verb, ok := netavarkVerbs[c.verb]; ok && m.front == "netavark" && c.stdin == "" {
		cmd := m.netavarkCommand(verb, attachment(m.network(keys{"ipam_options": keys{"driver": "none"}}), c.id, keys{"interface_name": c.ifName}), c.netns)
		cmd.Env = append(cmd.Env, c.env...)
		return cmd
	}
	if c.stdin == "" {
		keys := map[string]any{"cniVersion": c.version, "name": "flatnet", "type": "flatnet", "config": m.config}
		for k, v := range c.keys {
			keys[k] = v
		}
		text, err := json.Marshal(keys)
		if err != nil {
			m.t.Fatal(err)
		}
		c.stdin = string(text)
	}
	cmd := exec.Command(m.plugin)
	cmd.Stdin = strings.NewReader(c.stdin)
	cmd.Env = append([]string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_PATH=/usr/lib/cni", "CNI_COMMAND=" + c.verb, "CNI_CONTAINERID=" + c.id,
		"CNI_NETNS=" + c.netns, "CNI_IFNAME=" + c.ifName, "CNI_ARGS=" + c.args, "FLATNET_CONFIG=" + m.usual,
	}, c.env...)
	return cmd
}

// answer is what the plugin said.
type answer struct {
	status         int
	stdout, stderr string
	failure        struct {
		CNIVersion string
		Code       uint
		Msg        string
		Details    string
		Error      string // netavark's form
	}
}

// says is all that a failure has to say.
func (a answer) says() string { return a.failure.Msg + a.failure.Details + a.failure.Error }

func (a answer) String() string {
	return fmt.Sprintf("exit %d\nstdout: %s\nstderr: %s", a.status, a.stdout, a.stderr)
}

// run starts cmd in the host's namespace and waits for it.
func (m *machine) run(cmd *exec.Cmd) answer {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var err error
	nettest.In(m.t, m.ns, func() { err = cmd.Run() })
	if cmd.ProcessState == nil {
		m.t.Fatal(err)
	}
	a := answer{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if a.status == 1 {
		if err := json.Unmarshal(stdout.Bytes(), &a.failure); err != nil {
			m.t.Errorf("stdout of a failure is not one JSON document: %v\n%s", err, a)
		}
	}
	return a
}

func (m *machine) call(c call) answer {
	m.t.Helper()
	return m.run(m.command(c))
}

// add attaches a container with a new namespace and gives its result, which is
// CNI's alone.
func (m *machine) add(id string) (netns string, result current.Result) {
	m.t.Helper()
	netns = nettest.New(m.t)
	a := m.call(call{verb: "ADD", id: id, netns: netns})
	if a.status != 0 {
		m.t.Fatalf("ADD %s: %s", id, a)
	}
	if m.front == "netavark" {
		return netns, result
	}
	return netns, m.result(a)
}

// address is what an ADD or a setup gave.
func (m *machine) address(a answer) string {
	m.t.Helper()
	var status struct {
		Interfaces map[string]struct{ Subnets []struct{ IPNet string } }
	}
	if m.front != "netavark" {
		return m.result(a).IPs[0].Address.IP.String()
	}
	if err := json.Unmarshal([]byte(a.stdout), &status); err != nil || len(status.Interfaces["eth0"].Subnets) != 1 {
		m.t.Fatalf("not netavark's answer to setup: %v\n%s", err, a)
	}
	ip, _, _ := strings.Cut(status.Interfaces["eth0"].Subnets[0].IPNet, "/")
	return ip
}

func (m *machine) result(a answer) current.Result {
	m.t.Helper()
	var r current.Result
	if err := json.Unmarshal([]byte(a.stdout), &r); err != nil {
		m.t.Fatalf("the result is not one JSON document: %v\n%s", err, a)
	}
	return r
}

func (m *machine) del(id string) {
	m.t.Helper()
	if a := m.call(call{verb: "DEL", id: id}); a.status != 0 || a.stdout != "" {
		m.t.Errorf("DEL %s: %s", id, a)
	}
}

// held gives the addresses of the state file with their containers.
func (m *machine) held() map[string]string {
	m.t.Helper()
	owners, err := m.readHeld()
	if err != nil {
		m.t.Fatal(err)
	}
	return owners
}

// readHeld is held for a state that may be broken.
func (m *machine) readHeld() (map[string]string, error) {
	data, err := os.ReadFile(filepath.Join(m.state, ipam.FileName))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var state struct {
		Allocations map[string]struct {
			ContainerID string `json:"container_id"`
		}
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, fmt.Errorf("the state is not one JSON document: %w\n%s", err, data)
	}
	owners := map[string]string{}
	for ip, a := range state.Allocations {
		owners[ip] = a.ContainerID
	}
	return owners, nil
}

// links gives the names of the host's links that begin so.
func (m *machine) links(prefix string) []string {
	m.t.Helper()
	var names []string
	nettest.In(m.t, m.ns, func() {
		text, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			m.t.Error(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			name, _, ok := strings.Cut(strings.TrimSpace(line), ":")
			if ok && strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
	})
	return names
}

func (m *machine) nothingLeft(what string) {
	m.t.Helper()
	if held, links := m.held(), m.links("fn-"); len(held)+len(links) > 0 {
		m.t.Errorf("%s: left behind: leases %v, links %v", what, held, links)
	}
}
