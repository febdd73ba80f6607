package command

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/firewall"
	"flatnet/core/repair"
	"flatnet/tui/text"
)

// firewallCommand is everything about the packet filter.
func (a *App) firewallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "firewall",
		Short: "Look at the packet filter rules and put them back",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: see flatnet-tui firewall --help") },
	}
	cmd.AddCommand(a.firewallShow(), a.firewallDiff(), a.firewallApply())
	return cmd
}

func (a *App) firewallShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the network's rules, and what else decides over its packets",
		Long: `show prints the rules that Flatnet has set, and what else decides over the
network's packets: the policy of FORWARD, rules of others ahead of ours, and
the other iptables backend. Exit status 1: rules are missing or out of place.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.lookAtFirewall(cmd.Context(), func(s firewall.Status) error {
				if asJSON {
					return writeJSON(a.Out, s)
				}
				return printFirewall(a.Out, s)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *App) firewallDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff",
		Short: "Compare the network's rules with what they ought to be",
		Long: `diff prints a unified diff from the network's rules to what they ought to be,
and nothing where they are. Exit status 1: there is a difference.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.lookAtFirewall(cmd.Context(), func(s firewall.Status) error {
				_, err := io.WriteString(a.Out, text.Block(repair.FirewallDiff(s)))
				return err
			})
		},
	}
}

func (a *App) firewallApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Put back what is missing, doubled or out of place; nobody else's rule is touched",
		Args:  noArgs,
	}
	f := addChangeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.reach(cmd, f, func(ctx context.Context, p *Parts) (repair.Plan, error) {
			return repair.Firewall(ctx, p.Kernel, p.rules(ctx))
		})
	}
	return cmd
}

// lookAtFirewall prints what is there. Exit status 1 says that Ensure would
// have something to do.
func (a *App) lookAtFirewall(ctx context.Context, print func(firewall.Status) error) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	s, err := firewall.Look(ctx, p.Kernel, p.rules(ctx))
	if err != nil {
		return err
	}
	if err := print(s); err != nil {
		return err
	}
	if !s.OK() {
		return errSilent{ExitFailing}
	}
	return nil
}

// printFirewall writes s as text, one fact a line and the rules below.
func printFirewall(w io.Writer, s firewall.Status) error {
	var b strings.Builder
	fact := func(name, value string) { fmt.Fprintf(&b, "%s %s\n", text.Fit(name, 16), text.Line(value)) }
	list := func(name string, rules []string) {
		for _, r := range rules {
			fact(name, r)
			name = ""
		}
	}
	fact("Backend", string(s.Backend))
	fact("Forward rules", goodOr(s.ForwardOK, "not as they ought to be"))
	fact("Masquerade", goodOr(s.MasqueradeOK, "not as configured"))
	fact("Policy", "FORWARD "+s.Policy)
	list("Drops ahead", s.BehindDrop)
	fact("Other backend", otherBackend(s))
	fact("Docker", map[bool]string{true: "DOCKER-USER is there", false: "not here"}[s.Docker])
	fact("bridge-nf-call", bridgeNF(s))
	list("Rules", s.Have)
	list("Missing", s.Missing)
	list("Not first", s.Misplaced)
	list("Too much", s.Extra)
	_, err := io.WriteString(w, b.String())
	return err
}

func goodOr(good bool, otherwise string) string {
	if good {
		return "good"
	}
	return otherwise
}

func otherBackend(s firewall.Status) string {
	switch {
	case s.OtherError != "":
		return "unknown: " + s.OtherError.String()
	case !s.Mixed():
		return "holds no rules"
	case s.OtherDrops:
		return string(s.Other) + " holds rules too, and they drop packets"
	}
	return string(s.Other) + " holds rules too; they drop nothing of this network's"
}

func bridgeNF(s firewall.Status) string {
	switch {
	case s.BridgeNFCall == nil:
		return "br_netfilter is not loaded: packets between containers pass no rules"
	case *s.BridgeNFCall:
		return "on: packets between containers pass the rules too"
	}
	return "off: packets between containers pass no rules"
}
