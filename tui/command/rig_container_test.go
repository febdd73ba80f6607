package command_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/vishvananda/netlink"

	"flatnet/core/attach"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/podman"
	"flatnet/core/ports"
	"flatnet/testdata/nettest"
)

// container is a namespace that is attached, with an HTTP server in it.
type container struct {
	id, name, netns string
	state           string
	labels          map[string]string
	ports           []ports.Mapping // published at the next start
	ip              netip.Addr
	listener        net.Listener
	answer          atomic.Pointer[http.HandlerFunc]
}

// newContainer starts a container: a namespace, an attachment, a server.
func (r *rig) newContainer(name, ip string) *container {
	c := &container{id: strings.Repeat(fmt.Sprintf("%02x", len(name)*16+int(name[0])), 32)[:64], name: name, ip: netip.MustParseAddr(ip)}
	c.serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello from", name) })
	r.start(c)
	return c
}

func (c *container) serve(h http.HandlerFunc) { c.answer.Store(&h) }

// start attaches the container and lets its server listen.
func (r *rig) start(c *container) {
	r.t.Helper()
	c.netns = nettest.New(r.t)
	r.attach(c)
	r.listen(c)
	c.state = "running"
}

func (r *rig) attach(c *container) {
	r.t.Helper()
	_, err := r.attacher().Add(r.t.Context(), attach.Request{
		ID: attach.ID{ContainerID: c.id, IfName: "eth0"}, Name: c.name, NetNS: c.netns, IP: c.ip, Ports: c.ports,
	})
	r.must(err)
}

func (r *rig) detach(c *container) {
	r.t.Helper()
	r.must(r.attacher().Del(r.t.Context(), attach.ID{ContainerID: c.id, IfName: "eth0"}))
}

// stop is podman stop.
func (r *rig) stop(c *container) {
	r.t.Helper()
	r.detach(c)
	c.listener.Close()
	nettest.Delete(c.netns)
	c.state = "exited"
}

// crash takes the container away without a word to the plugin.
func (r *rig) crash(c *container) {
	c.listener.Close()
	nettest.Delete(c.netns)
	c.state = "removed"
}

// listen opens the container's port inside it.
func (r *rig) listen(c *container) {
	r.t.Helper()
	nettest.In(r.t, c.netns, func() {
		l, err := net.Listen("tcp", ":3000")
		r.must(err)
		c.listener = l
	})
	go func() {
		_ = http.Serve(c.listener, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { (*c.answer.Load())(w, q) }))
	}()
}

func (r *rig) attacher() *attach.Attacher {
	return attach.New(attach.Options{
		Kernel: r.kernel, Store: r.store(r.config()), Config: r.config(), Log: slog.New(slog.DiscardHandler), Now: r.now,
	})
}

func (r *rig) store(c config.Config) ipam.Store {
	return ipam.OpenFile(c.IPAM.StateDir, ipam.Options{
		Pool: ipam.PoolOf(c), Holder: "test", Now: r.now, Rebuild: attach.Rebuild(r.kernel, c.Network, r.now),
	})
}

// link gives a link of the rig's namespace.
func (r *rig) link(name string) netlink.Link {
	r.t.Helper()
	l, err := netlink.LinkByName(name)
	r.must(err)
	return l
}

// veth is the host's end of the container's link.
func (r *rig) veth(c *container) netlink.Link { return r.link("fn-" + c.id[:8]) }

// standInPodman answers from what the rig started.
type standInPodman struct{ r *rig }

func (p standInPodman) Info(context.Context) (podman.Info, error) {
	return p.r.backend, nil
}

func (p standInPodman) Events(context.Context) (<-chan podman.Event, error) {
	return nil, podman.ErrNoSocket
}

func (p standInPodman) Containers(context.Context) ([]podman.Container, error) {
	var all []podman.Container
	for _, c := range []*container{p.r.web, p.r.db} {
		if c == nil || c.state == "removed" {
			continue
		}
		one := podman.Container{ID: c.id, Name: c.name, State: c.state, Labels: c.labels, Networks: map[string]podman.Attachment{"flatnet": {}}}
		if c.state == "running" {
			one.Networks["flatnet"] = podman.Attachment{IP: c.ip}
		}
		all = append(all, one)
	}
	return all, nil
}
