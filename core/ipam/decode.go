package ipam

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"

	"flatnet/core/kernel"
)

// formatVersion is the version that is written (contracts.md, State). The old
// form, from container id to address, has none.
const formatVersion = 2

// document is a state file as it was read: the state, and what writing it back
// needs. Leases that did not change are written back as they were, with fields
// that only a newer version knows; so are unknown fields of the whole.
type document struct {
	state   State
	version uint64
	stored  []stored // by address
	unknown []member
}

// stored is a lease with its text in the file.
type stored struct {
	lease Lease
	text  string
}

// member is a field that this version does not know.
type member struct{ name, text string }

// decode reads a state file of either form. Its error says what is wrong with
// the text and where.
func decode(text string) (document, error) {
	var d document
	if !utf8.ValidString(text) {
		return d, errors.New("not UTF-8")
	}
	s := &scanner{text: text}
	if err := s.object(func(name string) error { return d.member(s, name) }); err != nil {
		return d, err
	}
	if s.peek() != 0 || s.pos < len(s.text) {
		return d, s.errorf("something follows the end")
	}
	slices.SortFunc(d.stored, func(a, b stored) int { return a.lease.IP.Compare(b.lease.IP) })
	return d, d.check()
}

// member reads one field of the whole.
func (d *document) member(s *scanner, name string) (err error) {
	switch name {
	case "version":
		d.version, err = s.number()
	case "subnet":
		d.state.Subnet, err = scanPrefix(s)
	case "gateway":
		d.state.Gateway, err = scanAddr(s)
	case "range_start":
		d.state.RangeStart, err = scanAddr(s)
	case "range_end":
		d.state.RangeEnd, err = scanAddr(s)
	case "allocations":
		err = d.allocations(s)
	case "recent":
		err = d.recent(s)
	default:
		var text string
		text, err = s.raw()
		d.unknown = append(d.unknown, member{name, text})
	}
	return err
}

// allocations reads the leases, of either form.
func (d *document) allocations(s *scanner) error {
	if d.state.Leases != nil {
		return s.errorf("allocations come twice")
	}
	size := len(s.text) / 300 // most of the file is leases of about that size
	d.state.Leases = make(map[netip.Addr]Lease, size)
	d.stored = make([]stored, 0, size)
	scan := leaseScanner{s: s}
	field := scan.member
	return s.object(func(key string) error {
		if s.peek() == '"' {
			return d.oldLease(s, key)
		}
		ip, err := netip.ParseAddr(key)
		if err != nil {
			return s.errorf("%v", err)
		}
		start := s.pos
		scan.lease = Lease{IP: ip}
		if err := s.object(field); err != nil {
			return err
		}
		d.stored = append(d.stored, stored{scan.lease, s.text[start:s.pos]})
		return d.add(s, &scan.lease)
	})
}

// oldLease reads an entry of the old form: container id and address.
func (d *document) oldLease(s *scanner, id string) error {
	ip, err := scanAddr(s)
	if err != nil {
		return err
	}
	return d.add(s, &Lease{IP: ip, ContainerID: id})
}

func (d *document) add(s *scanner, l *Lease) error {
	if _, twice := d.state.Leases[l.IP]; twice {
		return s.errorf("%s is held twice", l.IP)
	}
	if l.ContainerID == "" {
		return s.errorf("%s is held by no container", l.IP)
	}
	d.state.Leases[l.IP] = *l
	return nil
}

func (d *document) recent(s *scanner) error {
	return s.array(func() error {
		f, err := scanFreed(s)
		d.state.Recent = append(d.state.Recent, f)
		return err
	})
}

// find gives the lease that the file has at ip.
func (d *document) find(ip netip.Addr) (*stored, bool) {
	i, ok := slices.BinarySearchFunc(d.stored, ip, func(st stored, ip netip.Addr) int { return st.lease.IP.Compare(ip) })
	if !ok {
		return nil, false
	}
	return &d.stored[i], true
}

