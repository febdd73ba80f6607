package repair

import (
	"context"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"flatnet/core/firewall"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// FirewallID names the repair that puts the network's rules back.
const FirewallID = "firewall"

// Firewall plans what firewall.Ensure would do, with a diff of our rules;
// rules that are all there give a plan without steps. What is in the way and
// belongs to others is in the notes.
func Firewall(ctx context.Context, k kernel.Kernel, w firewall.Want) (Plan, error) {
	s, err := firewall.Look(ctx, k, w)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Repair: FirewallID, Title: say.F("Set the packet filter rules for %s", w.Bridge), Notes: firewallNotes(s)}
	if s.OK() {
		p.Notes = append([]say.Text{"The rules are as they ought to be."}, p.Notes...)
		return p, nil
	}
	p.Steps = []Step{{
		Text:    firewallText(s),
		Command: firewallCommand(s),
		Diff:    FirewallDiff(s),
		Do:      setRules(k, w, s),
	}}
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return Firewall(ctx, k, w) })
	p.Verify = func(ctx context.Context) error {
		s, err := firewall.Look(ctx, k, w)
		if err == nil && !s.OK() {
			err = say.Errorf("still to do: %s", strings.Join(s.Changes, "; "))
		}
		return err
	}
	return p, nil
}

// FirewallDiff is a unified diff from our rules as they are to what they
// ought to be, "" where there is no difference.
func FirewallDiff(s firewall.Status) string {
	return udiff.Unified("rules now", "rules wanted", lines(s.Have), lines(s.Want))
}

// lines ends each with a newline; none is the empty text.
func lines(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, "\n") + "\n"
}

func firewallCommand(s firewall.Status) string {
	commands := make([]string, len(s.Changes))
	for i, c := range s.Changes {
		commands[i] = string(s.Backend) + " " + c
	}
	return strings.Join(commands, " && ")
}

// setRules journals the rules before and after.
func setRules(k kernel.Kernel, w firewall.Want, s firewall.Status) func(context.Context) ([]journal.Entry, error) {
	return func(ctx context.Context) ([]journal.Entry, error) {
		if _, err := firewall.Ensure(ctx, k, w); err != nil {
			return nil, err
		}
		return []journal.Entry{{
			Text:   "set the packet filter rules for " + w.Bridge + " (" + string(s.Backend) + ")",
			Before: strings.Join(s.Have, "\n"),
			After:  strings.Join(s.Want, "\n"),
		}}, nil
	}
}

// firewallNotes says what our rules cannot mend.
func firewallNotes(s firewall.Status) []say.Text {
	var notes []say.Text
	if s.Mixed() {
		note := say.F("%s holds rules too; a packet must pass both backends.", s.Other)
		if s.OtherDrops {
			note = say.F("%s holds rules too, and they drop: a packet must pass both backends. Find out who sets them (%s-save), and have all programs use one backend.", s.Other, s.Other)
		}
		notes = append(notes, note)
	}
	if s.OtherError != "" {
		notes = append(notes, say.F("Whether the other backend holds rules is unknown: %s", s.OtherError))
	}
	return notes
}

// firewallText says in words what would be done.
func firewallText(s firewall.Status) say.Text {
	parts := []say.Text{say.F("Set the rules of %s", s.Backend)}
	add := func(rules []string, one, many say.Text) {
		if len(rules) > 0 {
			parts = append(parts, say.Count(len(rules), one, many))
		}
	}
	add(s.Missing, "add %d that is missing", "add %d that are missing")
	add(s.Misplaced, "move %d that is not first any more", "move %d that are not first any more")
	add(s.Extra, "take away %d that is doubled or not wanted", "take away %d that are doubled or not wanted")
	return say.Join("; ", parts...)
}
