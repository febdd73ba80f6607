package windows

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core"
	"flatnet/core/say"
)

// Change is one call of route.exe that changes the table.
type Change struct {
	Add         bool // else: delete
	Destination netip.Prefix
	// Gateway is the next hop; invalid with delete: every route to Destination.
	Gateway netip.Addr
}

// routeMetric makes ours the cheapest that Windows lets it be; it adds the
// metric of the interface.
const routeMetric = "1"

// Args gives the arguments of route.exe.
func (c Change) Args() []string {
	args := []string{"delete", c.Destination.Addr().String(), "mask", Mask(c.Destination.Bits()).String()}
	if c.Gateway.IsValid() {
		args = append(args, c.Gateway.String())
	}
	if c.Add {
		args[0] = "add"
		args = append(args, "metric", routeMetric)
	}
	return args
}

// Command gives the call as a person types it in PowerShell.
func (c Change) Command() string { return "route.exe " + strings.Join(c.Args(), " ") }

// Text says what the change is.
func (c Change) Text() say.Text {
	switch {
	case c.Add:
		return say.F("add the route to %s by way of WSL at %s", c.Destination, c.Gateway)
	case c.Gateway.IsValid():
		return say.F("take away the route to %s by way of %s", c.Destination, c.Gateway)
	}
	return say.F("take away every route to %s", c.Destination)
}

// Changes gives what turns the table into one in which exactly one route
// leads to subnet, by way of wsl: that one first, then what else leads there.
// It leaves routes to wider or narrower networks alone, for they are not ours,
// and everything where Windows is on that network itself.
func Changes(t Table, subnet netip.Prefix, wsl netip.Addr) []Change {
	subnet = subnet.Masked()
	if t.home(subnet) != nil {
		return nil
	}
	add := Change{Add: true, Destination: subnet, Gateway: wsl}
	ours := 0
	var others []netip.Addr
	for _, e := range slices.Concat(t.Active, t.Persistent) {
		if e.Destination == subnet && e.Gateway != wsl && !slices.Contains(others, e.Gateway) {
			others = append(others, e.Gateway)
		}
	}
	for _, e := range t.Active {
		if e.Destination == subnet && e.Gateway == wsl {
			ours++
		}
	}
	// route.exe cannot name one of two alike, nor one without next hop.
	if ours > 1 || slices.Contains(others, netip.Addr{}) {
		return []Change{{Destination: subnet}, add}
	}
	var all []Change
	if ours == 0 {
		all = append(all, add)
	}
	for _, gateway := range others {
		all = append(all, Change{Destination: subnet, Gateway: gateway})
	}
	return all
}

// done tells whether t is as the change wants it.
func (c Change) done(t Table) bool {
	is := func(e Entry) bool {
		return e.Destination == c.Destination && (e.Gateway == c.Gateway || !c.Gateway.IsValid())
	}
	if c.Add {
		return slices.ContainsFunc(t.Active, is)
	}
	return !slices.ContainsFunc(slices.Concat(t.Active, t.Persistent), is)
}

// Change runs route.exe and reads the table again, for what route.exe says is
// translated and its exit status not documented. ErrDenied where Windows did
// not make the change.
func (s *System) Change(ctx context.Context, c Change) error {
	out, err := s.host.Run(ctx, 0, routeExe, c.Args()...)
	if err == nil {
		var t Table
		if t, err = s.Table(ctx); err == nil && !c.done(t) {
			err = say.Errorf("%w: the table is as before (route.exe ended with status %d)", ErrDenied, out.Exit)
		}
	}
	if err != nil {
		return &core.OpError{Op: "change Windows' routes:", Target: c.Command(), Err: err, Hint: hint(err)}
	}
	return nil
}
