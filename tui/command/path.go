package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/kernel"
	"flatnet/core/say"
	"flatnet/core/windows"
	"flatnet/probes"
	"flatnet/tui"
	"flatnet/tui/monitor"
	"flatnet/tui/text"
)

func (a *App) pathCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "path HOST",
		Short: "Follow one site from its name to the container, and name the first broken link",
		Long: `path follows the way of a request: name, gateway, site, Windows' route, WSL's
address, forwarding, FORWARD rules, bridge, the container's link and namespace,
its port and its answer; then the same request from Windows and through the
gateway. Exit status 1 says that a link is broken.`,
		Args: func(_ *cobra.Command, args []string) error {
			const usage = "name one site: sudo flatnet-tui path forgejo.local"
			if len(args) != 1 {
				return usagef(usage)
			}
			if args[0] == "" || strings.ContainsAny(args[0], ":/ ") {
				return usagef("%q is not a host name; "+usage, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.path(cmd.Context(), strings.TrimSuffix(args[0], "."), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *App) path(ctx context.Context, host string, asJSON bool) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	path := p.follow(ctx, host, nil)
	if asJSON {
		err = writeJSON(a.Out, struct {
			Schema int `json:"schema"`
			health.Path
		}{schema, path})
	} else {
		err = printPath(a.Out, path)
	}
	if err == nil && path.Broken >= 0 {
		return errSilent{ExitFailing}
	}
	return err
}

// printPath draws the path from top to bottom.
func printPath(w io.Writer, p health.Path) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", text.Line(p.Host))
	for i, h := range p.Hops {
		joint := "├─"
		if i == len(p.Hops)-1 {
			joint = "└─"
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", joint, text.Fit(string(h.State), 11), text.Fit(h.Name.String(), 19), text.Line(h.Detail.String()))
	}
	if p.Broken < 0 {
		b.WriteString("\nNo link is broken.\n")
	} else {
		h := p.Hops[p.Broken]
		fmt.Fprintf(&b, "\nFirst broken link: %s. %s\nMend it: %s\n", h.Name, text.Line(h.Detail.String()), text.Line(h.Remedy.String()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// followForConsole is the console's way to ask for a path.
func (p *Parts) followForConsole(ctx context.Context, host string, told tui.Progress) ([]tui.PathHop, error) {
	return consoleHops(p.follow(ctx, host, told)), ctx.Err()
}

// consoleHops gives a path as the console draws it.
func consoleHops(p health.Path) []tui.PathHop {
	states := map[health.Link]health.Severity{
		health.LinkGood: health.OK, health.LinkBad: health.Fail, health.LinkUnknown: health.Unknown, health.LinkNotReached: health.Unknown,
	}
	hops := make([]tui.PathHop, 0, len(p.Hops))
	for _, h := range p.Hops {
		hops = append(hops, tui.PathHop{Name: h.Name, State: states[h.State], Detail: h.Detail, Remedy: h.Remedy})
	}
	return hops
}

// follow looks at everything on the way to the site, side by side.
func (p *Parts) follow(ctx context.Context, host string, told tui.Progress) health.Path {
	looks := p.looks()
	looks.Host, looks.Podman, looks.Probes = nil, nil, p.probeGateway
	f := health.Gather(ctx, health.Request{Version: p.Version, Config: p.Config, Looks: looks, Limit: p.limit(), Now: p.Now, Told: told})
	return p.trace(ctx, f, host)
}

// trace follows the path to a site over what was seen already, and looks at
// what is about this site alone.
func (p *Parts) trace(ctx context.Context, f health.Facts, host string) health.Path {
	t := health.Trace{Host: host, Site: siteOf(f, host)}
	if t.Site != nil {
		t.Server = health.ServerOf(f, *t.Site)
	}
	about := t // what every look starts from, while t is filled in
	ctx, cancel := context.WithTimeout(ctx, p.limit())
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { t.Names = p.resolve(ctx, host) })
	running.Go(func() { t.Namespace = p.lookInside(ctx, about.Server) })
	running.Go(func() { t.Port, t.Direct = p.askServer(ctx, host, about.Server) })
	running.Go(func() { t.Gateway = p.askGateway(ctx, about) })
	running.Go(func() { t.Windows = p.askFromWindows(ctx, f, about) })
	running.Wait()
	return health.Follow(f, t)
}

// siteOf gives the site of that host, nil if there is none.
func siteOf(f health.Facts, host string) *gateway.SiteStatus {
	for i, s := range f.Gateway.Value.Sites {
		if strings.EqualFold(s.Host, host) {
			return &f.Gateway.Value.Sites[i]
		}
	}
	return nil
}

// probeGateway asks the gateway's health page alone.
func (p *Parts) probeGateway(ctx context.Context) ([]health.Probe, error) {
	around := monitor.Around{HealthURL: p.Config.Gateway.HealthAt(p.WindowsAddress(ctx))}
	var only []monitor.Watched
	for _, w := range monitor.Targets(p.Config, around) {
		if w.Role == health.RoleGateway {
			only = append(only, w)
		}
	}
	return monitor.Once(ctx, p.Probers, p.Config.Probes, only), nil
}

func (p *Parts) resolve(ctx context.Context, host string) health.Seen[[]netip.Addr] {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	var dns *net.DNSError
	if errors.As(err, &dns) {
		err = say.New("no such name, or no DNS server answers")
	}
	return health.Look(p.Now(), addrs, err)
}

// lookInside looks at the container's own interface.
func (p *Parts) lookInside(ctx context.Context, s health.Server) health.Seen[health.Namespace] {
	n := health.Namespace{Path: s.Lease.NetNS}
	if n.Path == "" {
		return health.Look(p.Now(), n, say.New("the lease does not say which namespace it is for"))
	}
	inside, err := p.Kernel.Open(ctx, n.Path)
	if err != nil {
		return health.Look(p.Now(), n, err)
	}
	defer func() { _ = inside.Close() }()
	link, err := inside.Link(ctx, s.Lease.IfName)
	if err != nil {
		return health.Look(p.Now(), n, err)
	}
	n.Up = link.Up
	if n.Addresses, err = inside.Addrs(ctx, link.Name); err != nil {
		return health.Look(p.Now(), n, err)
	}
	routes, err := inside.Routes(ctx)
	n.Routed = slices.ContainsFunc(routes, func(r kernel.Route) bool { return r.Dst.Bits() == 0 })
	return health.Look(p.Now(), n, err)
}

// askServer asks the site's server from this machine, by TCP and by HTTP.
func (p *Parts) askServer(ctx context.Context, host string, s health.Server) (port, direct health.Probe) {
	if !s.Address.IsValid() {
		return port, direct
	}
	tcp := probes.Target{Name: host, Kind: probes.TCP, Address: s.Address.String()}
	got := monitor.Once(ctx, p.Probers, p.Config.Probes, []monitor.Watched{
		{Target: tcp}, {Target: asVisitor(host, "http://"+s.Address.String()+"/")},
	})
	return got[0], got[1]
}

// asVisitor asks url as a visitor of host would; every answer counts that is
// not the server's failure.
func asVisitor(host, url string) probes.Target {
	return probes.Target{
		Name: host, Kind: probes.HTTP, Address: url,
		HTTP: probes.HTTPOptions{Host: host, StatusMin: 100, StatusMax: 499},
	}
}

// askGateway asks for the site through the gateway, from this machine.
func (p *Parts) askGateway(ctx context.Context, t health.Trace) health.Probe {
	c := p.Config.Gateway
	if c.HealthAt(netip.Addr{}) == "" {
		c.HealthURL = "auto" // its address is known all the same
	}
	u, err := url.Parse(c.HealthAt(p.WindowsAddress(ctx)))
	if err != nil || t.Site == nil {
		return health.Probe{}
	}
	u.Path = cmp.Or(firstPath(t.Site.Path), "/")
	return monitor.Once(ctx, p.Probers, p.Config.Probes, []monitor.Watched{{Target: asVisitor(t.Host, u.String())}})[0]
}

// firstPath is the first of a site's prefixes, "" where it has the whole host.
func firstPath(paths string) string {
	first, _, _ := strings.Cut(paths, " ")
	return first
}

// askFromWindows has Windows ask the site's server.
func (p *Parts) askFromWindows(ctx context.Context, f health.Facts, t health.Trace) health.Probe {
	w := f.Windows
	if !t.Server.Address.IsValid() || !w.Known() || !w.Value.Enabled || w.Value.Trouble != nil {
		return health.Probe{}
	}
	target := windows.Target{Kind: windows.HTTP, Name: t.Host, URL: "http://" + t.Server.Address.String() + "/", Host: t.Host}
	got := p.Windows.Reach(ctx, []windows.Target{target})[0]
	return health.Probe{Kind: string(probes.HTTP), Target: got.Target, State: health.Severity(got.State), Detail: got.Detail, At: got.At}
}
