package plugin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flatnet/core/ipam"
	"flatnet/testdata/nettest"
)

func TestStartedByHand(t *testing.T) {
	m := newMachine(t, "")
	cmd := exec.Command(m.plugin)
	cmd.Env = []string{}
	a := m.run(cmd)
	if a.status != 2 || a.stdout != "" || !strings.Contains(a.stderr, "podman run --network flatnet") {
		t.Error(a)
	}
}

func TestVersion(t *testing.T) {
	m := newMachine(t, "")
	a := m.call(call{verb: "VERSION", netns: "dummy", ifName: "dummy", stdin: `{"cniVersion":"1.0.0"}`})
	var v struct{ SupportedVersions []string }
	if err := json.Unmarshal([]byte(a.stdout), &v); err != nil || a.status != 0 {
		t.Fatalf("%v: %s", err, a)
	}
	if got := fmt.Sprint(v.SupportedVersions); got != "[0.4.0 1.0.0 1.1.0]" {
		t.Errorf("versions %s", got)
	}
	if _, err := os.Stat(m.log); err == nil {
		t.Error("VERSION wrote into the log; Podman calls it several times for each container")
	}
}

func TestResultOfEachVersion(t *testing.T) {
	m := newMachine(t, "")
	for i, version := range []string{"0.4.0", "1.0.0", "1.1.0"} {
		netns, id := nettest.New(t), fmt.Sprintf("container%d", i)
		a := m.call(call{verb: "ADD", id: id, netns: netns, version: version, keys: map[string]any{
			"dns": map[string]any{"nameservers": []string{"192.0.2.53"}},
		}})
		var got struct {
			CNIVersion string
			IPs        []struct{ Version, Address, Gateway string }
			Routes     []struct{ Dst, GW string }
			DNS        struct{ Nameservers []string }
			Interfaces []struct{ Name, Sandbox string }
		}
		if err := json.Unmarshal([]byte(a.stdout), &got); err != nil || a.status != 0 {
			t.Fatalf("%s: %v: %s", version, err, a)
		}
		if want := fmt.Sprintf("10.87.1.%d/24", i+2); got.CNIVersion != version || len(got.IPs) != 1 || got.IPs[0].Address != want || got.IPs[0].Gateway != "10.87.1.1" {
			t.Errorf("%s: %+v", version, got)
		}
		if (got.IPs[0].Version == "4") != (version == "0.4.0") {
			t.Errorf("%s: ips[].version is %q", version, got.IPs[0].Version)
		}
		if len(got.Routes) != 1 || got.Routes[0].Dst != "0.0.0.0/0" || len(got.DNS.Nameservers) != 1 || len(got.Interfaces) != 3 || got.Interfaces[2].Sandbox != netns {
			t.Errorf("%s: %+v", version, got)
		}
		var prev map[string]any
		if err := json.Unmarshal([]byte(a.stdout), &prev); err != nil {
			t.Fatal(err)
		}
		if a := m.call(call{verb: "CHECK", id: id, netns: netns, version: version, keys: map[string]any{"prevResult": prev}}); a.status != 0 || a.stdout != "" {
			t.Errorf("CHECK %s: %s", version, a)
		}
	}
}