// unchanged tells whether s is what the file says.
func (d *document) unchanged(s *State) bool {
	was := &d.state
	if d.version != formatVersion || len(s.Leases) != len(d.stored) || !slices.Equal(s.Recent, was.Recent) ||
		s.Subnet != was.Subnet || s.Gateway != was.Gateway || s.RangeStart != was.RangeStart || s.RangeEnd != was.RangeEnd {
		return false
	}
	for i := range d.stored {
		if l := &d.stored[i].lease; s.Leases[l.IP] != *l {
			return false
		}
	}
	return true
}

// check holds what must be true of the whole.
func (d *document) check() error {
	st := &d.state
	switch {
	case d.version == 0 && len(d.stored) > 0:
		return errors.New("it does not say its version")
	case d.version != 0 && d.version != formatVersion:
		return fmt.Errorf("version %d; this program knows version %d", d.version, formatVersion)
	case d.version == formatVersion && len(d.stored) != len(st.Leases):
		return errors.New("it has entries of the old form")
	case st.Leases == nil:
		return errors.New("it has no allocations")
	case !st.Subnet.IsValid(), !st.Gateway.IsValid(), !st.RangeStart.IsValid(), !st.RangeEnd.IsValid():
		return errors.New("it does not say its subnet, gateway and range")
	}
	for ip := range st.Leases {
		if !st.Subnet.Contains(ip) || ip == st.Gateway {
			return fmt.Errorf("%s cannot be held in %s with gateway %s", ip, st.Subnet, st.Gateway)
		}
	}
	return nil
}

// leaseScanner reads the fields of one lease after the other.
type leaseScanner struct {
	s     *scanner
	lease Lease
}

func (r *leaseScanner) member(name string) (err error) {
	s, l := r.s, &r.lease
	switch name {
	case "container_id":
		l.ContainerID, err = s.string()
	case "name":
		l.Name, err = s.string()
	case "ifname":
		l.IfName, err = s.string()
	case "netns":
		l.NetNS, err = s.string()
	case "netns_id":
		l.NetNSID, err = scanNamespaceID(s)
	case "boot_id":
		l.BootID, err = s.string()
	case "host_veth":
		l.HostVeth, err = s.string()
	case "mac":
		l.MAC, err = s.string()
	case "allocated_at":
		l.AllocatedAt, err = scanTime(s)
	default:
		_, err = s.raw()
	}
	return err
}

func scanFreed(s *scanner) (f Freed, err error) {
	err = s.object(func(name string) (err error) {
		switch name {
		case "ip":
			f.IP, err = scanAddr(s)
		case "container_id":
			f.ContainerID, err = s.string()
		case "name":
			f.Name, err = s.string()
		case "ifname":
			f.IfName, err = s.string()
		case "freed_at":
			f.FreedAt, err = scanTime(s)
		default:
			_, err = s.raw()
		}
		return err
	})
	if err == nil && !f.IP.IsValid() {
		err = s.errorf("a freed address is missing")
	}
	return f, err
}

func scanNamespaceID(s *scanner) (id kernel.NamespaceID, err error) {
	err = s.object(func(name string) (err error) {
		switch name {
		case "device":
			id.Device, err = s.number()
		case "inode":
			id.Inode, err = s.number()
		default:
			_, err = s.raw()
		}
		return err
	})
	return id, err
}

// The three below consume a string and read it.

func scanAddr(s *scanner) (netip.Addr, error) { return scanText(s, netip.ParseAddr) }

func scanPrefix(s *scanner) (netip.Prefix, error) { return scanText(s, netip.ParsePrefix) }

func scanTime(s *scanner) (time.Time, error) {
	return scanText(s, func(text string) (time.Time, error) { return time.Parse(time.RFC3339Nano, text) })
}

func scanText[T any](s *scanner, parse func(string) (T, error)) (v T, err error) {
	text, err := s.string()
	if err != nil {
		return v, err
	}
	if v, err = parse(text); err != nil {
		return v, s.errorf("%v", err)
	}
	return v, nil
}
