package ipam

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"flatnet/core"
	"flatnet/core/journal"
	"flatnet/core/say"
)

// allocation is one request on its way to an address.
type allocation struct {
	s        *State
	p        Pool
	r        Request
	now      time.Time
	reserved map[netip.Addr]string // address: the name that it is kept for
	entries  []journal.Entry
}

func newAllocation(s *State, p Pool, r Request, now time.Time) *allocation {
	a := &allocation{s: s, p: p, r: r, now: now, reserved: make(map[netip.Addr]string, len(p.Reservations))}
	for _, res := range p.Reservations {
		a.reserved[res.IP] = res.Name
	}
	return a
}

func (a *allocation) journal(action string, l Lease, text string) {
	a.entries = append(a.entries, entry(action, l, a.r.By, text, a.now))
}

// choose finds an address in the order that Allocate documents.
func (a *allocation) choose() (netip.Addr, error) {
	if a.r.IP.IsValid() {
		return a.r.IP, a.claim(a.r.IP)
	}
	if ip, ok := a.reservation(); ok {
		return ip, a.claim(ip)
	}
	for _, find := range []func() (netip.Addr, bool){a.last, a.unused, a.freedLongest, a.heal} {
		if ip, ok := find(); ok {
			return ip, nil
		}
	}
	return netip.Addr{}, a.exhausted()
}

// claim checks that the request may have ip, which may be outside the range
// but not outside the subnet.
func (a *allocation) claim(ip netip.Addr) error {
	problem := func(err error, hint say.Text) error {
		return &core.OpError{Op: say.F("give %s to", ip), Target: a.lease(ip, a.now).Owner(), Err: err, Hint: hint}
	}
	if err := a.p.Check(ip); err != nil {
		return problem(err, say.F("ask for another address of %s", a.p.Subnet))
	}
	if name, ok := a.reserved[ip]; ok && name != a.r.Name {
		return problem(say.Errorf("%w: %s", ErrReserved, name), "ask for another address, or take the reservation out of the configuration")
	}
	if held, ok := a.s.Lease(ip); ok && !a.reclaim(held) {
		return problem(say.Errorf("%w by %s since %s", ErrTaken, held.Owner(), held.AllocatedAt.Format(time.RFC3339)),
			say.F("ask for another address; or, if that container is gone: sudo flatnet-tui leases release %s", ip))
	}
	i := slices.IndexFunc(a.s.recent, func(k kept[Freed]) bool { return k.ip == ip })
	if i < 0 {
		return nil
	}
	if f := a.s.freed(a.s.recent[i]); a.keptFromUs(f) {
		until := f.FreedAt.Add(a.p.Quarantine)
		return problem(say.Errorf("%w until %s", ErrQuarantined, until.Format(time.RFC3339)), "wait, or shorten ipam.quarantine in the configuration")
	}
	return nil
}

// reservation gives the address reserved for the request's name, unless the
// container has it on another interface already.
func (a *allocation) reservation() (netip.Addr, bool) {
	for _, res := range a.p.Reservations {
		if a.r.Name != "" && res.Name == a.r.Name {
			held, ok := a.s.Lease(res.IP)
			return res.IP, !ok || held.ContainerID != a.r.ContainerID
		}
	}
	return netip.Addr{}, false
}

// last gives the last address of this container or, if it had none, of this
// name; also one that a container of this name still has on record and is
// surely gone: made anew after a boot or a crash, it had no time to leave.
func (a *allocation) last() (netip.Addr, bool) {
	if !a.p.Sticky {
		return netip.Addr{}, false
	}
	for f := range a.s.recentWhere(holds("container_id", a.r.ContainerID)) {
		if f.ContainerID == a.r.ContainerID && a.fits(f) {
			return f.IP, true
		}
	}
	for f := range a.s.recentWhere(holds("name", a.r.Name)) {
		if f.Name != "" && f.Name == a.r.Name && a.fits(f) {
			return f.IP, true
		}
	}
	for _, l := range a.s.OfName(a.r.Name) {
		if l.ContainerID != a.r.ContainerID && l.attachedAs(a.r.IfName) && a.givable(l.IP) && a.reclaim(l) {
			return l.IP, true
		}
	}
	return netip.Addr{}, false
}

