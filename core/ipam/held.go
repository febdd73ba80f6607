package ipam

import (
	"bytes"
	"iter"
	"net/netip"
	"slices"
)

// kept is a lease or a freed address. What came from the file stays text until
// someone asks for it: a call of the plugin looks at one or two of thousands.
type kept[T Lease | Freed] struct {
	ip       netip.Addr
	from, to int // where its line is in the state's text
	value    *T  // of one that is new or changed, and has no line
}

func byAddress(a, b kept[Lease]) int { return a.ip.Compare(b.ip) }

// lease gives the lease of h. Its line was checked when the file was read.
func (s *State) lease(h kept[Lease]) Lease {
	if h.value != nil {
		return *h.value
	}
	l, _ := parseLease(h.ip, s.object(h))
	return l
}

// object gives what stands in the line of h after its address.
func (s *State) object(h kept[Lease]) []byte {
	line := s.text[h.from:h.to]
	return line[bytes.IndexByte(line, '{'):]
}

// NewState makes the state of a network with these leases.
func NewState(p Pool, leases ...Lease) State {
	s := State{Subnet: p.Subnet, Gateway: p.Gateway, RangeStart: p.RangeStart, RangeEnd: p.RangeEnd}
	for _, l := range leases {
		s.Put(l)
	}
	return s
}

// Len gives the number of leases.
func (s *State) Len() int { return len(s.held) }

// Lease gives the lease of an address.
func (s *State) Lease(ip netip.Addr) (Lease, bool) {
	i, ok := s.index(ip)
	if !ok {
		return Lease{}, false
	}
	return s.lease(s.held[i]), true
}

// All gives every lease, in the order of addresses. The state may be changed
// meanwhile; what is given are the leases as they were at first.
func (s *State) All() iter.Seq[Lease] {
	was := State{text: s.text, held: slices.Clone(s.held)}
	return func(yield func(Lease) bool) {
		for _, h := range was.held {
			if !yield(was.lease(h)) {
				return
			}
		}
	}
}

// OfContainer gives all leases of a container, by address.
func (s *State) OfContainer(containerID string) []Lease {
	start := slices.Concat([]byte(leaseStart), quoted(containerID)[len(`"`):])
	return s.filter(
		func(text []byte) bool { return bytes.HasPrefix(text, start) },
		func(l Lease) bool { return l.ContainerID == containerID })
}

// OfName gives all leases of containers of this name, by address.
func (s *State) OfName(name string) []Lease {
	if name == "" {
		return nil
	}
	return s.filter(
		nameIs(name),
		func(l Lease) bool { return l.Name == name })
}

// OfHostVeth gives the leases whose host veth has this name, by address.
func (s *State) OfHostVeth(name string) []Lease {
	return s.filter(
		holds("host_veth", name),
		func(l Lease) bool { return l.HostVeth == name })
}

// OfMAC gives the leases whose interface has this MAC address, by address.
func (s *State) OfMAC(mac string) []Lease {
	return s.filter(
		holds("mac", mac),
		func(l Lease) bool { return l.MAC == mac })
}

// holds tells whether an entry's text has a field of this value. The quote that
// begins the field is not looked for: a search that begins with what a line has
// so many of is slow.
func holds(field, value string) func(text []byte) bool {
	part := slices.Concat([]byte(field), []byte(`":`), quoted(value))
	return func(text []byte) bool { return bytes.Contains(text, part) }
}

// nameIs is holds for a lease's name, which follows the container's id.
func nameIs(name string) func(text []byte) bool {
	field := slices.Concat([]byte(`,"name":`), quoted(name))
	return func(text []byte) bool {
		id, rest, _ := bytes.Cut(text[len(leaseStart):], []byte(`"`))
		return bytes.HasPrefix(rest, field) || bytes.HasSuffix(id, []byte(`\`)) // the id goes on
	}
}

// filter gives the leases that match, and looks only at those whose text may.
func (s *State) filter(may func(text []byte) bool, match func(Lease) bool) []Lease {
	var found []Lease
	for _, h := range s.held {
		if h.value != nil || may(s.object(h)) {
			if l := s.lease(h); match(l) {
				found = append(found, l)
			}
		}
	}
	return found
}

// Put writes a lease in place of whatever holds its address, which is then no
// longer a freed one. It checks nothing: Allocate gives addresses out.
func (s *State) Put(l Lease) {
	s.forget(l.IP)
	i, ok := s.index(l.IP)
	switch {
	case !ok:
		s.held = slices.Insert(s.held, i, kept[Lease]{ip: l.IP, value: &l})
	case s.lease(s.held[i]) != l:
		s.held[i] = kept[Lease]{ip: l.IP, value: &l}
	default:
		return
	}
	s.changed = true
}

// drop takes the lease of ip out, if there is one.
func (s *State) drop(ip netip.Addr) {
	if i, ok := s.index(ip); ok {
		s.held = slices.Delete(s.held, i, i+1)
		s.changed = true
	}
}

// has tells whether ip is held.
func (s *State) has(ip netip.Addr) bool {
	_, ok := s.index(ip)
	return ok
}

// index gives the place of ip, or where it would be.
func (s *State) index(ip netip.Addr) (int, bool) {
	return slices.BinarySearchFunc(s.held, ip, func(h kept[Lease], ip netip.Addr) int { return h.ip.Compare(ip) })
}

// gaps gives the addresses of a range that are not held, in order.
func (s *State) gaps(from, to netip.Addr) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		i, _ := s.index(from)
		for ip := from; ip.IsValid() && ip.Compare(to) <= 0; ip = ip.Next() {
			if i < len(s.held) && s.held[i].ip == ip {
				i++
			} else if !yield(ip) {
				return
			}
		}
	}
}
