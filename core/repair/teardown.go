package repair

import (
	"context"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// TeardownID names what takes the network off the machine.
const TeardownID = "teardown"

// Teardown plans to take the rules and the bridge away, as before Flatnet came.
// ErrHarm while containers are on the bridge. ip_forward stays: others may
// count on it.
func Teardown(ctx context.Context, k kernel.Kernel, c config.Config) (Plan, error) {
	p := Plan{Repair: TeardownID, Title: say.F("Take the network %s off this machine", c.Network.Name)}
	b, err := bridge.Look(ctx, k, c.Network)
	if err != nil {
		return Plan{}, err
	}
	if len(b.Ports) > 0 {
		return Plan{}, say.Errorf("%w: %d containers are on %s; stop them first", ErrHarm, len(b.Ports), b.Name)
	}
	want := firewall.WantOf(c)
	rules, err := firewall.Look(ctx, k, want)
	switch {
	case err != nil:
		p.Notes = append(p.Notes, say.F("The rules cannot be looked at, and stay: %w", err))
	case len(rules.Have) > 0:
		p.Steps = append(p.Steps, Step{
			Text: say.F("Take %d rules of ours away", len(rules.Have)),
			Do:   quiet(func(ctx context.Context) error { return firewall.Remove(ctx, k, want) }),
		})
	}
	if b.Exists && b.IsBridge {
		p.Steps = append(p.Steps, Step{
			Text:    say.F("Take the bridge %s away", b.Name),
			Command: "ip link delete " + b.Name,
			Do:      quiet(func(ctx context.Context) error { return k.DeleteLink(ctx, b.Name) }),
		})
	}
	if len(p.Steps) == 0 {
		p.Notes = append(p.Notes, "There is neither a bridge nor a rule of ours.")
	}
	return p, nil
}
