package repair

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// BridgeID names the repair that makes or mends the bridge, puts containers
// back on it, and switches ip_forward on.
const BridgeID = "bridge"

// Bridge plans what makes the bridge as configured: one step for ip_forward,
// one for the bridge and one for each container's interface that is off it. A
// bridge that is as configured gives a plan without steps. What is in the way
// and belongs to others is an error (bridge.ErrNotBridge and its like).
func Bridge(ctx context.Context, k kernel.Kernel, n config.Network) (Plan, error) {
	s, err := bridge.Look(ctx, k, n)
	if err != nil {
		return Plan{}, err
	}
	if err := s.Obstacle(); err != nil {
		return Plan{}, err
	}
	p := Plan{Repair: BridgeID, Title: say.F("Mend the bridge %s", n.Bridge), Steps: bridgeSteps(k, n, s)}
	if len(p.Steps) == 0 {
		p.Notes = []say.Text{"The bridge is as configured."}
		return p, nil
	}
	p.Fits = Unchanged(p, func(ctx context.Context) (Plan, error) { return Bridge(ctx, k, n) })
	p.Verify = func(ctx context.Context) error {
		left, err := Bridge(ctx, k, n)
		if err == nil && len(left.Steps) > 0 {
			err = say.New(left.Steps[0].Text)
		}
		return err
	}
	return p, nil
}

func bridgeSteps(k kernel.Kernel, n config.Network, s bridge.Status) []Step {
	var steps []Step
	if !s.IPForward {
		steps = append(steps, Step{
			Text:    "Switch on ip_forward",
			Command: "sysctl -w " + bridge.ForwardKey + "=1",
			Do:      quiet(func(ctx context.Context) error { return bridge.Forward(ctx, k) }),
		})
	}
	if text, commands := bridgeChanges(s); text != "" {
		steps = append(steps, Step{
			Text:    text,
			Command: strings.Join(commands, " && "),
			Do:      quiet(func(ctx context.Context) error { return bridge.Ensure(ctx, k, n) }),
		})
	}
	for _, p := range s.Detached {
		steps = append(steps, Step{
			Text:    say.F("Put %s back on %s", portName(p), n.Bridge),
			Command: fmt.Sprintf("ip link set %s master %s up", p.Name, n.Bridge),
			Do: quiet(func(ctx context.Context) error {
				if err := k.SetMaster(ctx, p.Name, n.Bridge, n.Hairpin); err != nil {
					return err
				}
				return k.SetUp(ctx, p.Name)
			}),
		})
	}
	for _, p := range s.Ports {
		if !p.Enabled {
			steps = append(steps, Step{
				Text:    say.F("Switch on %s", portName(p)),
				Command: "ip link set " + p.Name + " up",
				Do:      quiet(func(ctx context.Context) error { return k.SetUp(ctx, p.Name) }),
			})
		}
	}
	return steps
}

// bridgeChanges says what bridge.Ensure would do to the bridge itself, in
// words and as commands.
func bridgeChanges(s bridge.Status) (text say.Text, commands []string) {
	address := fmt.Sprintf("ip address add %s dev %s", s.Want, s.Name)
	mtu := fmt.Sprintf("ip link set %s mtu %d", s.Name, s.WantMTU)
	up := "ip link set " + s.Name + " up"
	if !s.Exists {
		commands = []string{"ip link add " + s.Name + " type bridge", address, up}
		if s.WantMTU != 0 {
			commands = slices.Insert(commands, 1, mtu)
		}
		return say.F("Make the bridge %s with %s, and switch it on", s.Name, s.Want), commands
	}
	var words []say.Text
	if !s.AddressOK() {
		words, commands = append(words, say.F("give it %s", s.Want)), append(commands, address)
	}
	if !s.MTUOK() {
		words = append(words, say.F("set its MTU from %d to %d", s.MTU, s.WantMTU))
		commands = append(commands, mtu)
	}
	if !s.Up {
		words, commands = append(words, "switch it on"), append(commands, up)
	}
	if len(words) == 0 {
		return "", nil
	}
	return say.F("Bridge %s: %s", s.Name, say.Join(", ", words...)), commands
}

// portName names a port with whose it is.
func portName(p bridge.Port) string {
	if p.Alias == "" {
		return p.Name
	}
	return p.Name + " (" + p.Alias + ")"
}

// quiet makes a Step's Do of a change whose text says all that there is to
// journal.
func quiet(f func(context.Context) error) func(context.Context) ([]journal.Entry, error) {
	return func(ctx context.Context) ([]journal.Entry, error) { return nil, f(ctx) }
}

// Unchanged gives a Fits that plans again and refuses with ErrChanged a plan with other steps.
func Unchanged(p Plan, again func(context.Context) (Plan, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		now, err := again(ctx)
		if err != nil {
			return err
		}
		same := func(a, b Step) bool { return a.Text == b.Text && a.Command == b.Command && a.Diff == b.Diff }
		if !slices.EqualFunc(p.Steps, now.Steps, same) {
			return ErrChanged
		}
		return nil
	}
}
