package podmantest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"flatnet/testdata/podman"
	"flatnet/testdata/podman5"
	"flatnet/testdata/program"
)

// machineServer is the name server that the machine asks in these tests, and
// otherServer one that only a container is told of.
const (
	machineServer = "192.0.2.53"
	otherServer   = "192.0.2.99"
)

// named is a machine whose containers find each other by name.
type named struct {
	*podman.Podman
	t       *testing.T
	watch   *exec.Cmd
	foreign atomic.Int64 // questions that the machine's server got
}

const namedTOML = "[windows]\nenabled = false\n[podman]\nsocket = \"/run/podman-names.sock\"\n"

// withNames gives the machine a name server, and Podman its API.
func withNames(t *testing.T, p *podman.Podman) *named {
	t.Helper()
	n := &named{Podman: p, t: t}
	n.server(machineServer, &n.foreign)
	n.server(otherServer, new(atomic.Int64))
	service := p.Command("system", "service", "--time", "0", "unix:///run/podman-names.sock")
	n.background(service)
	t.Cleanup(func() { os.Remove("/run/podman-names.sock") })
	return n
}

// server knows www.example, which it says is at its own address on loopback.
func (n *named) server(address string, count *atomic.Int64) {
	n.t.Helper()
	lo, err := netlink.LinkByName("lo")
	n.must(err)
	own := net.ParseIP(address)
	n.must(netlink.AddrReplace(lo, &netlink.Addr{IPNet: &net.IPNet{IP: own, Mask: net.CIDRMask(32, 32)}}))
	conn, err := net.ListenPacket("udp4", address+":53")
	n.must(err)
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		count.Add(1)
		r := new(dns.Msg).SetRcode(m, dns.RcodeNameError)
		if m.Question[0].Name == "www.example." && m.Question[0].Qtype == dns.TypeA {
			r.Rcode = dns.RcodeSuccess
			r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: own}}
		}
		w.WriteMsg(r)
	})}
	go s.ActivateAndServe()
	n.t.Cleanup(func() { s.Shutdown() })
}

