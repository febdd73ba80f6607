package command

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/leases"
	"flatnet/core/repair"
	"flatnet/tui/text"
)

// historyLimit is how many entries of an address's history are shown.
const historyLimit = 1000

// leasesCommand is everything about who holds which address.
func (a *App) leasesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "leases",
		Short: "Look at who holds which address, and release what was left behind",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: see flatnet-tui leases --help") },
	}
	cmd.AddCommand(a.leasesList(), a.leasesRelease())
	return cmd
}

func (a *App) leasesList() *cobra.Command {
	var asJSON bool
	var history string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print every address that is held, reserved or in quarantine",
		Long: `list prints every address that is held, reserved or in quarantine, and what it
is: active, stale (Podman does not have the container running with it, and its
network namespace is gone), or unknown where that could not be seen.

With --history it prints who had one address, newest first, from the journal.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if history != "" {
				return a.listHistory(cmd.Context(), history, asJSON)
			}
			return a.listLeases(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&history, "history", "", "print who had `IP`, and since when")
	return cmd
}

func (a *App) leasesRelease() *cobra.Command {
	var stale, force bool
	cmd := &cobra.Command{
		Use:   "release {IP… | --stale}",
		Short: "Release addresses that were left behind",
		Long: `release gives addresses back to the pool. One whose container is running, or
that cannot be judged, is refused with exit status 3; --force releases it all
the same and takes the container's interface away. undo takes a release back
while its address is free.`,
	}
	f := addChangeFlags(cmd)
	cmd.Flags().BoolVar(&stale, "stale", false, "release every lease that is known to be stale")
	cmd.Flags().BoolVar(&force, "force", false, "release it even if its container is running")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ips, err := addresses(args)
		switch {
		case err != nil:
			return err
		case stale == (len(ips) > 0) || stale && force:
			return usagef("name the addresses to release, with --force if need be, or give --stale alone")
		}
		return a.change(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			if stale {
				return repair.ReleaseStale(ctx, p.leases())
			}
			return repair.Release(ctx, p.leases(), ips, force)
		})
	}
	return cmd
}

// undoCommand takes the last release or saving back.
func (a *App) undoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "undo",
		Short: "Take back the last release of leases or saving of the configuration",
		Long: `A release is taken back while its addresses are free, a saving while the
file is as it was saved. Called again, it goes back further.`,
		Args: noArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.change(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Undo(ctx, p.leases(), p.Config.Path)
		})
	}
	return cmd
}

// addresses reads the arguments, each once.
func addresses(args []string) ([]netip.Addr, error) {
	var ips []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, arg := range args {
		ip, err := netip.ParseAddr(arg)
		if err != nil {
			return nil, usagef("%q is not an IP address", arg)
		}
		if !seen[ip] {
			ips = append(ips, ip)
		}
		seen[ip] = true
	}
	return ips, nil
}

func (a *App) listLeases(ctx context.Context, asJSON bool) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	all, err := leases.Look(ctx, p.leases().Sources)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(a.Out, struct {
			Schema int           `json:"schema"`
			Leases []leaseReport `json:"leases"`
		}{schema, reportLeases(all)})
	}
	return printLeases(a.Out, all)
}

func printLeases(w io.Writer, all []leases.Status) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "No address is held.")
		return err
	}
	var b strings.Builder
	line := func(ip, state, name, ifName, since, reason string) {
		fmt.Fprintf(&b, "%s %s %s %s %s %s\n", text.Fit(ip, 15), text.Fit(state, 11), text.Fit(text.Line(name), 24),
			text.Fit(text.Line(ifName), 8), text.Fit(since, 19), text.Line(reason))
	}
	line("ADDRESS", "STATE", "CONTAINER", "IFNAME", "SINCE", "SEEN")
	for _, l := range all {
		line(l.IP.String(), string(l.State), l.Owner(), l.IfName, localTime(l.AllocatedAt), l.Reason.String())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *App) listHistory(ctx context.Context, arg string, asJSON bool) error {
	ip, err := netip.ParseAddr(arg)
	if err != nil {
		return usagef("%q is not an IP address", arg)
	}
	p, err := a.parts()
	if err != nil {
		return err
	}
	entries, err := p.Journal.Recent(ctx, historyLimit, journal.OfIP(ip))
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(a.Out, struct {
			Schema  int             `json:"schema"`
			IP      netip.Addr      `json:"ip"`
			Entries []journal.Entry `json:"entries"`
		}{schema, ip, orEmpty(entries)})
	}
	return printHistory(a.Out, ip, entries)
}

func printHistory(w io.Writer, ip netip.Addr, entries []journal.Entry) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintf(w, "The journal knows nothing of %s.\n", ip)
		return err
	}
	var b strings.Builder
	for _, e := range entries {
		who := ipam.Lease{ContainerID: e.ContainerID, Name: e.Name}.Owner()
		fmt.Fprintf(&b, "%s %s %s %s (%s)\n", text.Fit(localTime(e.Time), 19), text.Fit(text.Line(e.Action), 9),
			text.Fit(text.Line(who), 24), text.Line(e.Text), text.Line(e.By))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// localTime writes a time for people; "" if there is none.
func localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}
