package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core/gateway"
	"flatnet/core/repair"
	"flatnet/tui/text"
)

// gatewayCommand is everything about the nginx in front.
func (a *App) gatewayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Render, deploy and roll back the configuration of the nginx in front",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: see flatnet-tui gateway --help") },
	}
	cmd.AddCommand(
		a.gatewayRender(), a.gatewayDiff(), a.gatewayApply(), a.gatewayRollback(),
		a.gatewayList(), a.gatewayHosts(), a.gatewayMaintenance(),
	)
	return cmd
}

func (a *App) gatewayRender() *cobra.Command {
	return &cobra.Command{
		Use:   "render",
		Short: "Print conf.d/flatnet.conf as it would be; what was set aside goes to stderr",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.parts()
			if err != nil {
				return err
			}
			p.askServers(cmd.Context())
			c, err := p.Gateway.Preview(cmd.Context())
			if err != nil {
				return err
			}
			printAside(a.Err, c)
			_, err = a.Out.Write(c.Files.Conf())
			return err
		},
	}
}

func printAside(w io.Writer, c gateway.Change) {
	for _, s := range c.Generation.SetAside {
		fmt.Fprintln(w, text.Line(s.Say().String()))
	}
	printUnknown(w, c)
}

func printUnknown(w io.Writer, c gateway.Change) {
	for _, u := range c.Unknown {
		fmt.Fprintln(w, text.Line(u.String()))
	}
}

func (a *App) gatewayDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff",
		Short: "Compare what is deployed with what would be",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.parts()
			if err != nil {
				return err
			}
			p.askServers(cmd.Context())
			c, err := p.Gateway.Prepare(cmd.Context())
			if err != nil {
				return err
			}
			printAside(a.Err, c)
			_, err = io.WriteString(a.Out, text.Block(c.MainDiff+c.Diff))
			return err
		},
	}
}

func (a *App) gatewayApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Regenerate, test with nginx, put in place, reload, and confirm",
		Args:  noArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.reach(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			p.askServers(ctx)
			return repair.Gateway(ctx, p.Gateway)
		})
	}
	return cmd
}

func (a *App) gatewayRollback() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollback [GENERATION]",
		Short: "Go back to a kept generation, the one before if none is named",
		Args:  cobra.ArbitraryArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		number, err := generationArg(args)
		if err != nil {
			return err
		}
		return a.change(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.GatewayRollback(ctx, p.Gateway, number)
		})
	}
	return cmd
}

func generationArg(args []string) (int, error) {
	if len(args) == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || len(args) > 1 {
		return 0, usagef("name one generation, by its number: see sudo flatnet-tui gateway list")
	}
	return n, nil
}

func (a *App) gatewayList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the kept generations",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := a.parts()
			if err != nil {
				return err
			}
			all, deployed, err := p.Gateway.List()
			if asJSON {
				return errors.Join(err, writeJSON(a.Out, listOf(all, deployed)))
			}
			printGenerations(a.Out, all, deployed)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// generationList is gateway list as JSON.
type generationList struct {
	Schema      int              `json:"schema"`
	Deployed    int              `json:"deployed"` // 0: none of them
	Generations []generationView `json:"generations"`
}

// generationView is one of them. A site's settings are in its files.
type generationView struct {
	Number   int                `json:"number"`
	Mode     string             `json:"mode"`
	MadeAt   time.Time          `json:"made_at"`
	Sites    []siteView         `json:"sites"`
	SetAside []gateway.SetAside `json:"set_aside"`
}

type siteView struct {
	Host    string           `json:"host"`
	Paths   []string         `json:"paths"`
	Source  string           `json:"source"`
	Servers []gateway.Server `json:"servers"`
}

func listOf(all []gateway.Generation, deployed int) generationList {
	l := generationList{Schema: 1, Deployed: deployed, Generations: []generationView{}}
	for _, g := range all {
		v := generationView{Number: g.Number, Mode: g.Mode, MadeAt: g.MadeAt, Sites: []siteView{}, SetAside: append([]gateway.SetAside{}, g.SetAside...)}
		for _, s := range g.Sites {
			v.Sites = append(v.Sites, siteView{Host: s.Host, Paths: s.Prefixes(), Source: s.Source.String(), Servers: append([]gateway.Server{}, s.Servers...)})
		}
		l.Generations = append(l.Generations, v)
	}
	return l
}

func printGenerations(w io.Writer, all []gateway.Generation, deployed int) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tGENERATION\tMADE\tMODE\tSITES\tSET ASIDE")
	for _, g := range all {
		mark := ""
		if g.Number == deployed {
			mark = "*"
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%d\t%d\n", mark, g.Number, g.MadeAt.Format("2006-01-02 15:04:05"), g.Mode, len(g.Sites), len(g.SetAside))
	}
	_ = t.Flush()
}

func (a *App) gatewayHosts() *cobra.Command {
	return &cobra.Command{
		Use:   "hosts [ADDRESS]",
		Short: "Print the lines for clients' hosts files",
		Long: `Print one line for each site, for the hosts file of every client that no office
DNS tells these names: C:\Windows\System32\drivers\etc\hosts on Windows.
ADDRESS is the LAN address of the machine that the gateway runs on.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := hostsAddress(args)
			if err != nil {
				return err
			}
			p, err := a.parts()
			if err != nil {
				return err
			}
			c, err := p.Gateway.Preview(cmd.Context())
			if err != nil {
				return err
			}
			printUnknown(a.Err, c)
			if len(args) == 0 {
				fmt.Fprintln(a.Err, "Put the LAN address of the gateway's machine in the place of GATEWAY, or name it: sudo flatnet-tui gateway hosts 192.168.1.10")
			}
			last := ""
			for _, s := range c.Generation.Sites {
				if s.Host != last {
					fmt.Fprintf(a.Out, "%s  %s\n", address, s.Host)
				}
				last = s.Host
			}
			return nil
		},
	}
}

func hostsAddress(args []string) (string, error) {
	if len(args) == 0 {
		return "GATEWAY", nil
	}
	ip, err := netip.ParseAddr(args[0])
	if err != nil || ip.Zone() != "" || len(args) > 1 {
		return "", usagef("name one address, such as 192.168.1.10")
	}
	return ip.String(), nil
}

func (a *App) gatewayMaintenance() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "maintenance HOST on|off",
		Short: "Put a site into maintenance, or end that",
		Args:  cobra.ArbitraryArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) != 2 || args[1] != "on" && args[1] != "off" {
			return usagef("name a site and say on or off: sudo flatnet-tui gateway maintenance forgejo.local on")
		}
		return a.reach(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			p.askServers(ctx)
			return repair.GatewayMaintenance(ctx, p.Gateway, args[0], args[1] == "on")
		})
	}
	return cmd
}
