package plugin_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"flatnet/testdata/nettest"
)

// keys is JSON that is being put together.
type keys = map[string]any

// netavarkVerbs are netavark's words for CNI's.
var netavarkVerbs = map[string]string{"ADD": "setup", "DEL": "teardown"}

// netavark calls the plugin as netavark 1.14 does.
func (m *machine) netavark(verb string, stdin any, args ...string) answer {
	m.t.Helper()
	return m.run(m.netavarkCommand(verb, stdin, args...))
}

func (m *machine) netavarkCommand(verb string, stdin any, args ...string) *exec.Cmd {
	m.t.Helper()
	text, raw := stdin.(string)
	if !raw {
		data, err := json.Marshal(stdin)
		if err != nil {
			m.t.Fatal(err)
		}
		text = string(data)
	}
	cmd := exec.Command(m.plugin, append([]string{verb}, args...)...)
	cmd.Stdin = strings.NewReader(text)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "FLATNET_CONFIG=" + m.usual}
	return cmd
}

// network is what Podman sends for "podman network create -d flatnet flatnet";
// more keys come on top.
func (m *machine) network(more keys) keys {
	n := keys{
		"name": "flatnet", "id": "9293", "driver": "flatnet", "created": "2026-11-23T00:00:00Z",
		"ipv6_enabled": false, "internal": false, "dns_enabled": true, "options": keys{"config": m.config},
	}
	for k, v := range more {
		n[k] = v
	}
	return n
}

// created is the network as create answered it.
func (m *machine) created(more keys) keys {
	m.t.Helper()
	a := m.netavark("create", m.network(more))
	if a.status != 0 {
		m.t.Fatal(a)
	}
	var n keys
	if err := json.Unmarshal([]byte(a.stdout), &n); err != nil {
		m.t.Fatal(err)
	}
	return n
}

// attachment is what Podman sends at a start; more options come on top.
func attachment(network keys, id string, options keys) keys {
	all := keys{"aliases": []string{id}, "interface_name": "eth0", "static_ips": nil, "static_mac": nil, "options": nil}
	for k, v := range options {
		all[k] = v
	}
	return keys{
		"container_id": id, "container_name": "name-" + id, "port_mappings": nil,
		"network": network, "network_options": all,
	}
}

// failureOf reads netavark's error form.
func failureOf(t *testing.T, a answer) string {
	t.Helper()
	var e struct{ Error string }
	if err := json.Unmarshal([]byte(a.stdout), &e); err != nil || e.Error == "" || a.status != 1 {
		t.Errorf("not an error as netavark has it: %v\n%s", err, a)
	}
	return e.Error
}

func TestNetavarkInfo(t *testing.T) {
	a := newMachine(t, "").netavark("info", "")
	if want := `{"version":"unknown","api_version":"1.0.0"}` + "\n"; a.status != 0 || a.stdout != want {
		t.Errorf("%s\nwant %s", a, want)
	}
}

