package repair_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/repair"
)

// with gives the options of an Apply that is written into d.
func with(d *diary) repair.Options {
	return repair.Options{By: "test", Journal: d, Now: func() time.Time { return time.Unix(1, 0) }}
}

func TestFirewallPlan(t *testing.T) {
	ctx, f := t.Context(), kernel.NewFake()
	w := firewall.WantOf(config.Default())
	p, err := repair.Firewall(ctx, f, w)
	if err != nil || len(p.Steps) != 1 {
		t.Fatalf("plan: %+v, %v", p, err)
	}
	s := p.Steps[0]
	for _, want := range []string{"+-I FORWARD 1 -j FLATNET-FORWARD\n", "+-A FLATNET-FORWARD -o flatnet-br0 -j ACCEPT\n"} {
		if !strings.Contains(s.Diff, want) {
			t.Errorf("%q is not in the diff\n%s", want, s.Diff)
		}
	}
	if !strings.HasPrefix(s.Command, "iptables-nft -N FLATNET-FORWARD && iptables-nft ") {
		t.Errorf("command: %s", s.Command)
	}
	if strings.Contains(f.String(), "FLATNET") {
		t.Errorf("planning changed\n%s", f)
	}
	var d diary
	if _, err := repair.Apply(ctx, p, with(&d)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.String(), "iptables-nft -t filter -A FORWARD -j FLATNET-FORWARD\n") {
		t.Errorf("applied:\n%s", f)
	}
	if len(d) != 1 || d[0].Action != repair.FirewallID || d[0].Before != "" || !strings.Contains(d[0].After, "MASQUERADE") {
		t.Errorf("journal: %+v", d)
	}
	p, err = repair.Firewall(ctx, f, w)
	if err != nil || len(p.Steps) != 0 || len(p.Notes) == 0 {
		t.Errorf("plan where all is well: %+v, %v", p, err)
	}
}

// TestFirewallCommand: the commands that are shown do what the repair does.
func TestFirewallCommand(t *testing.T) {
	ctx, f, g := t.Context(), kernel.NewFake(), kernel.NewFake()
	w := firewall.WantOf(config.Default())
	p, err := repair.Firewall(ctx, f, w)
	if err != nil {
		t.Fatal(err)
	}
	for command := range strings.SplitSeq(p.Steps[0].Command, " && ") {
		table, args := "filter", strings.TrimPrefix(command, "iptables-nft ")
		if rest, ok := strings.CutPrefix(args, "-t nat "); ok {
			table, args = "nat", rest
		}
		if err := g.RestoreRules(ctx, kernel.BackendNFT, "*"+table+"\n"+args+"\nCOMMIT\n"); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
	if _, err := repair.Apply(ctx, p, repair.Options{}); err != nil {
		t.Fatal(err)
	}
	if f.String() != g.String() {
		t.Errorf("the repair made\n%s\nand its commands\n%s", f, g)
	}
}

func TestFirewallPlanIsOld(t *testing.T) {
	ctx, f := t.Context(), kernel.NewFake()
	w := firewall.WantOf(config.Default())
	p, err := repair.Firewall(ctx, f, w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := firewall.Ensure(ctx, f, w); err != nil {
		t.Fatal(err)
	}
	if _, err := repair.Apply(ctx, p, repair.Options{}); !errors.Is(err, repair.ErrChanged) {
		t.Errorf("an old plan was applied: %v", err)
	}
}

func TestFirewallNotMended(t *testing.T) {
	ctx, f := t.Context(), kernel.NewFake()
	w := firewall.WantOf(config.Default())
	p, err := repair.Firewall(ctx, f, w)
	if err != nil {
		t.Fatal(err)
	}
	do := p.Steps[0].Do
	p.Steps[0].Do = func(ctx context.Context) ([]journal.Entry, error) {
		e, err := do(ctx)
		return e, errors.Join(err, f.RestoreRules(ctx, kernel.BackendNFT, "*filter\n-F FORWARD\nCOMMIT\n"))
	}
	if _, err := repair.Apply(ctx, p, repair.Options{}); !errors.Is(err, repair.ErrNotMended) {
		t.Errorf("rules that went away again: %v", err)
	}
}

func TestFirewallNotes(t *testing.T) {
	ctx, f := t.Context(), kernel.NewFake()
	if err := f.RestoreRules(ctx, kernel.BackendLegacy, "*filter\n-P FORWARD DROP\nCOMMIT\n"); err != nil {
		t.Fatal(err)
	}
	p, err := repair.Firewall(ctx, f, firewall.WantOf(config.Default()))
	if err != nil || len(p.Notes) != 1 || !strings.Contains(p.Notes[0].String(), "iptables-legacy holds rules too, and they drop") {
		t.Errorf("notes: %q, %v", p.Notes, err)
	}
}
