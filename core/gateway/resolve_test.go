package gateway_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/ipam"
	"flatnet/core/podman"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func inputOf(containers ...podman.Container) gateway.Input {
	c := config.Default()
	return gateway.Input{Config: c.Gateway, Network: c.Network, Containers: containers, Now: noon}
}

// box is a container; ip "" has no address on the network.
func box(name, state, ip string, labels ...string) podman.Container {
	c := podman.Container{
		ID: "id-" + name, Name: name, State: state, CreatedAt: noon.Add(-time.Hour), Labels: map[string]string{},
		Networks: map[string]podman.Attachment{},
	}
	if ip != "" {
		c.Networks["flatnet"] = attachment(ip)
	}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		c.Labels["flatnet."+key] = value
	}
	return c
}

func siteFor(host string, change func(*config.Site)) config.Site {
	s := config.NewSite()
	s.Host = host
	change(&s)
	return s
}

// sketch writes sites and what was set aside on lines of text.
func sketch(sites []gateway.Site, aside []gateway.SetAside) string {
	var b strings.Builder
	for _, s := range sites {
		fmt.Fprintf(&b, "%s by %s:", s.Host, s.Source)
		for _, srv := range s.Servers {
			if srv.Down != "" {
				fmt.Fprintf(&b, " [%s since %s]", srv.Down, srv.Since.Format("15:04"))
				continue
			}
			fmt.Fprintf(&b, " %s", srv.Address)
		}
		b.WriteString("\n")
	}
	for _, a := range aside {
		fmt.Fprintf(&b, "aside %s by %s: %s\n", a.Host, a.Source, a.Reason)
	}
	return b.String()
}

