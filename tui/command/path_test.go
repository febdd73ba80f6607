package command_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"flatnet/core/health"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
	"flatnet/testdata/windows/standin"
)

// follow gives the path to a site as path --json prints it.
func (r *rig) follow(host string) (health.Path, int) {
	r.t.Helper()
	status, out := r.run("path", host, "--json")
	var p health.Path
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		r.t.Fatalf("path --json: %v\n%s", err, out)
	}
	return p, status
}

func hopsOf(p health.Path) string {
	var b strings.Builder
	for _, h := range p.Hops {
		fmt.Fprintf(&b, "  %s: %s: %s\n", h.Name, h.State, h.Detail)
	}
	return b.String()
}

func TestPathGood(t *testing.T) {
	r := newRig(t)
	p, status := r.follow("web.local")
	if status != 0 || p.Broken != -1 || p.Upstream != "10.87.1.2:3000" {
		t.Errorf("exit status %d\n%s", status, hopsOf(p))
	}
	var names []string
	for _, h := range p.Hops {
		names = append(names, h.Name.String())
		if h.State != health.LinkGood && h.Name != "name" { // nobody answers for names in here
			t.Errorf("%s is %s: %s", h.Name, h.State, h.Detail)
		}
	}
	want := "name, gateway answers, site known, Windows route, WSL address, ip_forward, FORWARD, bridge, veth, namespace, " +
		"port open, HTTP status, from Windows, through the gateway"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("the hops are %s", got)
	}
}

// TestPathNamesTheFirstBrokenLink breaks each link for real.
func TestPathNamesTheFirstBrokenLink(t *testing.T) {
	for hop, broken := range map[string]func(*rig){
		"gateway answers": func(r *rig) { r.nginx.Stop() },
		"site known":      func(r *rig) { r.stop(r.web) },
		"Windows route":   func(r *rig) { r.say(func(s *standin.State) { *s = standin.AfterRestart() }) },
		"ip_forward":      func(r *rig) { r.write("/proc/sys/net/ipv4/ip_forward", "0") },
		"FORWARD":         func(r *rig) { r.exec("iptables -P FORWARD DROP"); r.exec("iptables -F FORWARD") },
		"bridge":          func(r *rig) { r.exec("ip link set flatnet-br0 down") },
		"veth":            func(r *rig) { r.must(netlink.LinkSetNoMaster(r.veth(r.web))) },
		"namespace":       func(r *rig) { r.inside(r.web, "ip address flush dev eth0") },
		"port open":       func(r *rig) { r.web.listener.Close() },
		"HTTP status": func(r *rig) {
			r.web.serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		},
		"from Windows":        func(r *rig) { r.say(func(s *standin.State) { s.Dead = []string{"10.87.1.2"} }) },
		"through the gateway": func(r *rig) { r.replace(r.live(), "server_name web.local", "server_name other.local") },
	} {
		t.Run(hop, func(t *testing.T) {
			r := newRig(t)
			broken(r)
			if hop == "through the gateway" {
				r.exec("/usr/sbin/nginx -c " + r.nginx.Dir + "/nginx.conf -s reload")
				r.until(func() bool { return r.answers("web.local") == http.StatusNotFound })
			}
			p, status := r.follow("web.local")
			if status != 1 || p.Broken < 0 || p.Hops[p.Broken].Name.String() != hop {
				t.Fatalf("exit status %d, broken %d\n%s", status, p.Broken, hopsOf(p))
			}
			if h := p.Hops[p.Broken]; h.Remedy == "" || h.Detail == "" {
				t.Errorf("%+v says too little", h)
			}
			if hop != "port open" {
				return
			}
			_, out := r.run("path", "web.local")
			if !strings.Contains(out, "First broken link: "+hop) || !strings.Contains(out, "Mend it: ") {
				t.Errorf("as text:\n%s", out)
			}
		})
	}
}

// A link that cannot be looked at, or that is judged elsewhere, is unknown and
// is not called broken: the name is for visitors to resolve, Windows may hang.
func TestPathKnowsWhatItDoesNotKnow(t *testing.T) {
	for hop, hidden := range map[string]func(*rig){
		"name": func(*rig) {}, // no DNS server is in the rig's namespace
		"WSL address": func(r *rig) {
			r.windows.Options.Kernel = kernel.NewFake() // a WSL without a default route
		},
		"Windows route": func(r *rig) {
			r.say(func(s *standin.State) { s.Faults = map[string]standin.Fault{"route.exe": {Kind: standin.Broken}} })
		},
		"from Windows": func(r *rig) {
			r.say(func(s *standin.State) { s.Faults = map[string]standin.Fault{"curl.exe": {Kind: standin.Broken}} })
		},
	} {
		t.Run(hop, func(t *testing.T) {
			r := newRig(t)
			hidden(r)
			p, status := r.follow("web.local")
			i := slices.IndexFunc(p.Hops, func(h health.Hop) bool { return h.Name.String() == hop })
			if i < 0 || p.Hops[i].State != health.LinkUnknown || p.Hops[i].Detail == "" || p.Hops[i].Remedy == "" {
				t.Errorf("%s is not unknown, with why and what to do\n%s", hop, hopsOf(p))
			}
			if status != 0 || p.Broken != -1 {
				t.Errorf("exit status %d, broken %d\n%s", status, p.Broken, hopsOf(p))
			}
		})
	}
}