func TestNetavarkCreate(t *testing.T) {
	m := newMachine(t, "")
	for name, test := range map[string]struct {
		ask    keys
		bridge string
		subnet keys
	}{
		"as configured": {nil, "flatnet-br0", keys{"subnet": "10.87.1.0/24", "gateway": "10.87.1.1"}},
		"said again": {
			keys{"subnets": []keys{{"subnet": "10.87.1.0/24"}}, "network_interface": "flatnet-br0"},
			"flatnet-br0",
			keys{"subnet": "10.87.1.0/24", "gateway": "10.87.1.1"},
		},
		"another": {
			keys{
				"name": "second", "network_interface": "flatnet-br1",
				"subnets": []keys{{"subnet": "10.88.0.0/24", "lease_range": keys{"start_ip": "10.88.0.10", "end_ip": "10.88.0.20"}}},
			},
			"flatnet-br1",
			keys{
				"subnet": "10.88.0.0/24", "gateway": "10.88.0.1",
				"lease_range": map[string]any{"start_ip": "10.88.0.10", "end_ip": "10.88.0.20"},
			},
		},
	} {
		want := m.network(test.ask)
		want["network_interface"], want["ipam_options"] = test.bridge, keys{"driver": "none"}
		want["subnets"] = []keys{test.subnet}
		got, wanted := toJSON(t, m.created(test.ask)), toJSON(t, want)
		if got != wanted {
			t.Errorf("%s:\n got %s\nwant %s", name, got, wanted)
		}
	}
	if held := m.held(); held != nil {
		t.Errorf("create made a state: %v", held)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNetavarkRefused: what cannot be is refused with what would be right.
func TestNetavarkRefused(t *testing.T) {
	m := newMachine(t, "")
	for name, test := range map[string]struct {
		ask  keys
		want string
	}{
		"another subnet": {keys{"subnets": []keys{{"subnet": "10.9.0.0/24"}}}, "10.87.1.0/24 in the configuration"},
		"another gateway": {
			keys{"subnets": []keys{{"subnet": "10.87.1.0/24", "gateway": "10.87.1.254", "lease_range": keys{"end_ip": "10.87.1.99"}}}},
			"10.87.1.1 in the configuration",
		},
		"another bridge":       {keys{"network_interface": "br9"}, "flatnet-br0 in the configuration"},
		"two subnets":          {keys{"subnets": []keys{{"subnet": "10.87.1.0/24"}, {"subnet": "10.87.2.0/24"}}}, "several subnets"},
		"IPv6":                 {keys{"ipv6_enabled": true}, "IPv6"},
		"internal":             {keys{"internal": true}, "--internal"},
		"host-local":           {keys{"ipam_options": keys{"driver": "host-local"}}, "host-local"},
		"routes":               {keys{"routes": []keys{{"destination": "10.0.0.0/8"}}}, "--route"},
		"name servers":         {keys{"network_dns_servers": []string{"192.0.2.1"}}, "--dns"},
		"unknown option":       {keys{"options": keys{"config": m.config, "vlan": "7"}}, `"vlan"`},
		"MTU of letters":       {keys{"options": keys{"config": m.config, "mtu": "big"}}, "network flatnet: mtu"},
		"MTU too small":        {keys{"options": keys{"config": m.config, "mtu": "5"}}, "576"},
		"no configuration":     {keys{"options": keys{"config": "/nowhere.toml"}}, "/nowhere.toml"},
		"other without subnet": {keys{"name": "second"}, "(for example: sudo podman network create --driver flatnet --subnet 10.88.1.0/24 --interface-name second-br0 --opt config=" + m.config + " second)"},
		"other without bridge": {keys{"name": "second", "subnets": []keys{{"subnet": "10.88.0.0/24"}}}, "--subnet 10.88.0.0/24 --interface-name second-br0"},
		"other on our bridge":  {keys{"name": "x", "network_interface": "flatnet-br0", "subnets": []keys{{"subnet": "10.88.0.0/24"}}}, "flatnet-br0 is that of"},
		"other on our subnet":  {keys{"name": "x", "network_interface": "br1", "subnets": []keys{{"subnet": "10.87.1.0/25"}}}, "overlaps 10.87.1.0/24"},
		"no network":           {keys{"name": "x", "network_interface": "br1", "subnets": []keys{{"subnet": "10.88.0.0"}}}, "network x: subnet"},
	} {
		a := m.netavark("create", m.network(test.ask))
		if got := failureOf(t, a); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want something about %q", name, got, test.want)
		}
	}
}

func TestNetavarkBadInput(t *testing.T) {
	m := newMachine(t, "")
	network := m.created(nil)
	netns := nettest.New(t)
	m.add("holder") // of 10.87.1.2 and 0a:f1:0a:57:01:02
	good := func(options keys) keys { return attachment(network, "c1", options) }
	with := func(key string, v any) keys { a := good(nil); a[key] = v; return a }
	podmans := m.network(keys{"subnets": []keys{{"subnet": "10.87.1.0/24"}}})
	for name, test := range map[string]struct {
		verb, want string
		stdin      any
		netns      string
	}{
		"unknown verb":          {"update", `"update"`, "", netns},
		"broken JSON":           {"setup", "cannot read", "{", netns},
		"nothing":               {"setup", "cannot read", "", netns},
		"too much":              {"create", "more than", strings.Repeat(" ", 1<<20+1), ""},
		"a list":                {"create", "cannot read", "[]", ""},
		"null":                  {"setup", "network rm", "null", netns},
		"no namespace":          {"setup", "no network namespace", good(nil), "/run/netns/gone"},
		"no path":               {"setup", "no path", good(nil), ""},
		"no container":          {"setup", "container id", with("container_id", ""), netns},
		"container of bytes":    {"setup", "container id", with("container_id", "../x"), netns},
		"address taken":         {"setup", "taken", good(keys{"static_ips": []string{"10.87.1.2"}}), netns},
		"address of gateway":    {"setup", "gateway", good(keys{"static_ips": []string{"10.87.1.1"}}), netns},
		"address outside":       {"setup", "outside", good(keys{"static_ips": []string{"10.9.9.9"}}), netns},
		"no address":            {"setup", `"x"`, good(keys{"static_ips": []string{"x"}}), netns},
		"two addresses":         {"setup", "one address", good(keys{"static_ips": []string{"10.87.1.7", "10.87.1.8"}}), netns},
		"MAC address taken":     {"setup", "taken by holder", good(keys{"static_mac": "0a:f1:0a:57:01:02"}), netns},
		"no MAC address":        {"setup", `"zz"`, good(keys{"static_mac": "zz"}), netns},
		"no interface":          {"setup", "interface name", good(keys{"interface_name": "a/b"}), netns},
		"option of a container": {"setup", `"bclim"`, good(keys{"options": keys{"bclim": "1"}}), netns},
		"Podman's addresses":    {"setup", "podman network create --driver flatnet --opt config=" + m.config + " flatnet)", attachment(podmans, "c1", nil), netns},
		"another's, Podman's":   {"setup", "--subnet 10.88.0.0/24 --interface-name br1", attachment(m.network(keys{"name": "x", "network_interface": "br1", "subnets": []keys{{"subnet": "10.88.0.0/24"}}}), "c1", nil), netns},
		"SCTP":                  {"setup", "tcp or udp", with("port_mappings", []keys{{"host_port": 80, "container_port": 80, "protocol": "sctp"}}), netns},
		"IPv6 port":             {"setup", "IPv4", with("port_mappings", []keys{{"host_ip": "::1", "host_port": 80, "container_port": 80, "protocol": "tcp"}}), netns},
		"range past the end":    {"setup", "65535", with("port_mappings", []keys{{"host_port": 65535, "container_port": 80, "protocol": "tcp", "range": 2}}), netns},
		"port of letters":       {"setup", "cannot read", with("port_mappings", []keys{{"host_port": "x"}}), netns},
		"teardown of nobody":    {"teardown", "container id", with("container_id", ""), netns},
	} {
		var args []string
		if test.netns != "" {
			args = []string{test.netns}
		}
		a := m.netavark(test.verb, test.stdin, args...)
		if got := failureOf(t, a); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want something about %q", name, got, test.want)
		}
	}
	m.del("holder")
	m.nothingLeft("after failures")
}