func TestResolve(t *testing.T) {
	named := func(name string) func(*config.Site) { return func(s *config.Site) { s.Container, s.Port = name, 3000 } }
	tests := map[string]struct {
		in   func() gateway.Input
		want string
	}{
		"a label": {
			func() gateway.Input {
				return inputOf(box("web", "running", "10.87.1.2", "host=web.local", "port=3000"))
			},
			"web.local by container web: 10.87.1.2:3000\n",
		},
		"no labels, no site": {func() gateway.Input { return inputOf(box("db", "running", "10.87.1.2")) }, ""},
		"labels without a host": {
			func() gateway.Input { return inputOf(box("db", "running", "10.87.1.2", "port=80")) },
			"aside  by container db: it has labels that begin with flatnet., and no flatnet.host\n",
		},
		"a misspelt host": {
			func() gateway.Input { return inputOf(box("db", "running", "10.87.1.2", "hsot=db.local")) },
			"aside  by container db: it has labels that begin with flatnet., and no flatnet.host; " +
				"label flatnet.hsot: there is no such key\n",
		},
		"the address from the lease": {
			func() gateway.Input {
				in := inputOf(box("web", "running", "", "host=web.local"))
				in.Leases = []ipam.Lease{{IP: netip.MustParseAddr("10.87.1.9"), ContainerID: "id-web"}}
				return in
			},
			"web.local by container web: 10.87.1.9:80\n",
		},
		"not on this network": {
			func() gateway.Input { return inputOf(box("web", "running", "", "host=web.local")) },
			"aside web.local by container web: container web has no address on network flatnet\n",
		},
		"outside the subnet, or not a container's": {
			func() gateway.Input {
				return inputOf(box("a", "running", "8.8.8.8", "host=a.local"), box("b", "running", "10.87.1.1", "host=b.local"), box("c", "running", "10.87.1.255", "host=c.local"))
			},
			"aside a.local by container a: container a has the address 8.8.8.8, which no container can have in 10.87.1.0/24\n" +
				"aside b.local by container b: container b has the address 10.87.1.1, which no container can have in 10.87.1.0/24\n" +
				"aside c.local by container c: container c has the address 10.87.1.255, which no container can have in 10.87.1.0/24\n",
		},
		"stopped": {
			func() gateway.Input { return inputOf(box("web", "exited", "", "host=web.local")) },
			"web.local by container web: [container web is not running (exited) since 12:00]\n",
		},
		"named in the configuration": {
			func() gateway.Input {
				in := inputOf(box("web", "running", "10.87.1.2"))
				in.Config.Sites = []config.Site{siteFor("a.local", named("web")), siteFor("b.local", named("none"))}
				return in
			},
			"a.local by config: 10.87.1.2:3000\nb.local by config: [there is no container none since 12:00]\n",
		},
		"several servers and an address elsewhere": {
			func() gateway.Input {
				in := inputOf(box("one", "running", "10.87.1.2"), box("two", "created", ""))
				in.Config.Sites = []config.Site{
					siteFor("pair.local", func(s *config.Site) { s.Containers = []string{"one", "two"} }),
					siteFor("nas.local", func(s *config.Site) { s.Address, s.Port = netip.MustParseAddr("192.168.1.20"), 5000 }),
				}
				return in
			},
			"nas.local by config: 192.168.1.20:5000\npair.local by config: 10.87.1.2:80 [container two is not running (created) since 12:00]\n",
		},
		"the same host twice in the configuration": {
			func() gateway.Input {
				in := inputOf(box("web", "running", "10.87.1.2"))
				in.Config.Sites = []config.Site{siteFor("a.local", named("web")), siteFor("A.local", named("web"))}
				return in
			},
			"a.local by config: 10.87.1.2:3000\naside a.local by config: an earlier [[gateway.site]] serves a.local/\n",
		},
		"a label may not add a path to another's host": {
			func() gateway.Input {
				in := inputOf(box("web", "running", "10.87.1.2", "host=a.local", "paths=/more"))
				in.Config.Sites = []config.Site{siteFor("a.local", func(s *config.Site) { s.Container, s.Paths = "web", []string{"/api"} })}
				return in
			},
			"a.local by config: 10.87.1.2:80\naside a.local by container web: a.local belongs to a [[gateway.site]] of the configuration, which wins over labels\n",
		},
		"Podman unknown: by the lease's name": {
			func() gateway.Input {
				in := inputOf()
				in.ContainersErr = podman.ErrTimeout
				in.Leases = []ipam.Lease{{IP: netip.MustParseAddr("10.87.1.9"), ContainerID: "x", Name: "web"}}
				in.Config.Sites = []config.Site{siteFor("a.local", named("web")), siteFor("b.local", named("none"))}
				return in
			},
			"a.local by config: 10.87.1.9:3000\nb.local by config: [Podman cannot be asked, and no lease is held for container none since 12:00]\n",
		},
		"Podman unknown: a labelled one is where its lease is": {
			func() gateway.Input {
				in := inputOf()
				in.ContainersErr = podman.ErrTimeout
				in.Previous, _ = gateway.Resolve(inputOf(
					box("moved", "running", "10.87.1.2", "host=moved.local", "port=3000"), box("lost", "running", "10.87.1.3", "host=lost.local"),
					box("kept", "running", "10.87.1.4", "host=kept.local")))
				in.Leases = []ipam.Lease{
					{IP: netip.MustParseAddr("10.87.1.9"), ContainerID: "id-moved"}, {IP: netip.MustParseAddr("10.87.1.3"), ContainerID: "id-other"},
				}
				return in
			},
			"kept.local by container kept: 10.87.1.4:80\n" +
				"lost.local by container lost: [Podman cannot be asked, and 10.87.1.3 is another container's by now since 12:00]\n" +
				"moved.local by container moved: 10.87.1.9:3000\n",
		},
		"neither Podman nor leases known: where it was": {
			func() gateway.Input {
				in := inputOf(box("web", "running", "10.87.1.2"))
				in.Config.Sites = []config.Site{siteFor("a.local", named("web"))}
				in.Previous, _ = gateway.Resolve(in)
				in.Containers, in.ContainersErr, in.LeasesErr = nil, podman.ErrTimeout, errors.New("unreadable")
				in.Config.Sites = append(in.Config.Sites, siteFor("b.local", named("new")))
				return in
			},
			"a.local by config: 10.87.1.2:3000\nb.local by config: [neither Podman nor the leases can be asked since 12:00]\n",
		},
		"paused": {
			func() gateway.Input { return inputOf(box("web", "paused", "10.87.1.2", "host=web.local")) },
			"web.local by container web: [container web is not running (paused) since 12:00]\n",
		},
		"a failing probe": {
			func() gateway.Input {
				in := inputOf(box("web", "running", "10.87.1.2", "host=web.local"))
				in.Health = map[netip.AddrPort]gateway.Health{netip.MustParseAddrPort("10.87.1.2:80"): {Down: true, Since: noon.Add(-time.Minute), Reason: "refused"}}
				return in
			},
			"web.local by container web: [refused since 11:59]\n",
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			if got := sketch(gateway.Resolve(c.in())); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// The time of a failure stays while its reason changes, and is new after it
// worked again.
func TestDownSince(t *testing.T) {
	web := box("web", "exited", "", "host=web.local")
	in := inputOf(web)
	step := func(minutes int, containers ...podman.Container) string {
		in.Containers, in.Now = containers, noon.Add(time.Duration(minutes)*time.Minute)
		sites, aside := gateway.Resolve(in)
		in.Previous = sites
		return sketch(sites, aside)
	}
	running := box("web", "running", "10.87.1.2", "host=web.local")
	for i, c := range []struct{ got, want string }{
		{step(0, web), "web.local by container web: [container web is not running (exited) since 12:00]\n"},
		{step(5, web), "web.local by container web: [container web is not running (exited) since 12:00]\n"},
		{step(6), "web.local by container web: [container web was removed since 12:00]\n"},
		{step(7, running), "web.local by container web: 10.87.1.2:80\n"},
		{step(9, web), "web.local by container web: [container web is not running (exited) since 12:09]\n"},
		{step(10), "web.local by container web: [container web was removed since 12:09]\n"},
		{step(9 + 24*60), "web.local by container web: [container web was removed since 12:09]\n"},
		{step(10 + 24*60), ""},
		{step(11 + 24*60), ""},
	} {
		if c.got != c.want {
			t.Errorf("step %d: got %q, want %q", i, c.got, c.want)
		}
	}
}