// TestErrors has one row for each thing that can be wrong, with the code that
// the manual promises.
func TestErrors(t *testing.T) {
	tests := []struct {
		name    string
		toml    string
		call    call
		code    uint
		msg     string // what it is about
		hint    string // what to do, where another one would mislead
		prepare func(t *testing.T, m *machine)
	}{
		{name: "no JSON", call: call{stdin: " "}, code: 6},
		{name: "broken JSON", call: call{stdin: "{"}, code: 6},
		{name: "no network name", call: call{stdin: `{"cniVersion":"1.0.0"}`}, code: 7, msg: "name"},
		{name: "an unknown version", call: call{version: "9.9.9"}, code: 1},
		{name: "an old version", call: call{version: "0.3.1"}, code: 1},
		{name: "no container id", call: call{id: "-"}, code: 4, msg: "CNI_CONTAINERID"},
		{name: "an unknown verb", call: call{verb: "GO"}, code: 4, msg: "GO"},
		{name: "STATUS before 1.1.0", call: call{verb: "STATUS"}, code: 1},
		{name: "no namespace", call: call{netns: "/run/netns/none"}, code: 3, msg: "/run/netns/none"},
		{name: "a file that is no namespace", call: call{netns: "/etc/passwd"}, code: 3, msg: "/etc/passwd"},
		{name: "a broken configuration", toml: "[network]\nsubnet = 7", code: 7, msg: "flatnet.toml:2"},
		{name: "an unknown key in the file", toml: "[network]\nsubnett = \"10.87.1.0/24\"", code: 7, msg: "subnett"},
		{name: "an unknown key in the list", call: call{keys: map[string]any{"subnett": "10.87.1.0/24"}}, code: 7, msg: "subnett"},
		{name: "a configuration that is not there", call: call{keys: map[string]any{"config": "/none.toml"}}, code: 7, msg: "/none.toml"},
		{name: "null in prevResult", call: call{verb: "CHECK", keys: map[string]any{"prevResult": map[string]any{"cniVersion": "1.0.0", "interfaces": []any{nil}}}}, code: 6, msg: "prevResult"},
		{name: "an address that is none", call: call{args: "IP=10.87"}, code: 4, msg: "10.87"},
		{name: "an IPv6 address", call: call{args: "IP=fd00::2"}, code: 4, msg: "fd00::2"},
		{name: "two addresses", call: call{args: "IP=10.87.1.9", keys: map[string]any{"runtimeConfig": map[string]any{"ips": []string{"10.87.1.8/24"}}}}, code: 4, msg: "10.87.1.8"},
		{name: "a MAC address that is none", call: call{args: "MAC=xx"}, code: 4, msg: "xx"},
		{name: "a MAC address of many", call: call{args: "MAC=01:00:5e:00:00:01"}, code: 4, msg: "01:00:5e:00:00:01", hint: "podman run"},
		{name: "a path as container id", call: call{id: "../x"}, code: 4, msg: "../x", hint: "CNI_CONTAINERID"},
		{name: "a long interface name", call: call{ifName: "abcdefghijklmnop"}, code: 4, msg: "too long", hint: "CNI_IFNAME"},
		{name: "broken CNI_ARGS", call: call{args: "IP"}, code: 4, msg: "CNI_ARGS"},
		{name: "the gateway's address", call: call{args: "IP=10.87.1.1"}, code: 103, msg: "10.87.1.1"},
		{name: "an address outside", call: call{args: "IP=10.9.9.9"}, code: 102, msg: "10.9.9.9"},
		{name: "the broadcast address", call: call{args: "IP=10.87.1.255"}, code: 102, msg: "10.87.1.255"},
		{name: "another's reserved address", toml: "[[ipam.reservation]]\nname = \"x\"\nip = \"10.87.1.50\"", call: call{args: "IP=10.87.1.50"}, code: 101, msg: "10.87.1.50"},
		{name: "a bridge name that is taken", toml: "[network]\nbridge = \"lo\"", code: 104, msg: "lo"},
		{name: "the state directory is a file", prepare: func(t *testing.T, m *machine) {
			if err := os.WriteFile(m.state, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, code: 111, msg: "ipam"},
		{name: "the state directory is read-only", prepare: func(t *testing.T, m *machine) { mountState(t, m, unix.MS_RDONLY, "") }, code: 111, msg: "read-only"},
		{name: "the disk is full", prepare: func(t *testing.T, m *machine) {
			mountState(t, m, 0, "size=8k")
			fill(t, filepath.Join(m.state, "filler"))
		}, code: 112, msg: "full"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, strings.Replace(test.toml, "[[ipam.res", fmt.Sprintf("[ipam]\nstate_dir = %q\n[[ipam.res", "/run/x"+filepath.Base(t.TempDir())), 1))
			if test.prepare != nil {
				test.prepare(t, m)
			}
			c := test.call
			if c.verb == "" {
				c.verb = "ADD"
			}
			if c.id == "" {
				c.id = "0123456789abcdef"
			}
			if c.id == "-" {
				c.id = ""
			}
			if c.netns == "" {
				c.netns = nettest.New(t)
			}
			a := m.call(c)
			if a.status != 1 || a.failure.Code != test.code || !strings.Contains(a.failure.Msg, test.msg) {
				t.Errorf("want code %d and something about %q: %s", test.code, test.msg, a)
			}
			if a.failure.CNIVersion == "" || strings.ContainsAny(a.failure.Msg, "\n") {
				t.Errorf("not in the form of a CNI error: %s", a)
			}
			if a.failure.Details == "" || !strings.Contains(a.failure.Details, test.hint) {
				t.Errorf("no hint about %q: %s", test.hint, a)
			}
			if links := m.links("fn-"); len(links) > 0 {
				t.Errorf("links are left: %v", links)
			}
			if links := m.links("flatnet"); len(links) > 0 {
				t.Errorf("the bridge is left: %v", links)
			}
		})
	}
}

