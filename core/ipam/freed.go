package ipam

import (
	"encoding/json"
	"iter"
	"net/netip"
	"slices"
	"time"
)

// recentLimit is how many freed addresses are remembered. Those in quarantine
// are remembered beyond it.
const recentLimit = 1024

// Recent gives the freed addresses that are remembered, newest first.
func (s *State) Recent() iter.Seq[Freed] {
	return s.recentWhere(func([]byte) bool { return true })
}

// recentWhere gives those whose text may be of interest, and those without one.
func (s *State) recentWhere(may func(text []byte) bool) iter.Seq[Freed] {
	return func(yield func(Freed) bool) {
		for _, k := range s.recent {
			if k.value != nil || may(s.text[k.from:k.to]) {
				if !yield(s.freed(k)) {
					return
				}
			}
		}
	}
}

// freed gives what is remembered of k.
func (s *State) freed(k kept[Freed]) (f Freed) {
	if k.value != nil {
		return *k.value
	}
	_ = json.Unmarshal(s.text[k.from:k.to], &f) // was checked when the file was read
	f.IP = k.ip
	return f
}

// free takes a lease away and remembers whose it was.
func (s *State) free(l Lease, now time.Time) {
	s.drop(l.IP)
	s.forget(l.IP)
	s.remember(0, Freed{IP: l.IP, ContainerID: l.ContainerID, Name: l.Name, IfName: l.IfName, FreedAt: now})
}

// remember makes f the i-th of the freed addresses.
func (s *State) remember(i int, f Freed) {
	s.recent = slices.Insert(s.recent, i, kept[Freed]{ip: f.IP, value: &f})
	s.changed = true
}

func (s *State) forget(ip netip.Addr) {
	s.forgetWhere(func(k kept[Freed]) bool { return k.ip == ip })
}

func (s *State) forgetWhere(gone func(kept[Freed]) bool) {
	n := len(s.recent)
	s.recent = slices.DeleteFunc(s.recent, gone)
	s.changed = s.changed || len(s.recent) != n
}

// prune forgets the oldest freed addresses beyond the limit.
func (s *State) prune(p Pool, now time.Time) {
	for n := len(s.recent) - 1; n >= recentLimit && !p.InQuarantine(s.freed(s.recent[n]), now); n-- {
		s.recent = s.recent[:n]
		s.changed = true
	}
}