func TestNetavarkSetup(t *testing.T) {
	m := newMachine(t, "")
	network := m.created(nil)
	netns := nettest.New(t)
	a := m.netavark("setup", attachment(network, "c1", nil), netns)
	want := `{"interfaces":{"eth0":{"mac_address":"0a:f1:0a:57:01:02","subnets":[{"ipnet":"10.87.1.2/24","gateway":"10.87.1.1"}]}}}` + "\n"
	if a.stdout != want {
		t.Errorf("%s\nwant %s", a, want)
	}
	asked := attachment(network, "c2", keys{"static_ips": []string{"10.87.1.77"}, "static_mac": "02:00:00:00:00:77"})
	a = m.netavark("setup", asked, nettest.New(t))
	if !strings.Contains(a.stdout, `"02:00:00:00:00:77"`) || !strings.Contains(a.stdout, `"10.87.1.77/24"`) {
		t.Errorf("asked for an address of each kind: %s", a)
	}
	if held := m.held(); held["10.87.1.2"] != "c1" || held["10.87.1.77"] != "c2" {
		t.Errorf("leases %v", held)
	}
	// By now the configuration is another one: it does not matter for a way out.
	m.configure("[network]\nsubnet = \"10.90.0.0/24\"\n")
	nettest.Delete(netns)
	for _, c := range []keys{attachment(network, "c1", nil), asked, asked} {
		if a := m.netavark("teardown", c, netns); a.status != 0 || a.stdout != "" {
			t.Error(a)
		}
	}
	m.nothingLeft("after teardown")
	if got := failureOf(t, m.netavark("setup", attachment(network, "c3", nil), nettest.New(t))); !strings.Contains(got, "podman network rm flatnet") {
		t.Errorf("a network that the configuration left behind: %s", got)
	}
}