// TestAddressInQuarantine is refused like one that is held.
func TestAddressInQuarantine(t *testing.T) {
	m := newMachine(t, "")
	m.configure(fmt.Sprintf("[ipam]\nstate_dir = %q\nquarantine = \"1h\"", m.state))
	m.add("before")
	m.del("before")
	a := m.call(call{verb: "ADD", id: "after", netns: nettest.New(t), args: "IP=10.87.1.2"})
	if a.failure.Code != 101 || !strings.Contains(a.failure.Msg, "quarantine") || a.failure.Details == "" {
		t.Errorf("want code 101 and why: %s", a)
	}
}

// TestWithoutRights: the plugin says that it is rights that it lacks, whichever
// step meets that first.
func TestWithoutRights(t *testing.T) {
	for _, without := range []string{"-net_admin", "-net_admin,-sys_admin"} {
		m := newMachine(t, "")
		cmd := m.command(call{verb: "ADD", id: "0123456789abcdef", netns: nettest.New(t)})
		cmd.Path = "/usr/bin/setpriv"
		cmd.Args = []string{"setpriv", "--bounding-set", without, "--inh-caps", without, m.plugin}
		if a := m.run(cmd); a.failure.Code != 109 || !strings.Contains(a.failure.Details, "root") {
			t.Errorf("%s: %s", without, a)
		}
		m.nothingLeft(without)
	}
}

// TestAnswerThatCannotBeWritten: what nobody was told of is taken back.
func TestAnswerThatCannotBeWritten(t *testing.T) {
	m := newMachine(t, "")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := m.command(call{verb: "ADD", id: "0123456789abcdef", netns: nettest.New(t)})
	cmd.Stdout = full
	nettest.In(t, m.ns, func() { err = cmd.Run() })
	if err == nil {
		t.Error("ADD ended well")
	}
	m.nothingLeft("after the ADD")
	if text, _ := os.ReadFile(m.log); !strings.Contains(string(text), "write the answer") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestStatusOfTheDisk: a full or read-only disk is not ready, and is left as it
// was.
func TestStatusOfTheDisk(t *testing.T) {
	status := call{verb: "STATUS", version: "1.1.0"}
	for _, test := range []struct {
		name, says string
		flags      uintptr
	}{{"full", "the disk is full", 0}, {"read-only", "read-only", unix.MS_RDONLY}} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, "")
			mountState(t, m, 0, "size=64k")
			m.add("stands")
			if a := m.call(status); a.status != 0 {
				t.Errorf("with room: %s", a)
			}
			fill(t, filepath.Join(m.state, "filler"))
			if test.flags != 0 {
				if err := unix.Mount("", m.state, "", unix.MS_REMOUNT|test.flags, ""); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := os.ReadDir(m.state)
			if a := m.call(status); a.failure.Code != 50 || !strings.Contains(a.failure.Msg, test.says) || a.failure.Details == "" {
				t.Errorf("STATUS: %s", a)
			}
			if after, _ := os.ReadDir(m.state); len(after) != len(before) {
				t.Errorf("before %v, after %v", before, after)
			}
		})
	}
}

// mountState makes the state directory a file system of its own.
func mountState(t *testing.T, m *machine, flags uintptr, options string) {
	t.Helper()
	if err := os.MkdirAll(m.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", m.state, "tmpfs", flags, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(m.state, unix.MNT_DETACH) })
}

func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 512)); err != nil {
			return
		}
	}
}