func (n *named) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *named) background(cmd *exec.Cmd) {
	n.t.Helper()
	n.must(program.Start(cmd))
	n.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

// startWatch runs flatnet-tui watch until it answers names.
func (n *named) startWatch() {
	n.t.Helper()
	n.watch = exec.Command(program.Build(n.t, "flatnet/tui/flatnet-tui"), "--config", n.Config, "watch")
	out, err := os.Create(filepath.Join(n.Dir, "watch"))
	n.must(err)
	n.watch.Stdout, n.watch.Stderr = out, out
	n.background(n.watch)
	n.until("watch answers names", func() bool {
		text, _ := os.ReadFile(out.Name())
		return strings.Contains(string(text), "Names are answered at "+gateway)
	})
}

// killWatch ends it without a word, as the kernel does when memory is short.
func (n *named) killWatch() {
	n.watch.Process.Kill()
	n.watch.Wait()
}

func (n *named) until(what string, done func() bool) {
	n.t.Helper()
	for range 100 {
		if done() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(filepath.Join(n.Dir, "watch"))
	n.t.Fatalf("not so in 10 s: %s\nwatch said:\n%s", what, text)
}

// gets tells whether a container gets a page from a web server by its name.
func (n *named) gets(from, name string) bool {
	body, err := n.Try("exec", from, "wget", "-q", "-O", "-", "http://"+name+"/")
	return err == nil && strings.Contains(body, "Welcome to nginx")
}

// address gives what a container finds at a name, "" for nothing.
func (n *named) address(from, name string) string {
	out, err := n.Try("exec", from, "lookup", name)
	if err != nil {
		return ""
	}
	return out
}

// resolvConf gives what a container is told, without comments.
func (n *named) resolvConf(container string) string {
	return strings.Join(strings.Fields(n.Run("exec", container, "cat", "/etc/resolv.conf")), " ")
}

// asks lets Podman's machine ask machineServer: both trees have a resolv.conf.
func asks(t *testing.T, backend string) {
	t.Helper()
	const conf = "/run/resolv.conf"
	if err := os.WriteFile(conf, []byte("search corp.example\nnameserver "+machineServer+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(conf, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount("/etc/resolv.conf", unix.MNT_DETACH) })
	if backend == "netavark" {
		line := podman5.Enter(t) + " cp --remove-destination " + conf + " /etc/resolv.conf"
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// onBothNamed runs a scenario on a machine of either Podman.
func onBothNamed(t *testing.T, toml string, scenario func(n *named, backend string)) {
	onBoth(t, podman.Options{TOML: namedTOML + toml}, func(t *testing.T, p *podman.Podman) {
		backend := p.Run("info", "--format", "{{.Host.NetworkBackend}}")
		asks(t, backend)
		scenario(withNames(t, p), backend)
	})
}

// Three containers find each other by name, from start to removal; other names
// come from the machine's server. When watch is killed, names of the world are
// still found, by those that know the resolver and by those that do not.
func TestNames(t *testing.T) {
	onBothNamed(t, "", func(n *named, backend string) {
		n.startWatch()
		web(n.Podman, "web1")
		web(n.Podman, "web2", "--network-alias", "shop")
		n.Run("run", "--detach", "--name", "db1", "--network", "flatnet", podman.Postgres)
		if got, want := n.resolvConf("db1"), map[string]string{
			"cni":      "search flatnet corp.example nameserver 10.87.1.1 nameserver 192.0.2.53",
			"netavark": "search flatnet corp.example nameserver 10.87.1.1 nameserver 192.0.2.53",
		}[backend]; got != want {
			n.t.Errorf("db1 is told %q, want %q", got, want)
		}
		for _, to := range []string{"web1", "web2", "web2.flatnet", "SHOP"} {
			n.until("db1 gets a page from "+to, func() bool { return n.gets("db1", to) })
		}
		if !n.gets("web1", "web2") || !n.gets("web2", "web1") {
			n.t.Error("web1 and web2 do not find each other")
		}
		if got := n.foreign.Load(); got != 0 {
			n.t.Errorf("%d questions about containers went to the machine's server", got)
		}
		if got := n.address("db1", "www.example"); got != machineServer {
			n.t.Errorf("www.example is %q", got)
		}
		n.Run("rm", "--force", "--time", "0", "web1")
		if got := n.address("db1", "web1"); got != "" {
			n.t.Errorf("web1 is removed, and found at %s", got)
		}
		web(n.Podman, "web1")
		if got := n.address("db1", "web1"); got != n.IP("web1", "flatnet") {
			n.t.Errorf("web1, made anew, is found at %q", got)
		}

		n.killWatch()
		web(n.Podman, "late")
		if got := n.resolvConf("late"); strings.Contains(got, gateway) {
			n.t.Errorf("nobody answers names, and a container is told %q", got)
		}
		for _, from := range []string{"db1", "late"} {
			if got := n.address(from, "www.example"); got != machineServer {
				n.t.Errorf("without watch, %s finds www.example at %q", from, got)
			}
		}
		n.startWatch()
		if got := n.address("db1", "late"); got != n.IP("late", "flatnet") {
			n.t.Errorf("with watch again, late is found at %q", got)
		}
		n.Run("rm", "--all", "--force", "--time", "0")
		nothingLeft(n.t, n.Podman)
	})
}

// What the user says of name servers counts: with CNI they are the container's
// only ones, with netavark they are asked for all but the containers' names.
func TestNamesAsAskedFor(t *testing.T) {
	onBothNamed(t, "", func(n *named, backend string) {
		n.startWatch()
		web(n.Podman, "web1")
		n.Run("run", "--detach", "--name", "own", "--network", "flatnet", "--dns", otherServer, podman.Postgres)
		if got := n.address("own", "www.example"); got != otherServer {
			n.t.Errorf("with --dns %s, www.example is %q", otherServer, got)
		}
		if got, want := n.resolvConf("own"), "nameserver "+otherServer; backend == "cni" && !strings.HasSuffix(got, want) {
			n.t.Errorf("own is told %q, want %q", got, want)
		}
		if backend == "netavark" && n.address("own", "web1") != n.IP("web1", "flatnet") {
			n.t.Error("with --dns, web1 is not found")
		}
		n.Run("run", "--detach", "--name", "search", "--network", "flatnet", "--dns-search", "x.example", podman.Postgres)
		if got := n.resolvConf("search"); !strings.HasPrefix(got, "search x.example") {
			n.t.Errorf("with --dns-search it is told %q", got)
		}
		if got := n.address("search", "web1"); got != n.IP("web1", "flatnet") {
			n.t.Errorf("with --dns-search, web1 is %q", got)
		}
		n.Run("rm", "--all", "--force", "--time", "0")
	})
}

// With enabled = true a container is told also while nobody answers.
func TestNamesAlwaysTold(t *testing.T) {
	onBothNamed(t, "[dns]\nenabled = true\ndomain = \"c.example\"\n", func(n *named, _ string) {
		web(n.Podman, "early")
		if got := n.resolvConf("early"); !strings.HasPrefix(got, "search c.example corp.example nameserver "+gateway) {
			n.t.Errorf("it is told %q", got)
		}
		if got := n.address("early", "www.example"); got != machineServer {
			n.t.Errorf("www.example is %q", got)
		}
		n.startWatch()
		if got := n.address("early", "early.c.example"); got != n.IP("early", "flatnet") {
			n.t.Errorf("it finds itself at %q", got)
		}
		n.Run("rm", "--all", "--force", "--time", "0")
	})
}

// With enabled = false nothing is answered, and nobody told.
func TestNamesSwitchedOff(t *testing.T) {
	onBothNamed(t, "[dns]\nenabled = false\n", func(n *named, _ string) {
		n.watch = exec.Command(program.Build(n.t, "flatnet/tui/flatnet-tui"), "--config", n.Config, "watch")
		n.background(n.watch)
		web(n.Podman, "web1")
		if got := n.resolvConf("web1"); strings.Contains(got, gateway) {
			n.t.Errorf("it is told %q", got)
		}
		n.Run("rm", "--all", "--force", "--time", "0")
	})
}
