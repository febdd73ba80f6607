package command

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/repair"
	"flatnet/core/windows"
	"flatnet/tui/text"
)

// routeCommand is everything about Windows' route to the subnet.
func (a *App) routeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "route",
		Short: "Look at Windows' route to the containers and put it right",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: see flatnet-tui route --help") },
	}
	cmd.AddCommand(a.routeShow(), a.routeScript(), a.routeApply())
	return cmd
}

func (a *App) routeShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print what Windows' route table says, and what it ought to say",
		Long: `show reads Windows' IPv4 table, judges the route to the subnet, and, where it
is good, has Windows ping the bridge and a container and ask a site. Exit
status 1: the route does not lead to WSL, or could not be looked at.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showRoute(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *App) showRoute(ctx context.Context, asJSON bool) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	st, lookErr := p.Windows.Look(ctx)
	if asJSON {
		err = writeJSON(a.Out, st)
	} else {
		err = printRoute(a.Out, st)
	}
	if err != nil {
		return err
	}
	if lookErr != nil {
		return lookErr
	}
	if st.Enabled && st.State != windows.OK && st.State != windows.Warn {
		return errSilent{ExitFailing}
	}
	return nil
}

func (a *App) routeScript() *cobra.Command {
	return &cobra.Command{
		Use:   "script [" + windows.SetupRoute + " | " + windows.RegisterTasks + "]",
		Short: "Print a PowerShell script as it is deployed to Windows",
		Long: `script prints setup-route.ps1, which finds WSL's address and sets the route, or
register-tasks.ps1, which registers the scheduled tasks that run it: at each
logon, and when flatnet-tui asks for it. Both are for Windows PowerShell 5.1.`,
		ValidArgs: []string{windows.SetupRoute, windows.RegisterTasks},
		RunE: func(_ *cobra.Command, args []string) error {
			name := windows.SetupRoute
			if len(args) > 0 {
				name = args[0]
			}
			return a.printScript(name)
		},
	}
}

func (a *App) printScript(name string) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	all, err := windows.Scripts(p.Config.Network)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Name == name {
			_, err := a.Out.Write(s.Content)
			return err
		}
	}
	return usagef("there is no script %q: it is %s or %s", name, windows.SetupRoute, windows.RegisterTasks)
}

func (a *App) routeApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Put the route right, and the scripts onto the Windows drive",
		Long: `apply puts the route right in the best way that is open: it starts the
scheduled task, or runs route.exe where this session is elevated, or prints the
command for an administrator's PowerShell (exit status 1: it is still to be run,
or the route is wrong in a way that none of this mends). It also writes the
scripts that are not on the Windows drive as they ought to be.`,
		Args: noArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.reach(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Route(ctx, p.Windows)
		})
	}
	return cmd
}

// printRoute writes st as text, one fact a line.
func printRoute(w io.Writer, st windows.Status) error {
	var b strings.Builder
	fact := func(name, value string) { fmt.Fprintf(&b, "%s %s\n", text.Fit(name, 14), text.Line(value)) }
	fact("State", string(st.State))
	if !st.Enabled && st.Reason != "" {
		fact("Reason", st.Reason.String())
		_, err := io.WriteString(w, b.String())
		return err
	}
	fact("WSL mode", orUnknown(string(st.Mode)))
	fact("WSL address", addressOrUnknown(st.WSLAddress))
	fact("Windows faces", addressOrUnknown(st.Facing))
	fact("Route", routeText(st))
	if st.Verdict.Text != "" {
		fact("Judged", st.Verdict.Text.String())
	}
	if st.Verdict.Remedy != "" {
		fact("Remedy", st.Verdict.Remedy.String())
	}
	for _, r := range st.Reach {
		fact("Tried", fmt.Sprintf("%s %s: %s, %s", r.Name, r.State, r.Target, r.Detail))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func routeText(st windows.Status) string {
	if st.ReadAt.IsZero() {
		return "unknown"
	}
	r := st.Route
	if r == nil {
		return "none to the subnet itself"
	}
	gateway := "directly"
	if r.Gateway.IsValid() {
		gateway = "by way of " + r.Gateway.String()
	}
	s := fmt.Sprintf("%s %s, interface %s, metric %d", r.Destination, gateway, r.Interface, r.Metric)
	if r.Persistent {
		s += ", persistent"
	}
	if st.State == windows.Unknown {
		s += ", as read at " + st.ReadAt.Format("15:04:05")
	}
	return s
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func addressOrUnknown(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}

// RouteTargets gives what Windows' route is tried with besides the bridge: the
// first site's container by its address, the same by HTTP, and, where nginx is
// a Windows program, the site through it.
func (p *Parts) RouteTargets(ctx context.Context) []windows.Target {
	sites, err := p.Gateway.Sites(ctx)
	if err != nil {
		return nil
	}
	for _, s := range sites {
		upstream, err := netip.ParseAddrPort(s.Upstream)
		if err != nil || s.Maintenance || s.TLS {
			continue
		}
		targets := []windows.Target{
			{Kind: windows.Ping, Name: "container of " + s.Host, Addr: upstream.Addr()},
			{Kind: windows.HTTP, Name: s.Host, URL: "http://" + upstream.String() + "/", Host: s.Host},
		}
		if strings.HasSuffix(p.Config.Gateway.Nginx, ".exe") {
			targets = append(targets, windows.Target{
				Kind: windows.HTTP, Name: s.Host + " through the gateway", URL: "http://" + gatewayOnWindows(p.Config.Gateway.Listen) + "/", Host: s.Host,
			})
		}
		return targets
	}
	return nil
}

// gatewayOnWindows gives the host and port at which Windows reaches its own
// nginx that listens at "80" or "address:port".
func gatewayOnWindows(listen string) string {
	const self = "127.0.0.1"
	if at, err := netip.ParseAddrPort(listen); err == nil {
		if at.Addr().IsUnspecified() {
			return net.JoinHostPort(self, strconv.Itoa(int(at.Port())))
		}
		return at.String()
	}
	return net.JoinHostPort(self, listen)
}