// TestErrorIsLogged: the same text, with the container, in the log.
func TestErrorIsLogged(t *testing.T) {
	m := newMachine(t, "")
	a := m.call(call{verb: "ADD", id: "0123456789abcdef", netns: "/run/netns/none", args: "IgnoreUnknown=1;K8S_POD_NAME=web"})
	m.add("good")
	text, err := os.ReadFile(m.log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var line struct {
		Container, Name, Msg, Error, Hint, Result string
		Code                                      uint
	}
	if len(lines) != 2 {
		t.Fatalf("the log has %d lines, want one a call:\n%s", len(lines), text)
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Container != "0123456789abcdef" || line.Name != "web" || line.Msg != "ADD" || line.Code != 3 || line.Error != a.failure.Msg || line.Hint != a.failure.Details {
		t.Errorf("the log says %+v, stdout %+v", line, a.failure)
	}
	if err := json.Unmarshal([]byte(lines[1]), &line); err != nil || line.Result != "10.87.1.2" {
		t.Errorf("the line of the good call: %v, %+v", err, line)
	}
}

// TestCNI11 is STATUS and GC as libcni calls them.
func TestCNI11(t *testing.T) {
	m := newMachine(t, "[network]\nrange_end = \"10.87.1.3\"")
	m.add("keep")
	m.add("drop")
	a := m.call(call{verb: "STATUS", version: "1.1.0"})
	if a.failure.Code != 50 || !strings.Contains(a.failure.Msg, "no free address") {
		t.Errorf("STATUS of a full pool: %s", a)
	}
	a = m.call(call{verb: "GC", version: "1.1.0", keys: map[string]any{
		"cni.dev/valid-attachments": []any{map[string]any{"containerID": "keep", "ifname": "eth0"}},
	}})
	if held := m.held(); a.status != 0 || len(held) != 1 || held["10.87.1.2"] != "keep" {
		t.Errorf("leases after GC: %v; %s", held, a)
	}
	if links := m.links("fn-"); len(links) != 1 || links[0] != "fn-keep" {
		t.Errorf("links after GC: %v", links)
	}
	if a := m.call(call{verb: "STATUS", version: "1.1.0"}); a.status != 0 {
		t.Errorf("STATUS after GC: %s", a)
	}
}

// TestAskedByCapability is the other way in which runtimes ask for addresses.
func TestAskedByCapability(t *testing.T) {
	m := newMachine(t, "")
	a := m.call(call{verb: "ADD", id: "asked", netns: nettest.New(t), keys: map[string]any{
		"capabilities":  map[string]bool{"ips": true, "mac": true},
		"runtimeConfig": map[string]any{"ips": []string{"10.87.1.99/24"}, "mac": "02:00:00:00:00:99"},
	}})
	r := m.result(a)
	if r.IPs[0].Address.IP.String() != "10.87.1.99" || r.Interfaces[2].Mac != "02:00:00:00:00:99" {
		t.Error(a)
	}
}

// TestOldState has the form of earlier stages.
func TestOldState(t *testing.T) {
	m := newMachine(t, "")
	if err := os.MkdirAll(m.state, 0o700); err != nil {
		t.Fatal(err)
	}
	old := `{"subnet":"10.87.1.0/24","gateway":"10.87.1.1","range_start":"10.87.1.2","range_end":"10.87.1.254","allocations":{"oldcontainer":"10.87.1.2"}}`
	if err := os.WriteFile(filepath.Join(m.state, ipam.FileName), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	m.add("new")
	held := m.held()
	if held["10.87.1.2"] != "oldcontainer" || held["10.87.1.3"] != "new" {
		t.Errorf("leases: %v", held)
	}
	a := m.call(call{verb: "GC", version: "1.1.0", keys: map[string]any{
		"cni.dev/valid-attachments": []any{map[string]any{"containerID": "oldcontainer", "ifname": "eth0"}},
	}})
	if held := m.held(); a.status != 0 || len(held) != 1 || held["10.87.1.2"] != "oldcontainer" {
		t.Errorf("leases after GC: %v; %s", held, a)
	}
	m.del("oldcontainer")
	m.nothingLeft("after DEL")
}
