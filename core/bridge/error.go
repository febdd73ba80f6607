package bridge

import (
	"errors"

	"flatnet/core"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// Sentinels of Ensure and Status.Obstacle, wrapped in a core.OpError with a hint.
var (
	// ErrNotBridge: the name is taken by a link of another kind.
	ErrNotBridge = say.New("the name is taken by something that is not a bridge")
	// ErrForeignAddress: the bridge has an IPv4 address that is not ours.
	ErrForeignAddress = say.New("there is another address on the bridge")
	// ErrOverlap: a route elsewhere covers addresses of the subnet.
	ErrOverlap = say.New("the subnet overlaps an existing route")
)

func notBridge(name, kind string) error {
	return &core.OpError{
		Op: "make the bridge", Target: name,
		Err:  say.Errorf("%w (kind %s)", ErrNotBridge, kind),
		Hint: "rename or delete that interface, or choose another name for bridge under [network]",
	}
}

func foreignAddress(name, there, want string) error {
	return &core.OpError{
		Op: "use the bridge", Target: name,
		Err: say.Errorf("%w: %s, not %s", ErrForeignAddress, there, want),
		Hint: say.F("if nothing else needs it: sudo ip address del %s dev %s; or choose another subnet or bridge under [network]",
			there, name),
	}
}

func overlap(name, subnet, route string) error {
	return &core.OpError{
		Op: "make the bridge", Target: name,
		Err:  say.Errorf("%w: %s and %s", ErrOverlap, subnet, route),
		Hint: "choose another subnet under [network], or take that route away",
	}
}

func failed(op say.Text, target string, err error) error {
	e := &core.OpError{Op: op, Target: target, Err: err}
	if errors.Is(err, kernel.ErrPermission) {
		e.Hint = "run it as root"
	}
	return e
}
