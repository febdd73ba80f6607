// Package leases says of each address what it is: in use, left behind,
// reserved, in quarantine, or not to be told. It brings together the state
// (core/ipam), Podman and the kernel's namespaces. It changes nothing; the
// plugin does not use it, because Podman waits for the plugin.
package leases

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/say"
)

// State is what an address is just now.
type State string

// The states. Stale needs two witnesses; where one of them cannot be asked, or
// where they disagree, a lease is Unknown, never stale.
const (
	Active      State = "active"
	Stale       State = "stale"
	Reserved    State = "reserved"
	Quarantined State = "quarantined"
	Unknown     State = "unknown"
)

// Status is one address. Of a reserved one only IP and Name are set; of one
// in quarantine they are those of its last owner.
type Status struct {
	ipam.Lease
	State  State     `json:"state"`
	Reason say.Text  `json:"reason"`         // what was seen, in a sentence
	Until  time.Time `json:"until,omitzero"` // quarantined: its end
}

// Held tells whether a container has the address on record.
func (s Status) Held() bool { return s.State != Reserved && s.State != Quarantined }

// Sources are where Look looks.
type Sources struct {
	Network string // its name, as Podman knows it
	Pool    ipam.Pool
	Store   ipam.Store
	Kernel  kernel.Kernel
	Podman  podman.Client
	Now     func() time.Time
}

// Look reads the state, asks both witnesses and judges. Podman not answering
// is no error: leases that need it are Unknown. An error means that the state
// itself could not be read.
//
// The state is read first: a container that starts meanwhile has a lease that
// is not looked at, or one whose namespace is there.
func Look(ctx context.Context, s Sources) ([]Status, error) {
	state, err := s.Store.Read(ctx)
	if err != nil {
		return nil, err
	}
	p := askPodman(ctx, s)
	k := LookAtKernel(ctx, s.Kernel)
	var all []Status
	for l := range state.All() {
		all = append(all, judge(ctx, l, p, k))
	}
	all = append(all, notHeld(&state, s.Pool, s.Now())...)
	slices.SortFunc(all, func(a, b Status) int { return a.IP.Compare(b.IP) })
	return all, nil
}

// judge weighs what the two witnesses say.
func judge(ctx context.Context, l ipam.Lease, p *podmanWitness, k *KernelWitness) Status {
	byPodman, container := p.see(l)
	byKernel := k.See(ctx, l)
	if l.Name == "" {
		l.Name = container.Name
	}
	return Status{Lease: l, State: weigh(byPodman, byKernel), Reason: say.Join("; ", byPodman.Text, byKernel.Text)}
}

func weigh(byPodman, byKernel ipam.Testimony) State {
	switch {
	case byPodman.Says == ipam.Gone && byKernel.Says == ipam.Gone:
		return Stale
	case byPodman.Says == ipam.Alive && byKernel.Says != ipam.Gone:
		return Active
	}
	return Unknown
}

// notHeld lists what is kept without being held.
func notHeld(state *ipam.State, p ipam.Pool, now time.Time) []Status {
	var all []Status
	reserved := make(map[netip.Addr]bool, len(p.Reservations))
	for _, r := range p.Reservations {
		reserved[r.IP] = true
		if _, held := state.Lease(r.IP); !held {
			all = append(all, Status{Lease: ipam.Lease{IP: r.IP, Name: r.Name}, State: Reserved, Reason: say.F("reserved for %s", r.Name)})
		}
	}
	for f := range state.Recent() {
		if reserved[f.IP] || !p.InQuarantine(f, now) {
			continue
		}
		until := f.FreedAt.Add(p.Quarantine)
		l := ipam.Lease{IP: f.IP, ContainerID: f.ContainerID, Name: f.Name, IfName: f.IfName}
		all = append(all, Status{
			Lease: l, State: Quarantined, Until: until,
			Reason: say.F("freed by %s, kept out of use until %s", l.Owner(), until.Format(time.RFC3339)),
		})
	}
	return all
}
