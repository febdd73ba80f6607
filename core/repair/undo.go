package repair

import "context"

// Undo plans to take back the last release that a person asked for, from the
// journal, as long as its addresses are free. A Plan without steps says why
// there is nothing to take back.
func Undo(ctx context.Context, l Leases) (Plan, error) {
	panic("being written")
}
