package repair

import (
	"context"

	"flatnet/core/config"
	"flatnet/core/kernel"
)

// BridgeID names the repair that makes or mends the bridge and ip_forward.
const BridgeID = "bridge"

// Bridge plans what bridge.Ensure would do. Its steps are the differences; a
// bridge that is as configured gives a plan without steps.
func Bridge(ctx context.Context, k kernel.Kernel, n config.Network) (Plan, error) {
	return Plan{Repair: BridgeID}, nil
}