// A name that resolves here is good, and its address is told.
func TestPathResolvesTheName(t *testing.T) {
	r := newRig(t)
	hosts := filepath.Join(r.dir, "hosts")
	r.write(hosts, "192.168.10.23 web.local\n")
	r.must(unix.Mount(hosts, "/etc/hosts", "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount("/etc/hosts", unix.MNT_DETACH) })
	r.until(func() bool { // Go looks at the file anew every few seconds
		p, _ := r.follow("web.local")
		return p.Hops[0].State == health.LinkGood && strings.Contains(p.Hops[0].Detail.String(), "192.168.10.23")
	})
}

// A site that redirects has no server to follow.
func TestPathToASiteThatRedirects(t *testing.T) {
	r := newRig(t)
	r.edit("[[gateway.site]]", "[[gateway.site]]\nhost = \"old.local\"\nredirect = \"http://web.local/\"\n\n[[gateway.site]]")
	if status, out := r.run("gateway", "apply", "--yes"); status != 0 {
		t.Fatal(out)
	}
	if p, status := r.follow("old.local"); status != 0 || p.Hops[len(p.Hops)-1].State != health.LinkGood {
		t.Errorf("exit status %d\n%s", status, hopsOf(p))
	}
}

// Of several servers the one that is down is followed.
func TestPathFollowsTheServerThatIsDown(t *testing.T) {
	r := newRig(t)
	r.edit(`container = "web"`, `containers = ["web", "db"]`)
	if status, out := r.run("gateway", "apply", "--yes"); status != 0 {
		t.Fatal(out)
	}
	r.db.listener.Close()
	p, status := r.follow("web.local")
	if status != 1 || p.Broken < 0 || p.Hops[p.Broken].Name != "port open" || !strings.Contains(p.Hops[p.Broken].Remedy.String(), "podman logs db") {
		t.Errorf("exit status %d\n%s", status, hopsOf(p))
	}
}

// A container that has lost its default route answers this machine, and nobody
// beyond it.
func TestPathToAContainerWithoutARoute(t *testing.T) {
	r := newRig(t)
	r.inside(r.web, "ip route delete default")
	p, status := r.follow("web.local")
	if status != 1 || p.Broken < 0 || p.Hops[p.Broken].Name != "namespace" || !strings.Contains(p.Hops[p.Broken].Remedy.String(), "podman restart web") {
		t.Errorf("exit status %d\n%s", status, hopsOf(p))
	}
}

// inside runs a program in a container's namespace.
func (r *rig) inside(c *container, line string) {
	r.t.Helper()
	nettest.In(r.t, c.netns, func() { r.exec(line) })
}

func TestPathToNoSite(t *testing.T) {
	r := newRig(t)
	p, status := r.follow("nobody.local")
	if status != 1 || p.Broken < 0 || p.Hops[p.Broken].Name != "site known" {
		t.Errorf("exit status %d\n%s", status, hopsOf(p))
	}
	for _, h := range p.Hops {
		if h.Name == "port open" && h.State != health.LinkNotReached {
			t.Errorf("the port of no server is %s", h.State)
		}
	}
	if status, out := r.run("path"); status != 2 || !strings.Contains(out, "name one site") {
		t.Errorf("without a site: %d %s", status, out)
	}
}

func TestPathWantsAHostName(t *testing.T) {
	r := newRig(t)
	for _, host := range []string{"", " ", "web.local:80", "http://web.local/"} {
		if status, out := r.run("path", host); status != 2 || !strings.Contains(out, "host name") {
			t.Errorf("%q: exit status %d\n%s", host, status, out)
		}
	}
	if status, out := r.run("path", "web.local."); status != 0 {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

func TestPathToASiteSetAside(t *testing.T) {
	r := newRig(t)
	r.db.labels = map[string]string{"flatnet.host": "db.local", "flatnet.port": "many"}
	p, _ := r.follow("db.local")
	if p.Broken < 0 || p.Hops[p.Broken].Name != "site known" || !strings.Contains(p.Hops[p.Broken].Detail.String(), "set aside") {
		t.Errorf("\n%s", hopsOf(p))
	}
}

func TestPathToASiteNotYetDeployed(t *testing.T) {
	r := newRig(t)
	r.edit("[[gateway.site]]", "[[gateway.site]]\nhost = \"new.local\"\ncontainer = \"web\"\nport = 3000\n\n[[gateway.site]]")
	p, _ := r.follow("new.local")
	if p.Broken < 0 || p.Hops[p.Broken].Name != "site known" || !strings.Contains(p.Hops[p.Broken].Remedy.String(), "gateway apply") {
		t.Errorf("\n%s", hopsOf(p))
	}
}

// A server that is not behind the bridge has a shorter way.
func TestPathToAServerElsewhere(t *testing.T) {
	r := newRig(t)
	l := r.listenHere("127.0.0.1:0")
	port := l[strings.LastIndexByte(l, ':')+1:]
	r.edit("[[gateway.site]]", "[[gateway.site]]\nhost = \"far.local\"\naddress = \"127.0.0.1\"\nport = "+port+"\n\n[[gateway.site]]")
	if status, out := r.run("gateway", "apply", "--yes"); status != 0 {
		t.Fatal(out)
	}
	p, status := r.follow("far.local")
	if status != 0 {
		t.Errorf("exit status %d\n%s", status, hopsOf(p))
	}
	for _, h := range p.Hops {
		if h.Name == "bridge" || h.Name == "Windows route" {
			t.Errorf("%s is on the way to a server elsewhere", h.Name)
		}
	}
}
