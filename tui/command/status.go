package command

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/health"
	"flatnet/tui/text"
)

func (a *App) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print what all panes show, once",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// status looks at everything once and prints it. Exit status 1 says that
// something is failing.
func (a *App) status(ctx context.Context, asJSON bool) error {
	p, err := a.parts()
	if err != nil {
		return err
	}
	facts := p.gather(ctx)
	findings := health.Evaluate(facts)
	r := report(facts, findings)
	if asJSON {
		err = writeJSON(a.Out, r)
	} else {
		err = printStatus(a.Out, r, facts)
	}
	if err != nil {
		return err
	}
	return failing(findings)
}

// failing gives exit status 1 if any finding is a failure.
func failing(findings []health.Finding) error {
	if health.Of(findings) == health.Fail {
		return errSilent{ExitFailing}
	}
	return nil
}

// printStatus writes the four panes and what is wrong, as text.
func printStatus(w io.Writer, r statusReport, f health.Facts) error {
	var b strings.Builder
	heading(&b, "Bridge", r.Bridge.State, describeBridge(r, f))
	heading(&b, "Leases", r.leasesState, describeLeases(r, f))
	for _, l := range r.Leases {
		fmt.Fprintf(&b, "    %s %s %s %s\n", text.Fit(l.IP.String(), 15), text.Fit(string(l.State), 11),
			text.Fit(text.Line(l.Name), 24), text.Line(l.IfName))
	}
	heading(&b, "Windows route", r.Windows.State, describeWindows(r))
	heading(&b, "Upstreams", upstreamsState(r), describeGateway(r))
	for _, u := range r.Upstreams {
		fmt.Fprintf(&b, "    %s %s %s %s %s\n", text.Fit(text.Line(u.Name), 24), text.Fit(u.Kind, 4),
			text.Fit(string(u.State), 7), text.FitRight(latency(u.LatencyMS), 9), text.Line(u.Target))
	}
	printFindings(&b, r.Findings)
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(b *strings.Builder, title string, s health.Severity, detail string) {
	fmt.Fprintf(b, "%s %s %s\n", text.Fit(title, 14), text.Fit(string(s), 7), text.Line(detail))
}

func describeBridge(r statusReport, f health.Facts) string {
	if !f.Bridge.Known() {
		return f.Bridge.Err.String()
	}
	s := f.Bridge.Value
	if !s.Exists {
		return r.Bridge.Name + " is not there"
	}
	parts := append([]string{r.Bridge.Name}, r.Bridge.Addresses...)
	parts = append(parts, fmt.Sprintf("MTU %d", s.MTU), fmt.Sprintf("%d ports", len(s.Ports)))
	if s.IPForward {
		parts = append(parts, "forwarding on")
	} else {
		parts = append(parts, "forwarding off")
	}
	switch {
	case !f.Firewall.Known():
		parts = append(parts, "rules unknown: "+f.Firewall.Err.String())
	case f.Firewall.Value.ForwardOK && f.Firewall.Value.MasqueradeOK:
		parts = append(parts, "rules in place ("+string(f.Firewall.Value.Backend)+")")
	default:
		parts = append(parts, "rules missing ("+string(f.Firewall.Value.Backend)+")")
	}
	return strings.Join(parts, ", ")
}

func describeLeases(r statusReport, f health.Facts) string {
	if !f.Leases.Known() {
		return f.Leases.Err.String()
	}
	count := map[string]int{}
	for _, l := range r.Leases {
		count[string(l.State)]++
	}
	var parts []string
	for _, s := range []string{"active", "stale", "unknown", "reserved", "quarantined"} {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func describeWindows(r statusReport) string {
	w := r.Windows
	switch {
	case w.Route == nil:
		return w.Reason
	case w.Route.Gateway == nil:
		return fmt.Sprintf("%s is directly connected", w.Route.Destination)
	case w.WSLAddress != nil && *w.WSLAddress == *w.Route.Gateway:
		return fmt.Sprintf("%s by way of %s, the WSL address", w.Route.Destination, w.Route.Gateway)
	}
	return strings.TrimSuffix(fmt.Sprintf("%s by way of %s; %s", w.Route.Destination, w.Route.Gateway, w.Reason), "; ")
}

func describeGateway(r statusReport) string {
	if r.Gateway.Generation == nil {
		return fmt.Sprintf("%d sites, nothing deployed yet", len(r.Gateway.Sites))
	}
	return fmt.Sprintf("%d sites, generation %d", len(r.Gateway.Sites), *r.Gateway.Generation)
}

// upstreamsState is the worst of the gateway and of what is probed.
func upstreamsState(r statusReport) health.Severity {
	s := r.Gateway.State
	for _, u := range r.Upstreams {
		s = health.Worst(s, u.State)
	}
	return s
}

func latency(ms *float64) string {
	if ms == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", *ms)
}

func printFindings(b *strings.Builder, findings []health.Finding) {
	if len(findings) == 0 {
		b.WriteString("\nNothing is wrong.\n")
		return
	}
	b.WriteString("\n")
	for _, f := range findings {
		fmt.Fprintf(b, "%s %s\n", text.Fit(string(f.Severity), 7), text.Line(f.Title.String()))
		if f.Remedy != "" {
			fmt.Fprintf(b, "        %s\n", text.Line(f.Remedy.String()))
		}
	}
}
