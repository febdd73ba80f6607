package resolver_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"

	"flatnet/core/attach"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/resolver"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

const (
	gateway = "10.87.1.1"
	outside = "192.0.2.53" // the name server that this machine asks
)

// world is a machine with a network, a resolver on it, and a name server
// elsewhere, all in the test's namespaces.
type world struct {
	t          testing.TB
	config     config.Config
	conf       string // resolv.conf
	containers func(context.Context) ([]podman.Container, error)

	mu    sync.Mutex
	lines []string // reported
	stop  func()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	nettest.Need(t)
	c := config.Default()
	c.IPAM.StateDir = filepath.Join(t.TempDir(), "ipam")
	c.Log.File = filepath.Join(t.TempDir(), "log")
	w := &world{t: t, config: c, conf: filepath.Join(t.TempDir(), "resolv.conf")}
	w.write("nameserver " + outside + "\n")
	t.Cleanup(func() {
		links, _ := netlink.LinkList()
		for _, l := range links {
			if l.Type() == "bridge" {
				_ = netlink.LinkDel(l)
			}
		}
	})
	return w
}

func (w *world) write(text string) {
	w.t.Helper()
	w.must(os.WriteFile(w.conf, []byte(text), 0o644))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// start runs the resolver and waits until it answers.
func (w *world) start() {
	w.t.Helper()
	w.begin()
	w.until("names are answered", func() bool { return w.reported("Names are answered at " + gateway) })
}

func (w *world) begin() {
	boot, err := kernel.New().BootID(w.t.Context())
	w.must(err)
	r := resolver.New(resolver.Options{
		Config: w.config, Boot: boot, Holder: "test", ResolvConf: w.conf,
		Containers: func(ctx context.Context) ([]podman.Container, error) {
			if w.containers == nil {
				return nil, podman.ErrUnavailable
			}
			return w.containers(ctx)
		},
		Report: func(line string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.lines = append(w.lines, line)
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	w.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(w.stop)
}

func (w *world) reported(part string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(strings.Join(w.lines, "\n"), part)
}

func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("not so in 10 s: %s; reported: %v", what, w.lines)
}

// container is attached to one network or several.
type container struct {
	w     *world
	id    string
	netns string
	on    []*attach.Attacher
}

// attacher gives the network in dir: the configured one, or another.
func (w *world) attacher(c config.Config, dir string) *attach.Attacher {
	k := kernel.New()
	return attach.New(attach.Options{
		Kernel: k, Config: c, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Store: ipam.OpenFile(dir, ipam.Options{Pool: ipam.PoolOf(c), Holder: "test", Now: time.Now}),
	})
}

// second is a network beside the configured one.
func (w *world) second() *attach.Attacher {
	c := w.config
	c.Network.Name, c.Network.Bridge = "second", "flatnet-br1"
	c.Network.Subnet, c.Network.Gateway = netip.MustParsePrefix("10.88.0.0/24"), netip.MustParseAddr("10.88.0.1")
	c.Network.RangeStart, c.Network.RangeEnd = netip.MustParseAddr("10.88.0.2"), netip.MustParseAddr("10.88.0.9")
	return w.attacher(c, filepath.Join(w.config.IPAM.StateDir, "networks", "second"))
}

func (w *world) first() *attach.Attacher { return w.attacher(w.config, w.config.IPAM.StateDir) }

// run starts a container on the networks, the configured one if none is said.
func (w *world) run(name string, aliases string, on ...*attach.Attacher) *container {
	w.t.Helper()
	if on == nil {
		on = []*attach.Attacher{w.first()}
	}
	c := &container{w: w, id: fmt.Sprintf("%x0123456789abcdef", name), netns: nettest.New(w.t), on: on}
	for i, a := range on {
		_, err := a.Add(w.t.Context(), attach.Request{
			ID: attach.ID{ContainerID: c.id, IfName: fmt.Sprintf("eth%d", i)}, Name: name, Aliases: strings.Fields(aliases), NetNS: c.netns,
		})
		w.must(err)
	}
	w.t.Cleanup(c.remove)
	return c
}

func (c *container) remove() {
	for i, a := range c.on {
		c.w.must(a.Del(context.Background(), attach.ID{ContainerID: c.id, IfName: fmt.Sprintf("eth%d", i)}))
	}
}

// dial connects out of the container.
func (c *container) dial(network, address string) *dns.Conn {
	c.w.t.Helper()
	conn := new(dns.Conn)
	nettest.In(c.w.t, c.netns, func() {
		var err error
		conn.Conn, err = net.DialTimeout(network, address, 2*time.Second)
		if err != nil {
			c.w.t.Errorf("%s %s: %v", network, address, err)
		}
	})
	if conn.Conn == nil {
		c.w.t.FailNow()
	}
	c.w.t.Cleanup(func() { conn.Close() })
	return conn
}

// ask asks the gateway out of the container.
func (c *container) ask(name string, kind uint16) *dns.Msg {
	c.w.t.Helper()
	return c.askBy("udp", gateway, new(dns.Msg).SetQuestion(name, kind))
}

// askBy asks up to four times, as every resolver does: a full socket drops what
// comes by UDP.
func (c *container) askBy(network, server string, m *dns.Msg) *dns.Msg {
	c.w.t.Helper()
	client := dns.Client{Net: network, Timeout: 5 * time.Second}
	var err error
	for range 4 {
		var r *dns.Msg
		if r, _, err = client.ExchangeWithConn(m, c.dial(network, server+":53")); err == nil {
			return r
		}
	}
	c.w.t.Fatalf("ask %s: %v", m.Question[0].Name, err)
	return nil
}

// said writes a reply down: its code, and what it says.
func said(r *dns.Msg) string {
	words := []string{dns.RcodeToString[r.Rcode]}
	if r.Truncated {
		words = append(words, "TC")
	}
	for _, rr := range r.Answer {
		words = append(words, strings.TrimSpace(strings.TrimPrefix(rr.String(), rr.Header().String())))
	}
	return strings.Join(words, " ")
}

// elsewhere runs a name server that answers by f, at that address.
func (w *world) elsewhere(address string, f dns.HandlerFunc) {
	w.t.Helper()
	lo, err := netlink.LinkByName("lo")
	w.must(err)
	a := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(32, 32)}}
	w.must(netlink.AddrReplace(lo, a))
	udp, err := net.ListenPacket("udp4", address+":53")
	w.must(err)
	tcp, err := net.Listen("tcp4", address+":53")
	w.must(err)
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: f, UDPSize: 4096}, {Listener: tcp, Handler: f}} {
		go s.ActivateAndServe()
		w.t.Cleanup(func() { s.Shutdown() })
	}
	w.t.Cleanup(func() { udp.Close(); tcp.Close(); netlink.AddrDel(lo, a) })
}

// address answers any question for an address with this one.
func address(ip string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.ParseIP(ip)}}
		w.WriteMsg(r)
	}
}