// fits tells whether f may be given once more to its own container.
func (a *allocation) fits(f Freed) bool {
	return (f.IfName == a.r.IfName || f.IfName == "") && a.free(f.IP)
}

// unused gives the lowest address that is not remembered as freed.
func (a *allocation) unused() (netip.Addr, bool) {
	freed := make(map[netip.Addr]bool, len(a.s.recent))
	for _, k := range a.s.recent {
		freed[k.ip] = true
	}
	for ip := range a.s.gaps(a.p.RangeStart, a.p.RangeEnd) {
		if !freed[ip] && a.givable(ip) {
			return ip, true
		}
	}
	return netip.Addr{}, false
}

// freedLongest gives the address that was freed longest ago.
func (a *allocation) freedLongest() (netip.Addr, bool) {
	for _, k := range slices.Backward(a.s.recent) {
		if a.free(k.ip) && !a.keptFromUs(a.s.freed(k)) {
			return k.ip, true
		}
	}
	return netip.Addr{}, false
}

// heal takes the oldest lease whose owner is surely gone.
func (a *allocation) heal() (netip.Addr, bool) {
	held := slices.Collect(a.s.All())
	slices.SortStableFunc(held, func(x, y Lease) int { return x.AllocatedAt.Compare(y.AllocatedAt) })
	for _, l := range held {
		if a.givable(l.IP) && a.reclaim(l) {
			return l.IP, true
		}
	}
	return netip.Addr{}, false
}

// reclaim frees a lease if its owner is surely gone.
func (a *allocation) reclaim(l Lease) bool {
	seen := a.look(l)
	if seen.Says != Gone {
		return false
	}
	a.s.drop(l.IP)
	a.journal("heal", l, fmt.Sprintf("%s taken back from %s: %s", l.IP, l.Owner(), seen.Text))
	return true
}

// look asks the request's witness.
func (a *allocation) look(l Lease) Testimony {
	if a.r.Witness == nil {
		return Testimony{}
	}
	return a.r.Witness(l)
}

// free tells whether ip can be given without taking it from anyone.
func (a *allocation) free(ip netip.Addr) bool {
	return !a.s.has(ip) && a.givable(ip)
}

// givable tells whether ip may be given out at all to one who did not ask for it.
func (a *allocation) givable(ip netip.Addr) bool {
	name, reserved := a.reserved[ip]
	return a.p.inRange(ip) && a.p.Check(ip) == nil && (!reserved || name == a.r.Name)
}

// keptFromUs tells whether f is in quarantine, and not our own.
func (a *allocation) keptFromUs(f Freed) bool {
	ours := f.ContainerID == a.r.ContainerID || f.Name != "" && f.Name == a.r.Name
	return !ours && a.p.InQuarantine(f, a.now)
}

// exhausted says how the pool is used up, and what to do. What the witness
// cannot judge it calls neither active nor stale.
func (a *allocation) exhausted() error {
	var held, reserved, waiting int
	seen := map[Sight]int{}
	for l := range a.s.All() {
		if a.p.inRange(l.IP) {
			held++
			seen[a.look(l).Says]++
		}
	}
	for ip := range a.reserved {
		if a.p.inRange(ip) && !a.s.has(ip) {
			reserved++
		}
	}
	for f := range a.s.Recent() {
		if a.free(f.IP) && a.keptFromUs(f) {
			waiting++
		}
	}
	return &core.OpError{
		Op: "give an address to", Target: a.lease(netip.Addr{}, a.now).Owner(),
		Err: say.Errorf("%w %s to %s: %d held (%d active, %d stale, %d that the plugin cannot judge), %d reserved, %d in quarantine",
			ErrExhausted, a.p.RangeStart, a.p.RangeEnd, held, seen[Alive], seen[Gone], seen[Unclear], reserved, waiting),
		Hint: "stop containers that are not needed; sudo flatnet-tui leases release --stale releases what was left behind, and sudo flatnet-tui leases list shows who holds what; or widen network.range_end",
	}
}