// TestNetavarkPorts publishes a port, and takes it back: at the end, after a
// crash, and when the container comes again without.
func TestNetavarkPorts(t *testing.T) {
	m := newMachine(t, "")
	network := m.created(nil)
	netns := nettest.New(t)
	web := attachment(network, "web", nil)
	web["port_mappings"] = []keys{
		{"host_ip": "", "host_port": 8080, "container_port": 80, "protocol": "tcp,udp", "range": 1},
		{"host_ip": "0.0.0.0", "host_port": 9000, "container_port": 90, "protocol": "tcp", "range": 3},
	}
	start := func(c keys) {
		t.Helper()
		if a := m.netavark("setup", c, netns); a.status != 0 {
			t.Fatal(a)
		}
	}
	none := m.rules("nat", "FLATNET-PORTS")
	start(web)
	listen(t, netns, "10.87.1.2:80")
	listen(t, netns, "10.87.1.2:92")
	for _, address := range []string{"127.0.0.1:8080", "10.87.1.1:9002"} {
		if got := askWho(t, m.ns, address); got != "10.87.1.1" {
			t.Errorf("%s: seen as %q", address, got)
		}
	}
	if a := m.netavark("teardown", web, netns); a.status != 0 {
		t.Error(a)
	}
	if got := m.rules("nat", "FLATNET-PORTS"); got != none {
		t.Errorf("after teardown:\n%s", got)
	}
	// The machine's way of losing a container: no teardown.
	netns = nettest.New(t)
	start(web)
	nettest.Delete(netns)
	netns = nettest.New(t)
	start(attachment(network, "web", nil))
	if got := m.rules("nat", "FLATNET-PORTS"); got != none {
		t.Errorf("after a crash and a start without ports:\n%s", got)
	}
	m.del("web")
	// A lost state: the ports are told from the rules.
	netns = nettest.New(t)
	start(web)
	if err := os.RemoveAll(m.state); err != nil {
		t.Fatal(err)
	}
	m.add("other") // writes it anew
	m.del("other")
	if a := m.netavark("teardown", web, netns); a.status != 0 {
		t.Error(a)
	}
	if got := m.rules("nat", "FLATNET-PORTS"); got != none {
		t.Errorf("after a lost state:\n%s", got)
	}
	netns = nettest.New(t)
	start(web)
	if a := m.call(call{verb: "GC", version: "1.1.0", keys: keys{"cni.dev/valid-attachments": []any{}}}); a.status != 0 {
		t.Error(a)
	}
	if got := m.rules("nat", "FLATNET-PORTS"); got != none {
		t.Errorf("after GC:\n%s", got)
	}
	m.nothingLeft("after GC")
}

// rules gives the lines of a table that name the chain.
func (m *machine) rules(table, chain string) string {
	m.t.Helper()
	var out []byte
	var err error
	nettest.In(m.t, m.ns, func() { out, err = exec.Command("/usr/sbin/iptables", "-t", table, "-S").Output() })
	if err != nil {
		m.t.Fatal(err)
	}
	var found strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, chain) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// TestBothFronts has one container each from CNI and netavark on one network:
// they share leases, names and log.
func TestBothFronts(t *testing.T) {
	m := newMachine(t, "")
	network := m.created(nil)
	m.add("old")
	if a := m.netavark("setup", attachment(network, "new", nil), nettest.New(t)); !strings.Contains(a.stdout, "10.87.1.3/24") {
		t.Fatal(a)
	}
	m.del("new") // whoever attached it
	if a := m.netavark("teardown", attachment(network, "old", nil), "/gone"); a.status != 0 {
		t.Error(a)
	}
	m.nothingLeft("after both")
	log, err := os.ReadFile(m.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"create", "ADD", "setup", "DEL", "teardown"} {
		if !strings.Contains(string(log), `"msg":"`+line+`"`) {
			t.Errorf("the log lacks %s:\n%s", line, log)
		}
	}
}
