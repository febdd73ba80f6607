package ipam

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
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
// needs besides.
type document struct {
	state   State
	version uint64
	old     bool     // has an entry of the old form
	unknown []member // fields of a newer version, which are kept
}

// member is a field that this version does not know.
type member struct{ name, text string }

// decode reads a state file of either form. Its error says what is wrong with
// the text and where.
func decode(text []byte) (document, error) {
	var d document
	s := &scanner{text: text, own: isOwn(text)}
	if !s.own && !utf8.Valid(text) {
		return d, errors.New("not UTF-8")
	}
	if err := s.object(func(name string) error { return d.member(s, name) }); err != nil {
		return d, err
	}
	if s.peek() != 0 || s.pos < len(s.text) {
		return d, s.errorf("something follows the end")
	}
	return d, d.check()
}

// isOwn tells whether text is to the byte what encode wrote.
func isOwn(text []byte) bool {
	n := len(text) - checksumSize
	return n > 0 && bytes.Equal(text[n:], appendChecksum(nil, crc32.ChecksumIEEE(text[:n])))
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
	case "checksum":
		_, err = s.string()
	default:
		d.unknown, err = s.keep(d.unknown, name)
	}
	return err
}

// allocations reads the leases, of either form.
func (d *document) allocations(s *scanner) error {
	if d.state.held != nil {
		return s.errorf("allocations come twice")
	}
	d.state.held = make([]held, 0, len(s.text)/300) // of about that size each
	err := s.object(func(key string) error {
		if s.peek() == '"' {
			return d.oldLease(s, key)
		}
		ip, err := netip.ParseAddr(key)
		if err != nil {
			return s.errorf("%v", err)
		}
		if s.own {
			d.state.held = append(d.state.held, held{ip: ip, text: s.line()})
			return nil
		}
		return d.lease(s, ip)
	})
	slices.SortStableFunc(d.state.held, func(a, b held) int { return a.ip.Compare(b.ip) })
	return err
}

// lease reads a lease of which nothing is known yet, and puts it into the
// form that encode writes.
func (d *document) lease(s *scanner, ip netip.Addr) error {
	r := leaseReader{s: s, lease: Lease{IP: ip}}
	if err := s.object(r.member); err != nil {
		return err
	}
	if r.lease.ContainerID == "" {
		return s.errorf("%s is held by no container", ip)
	}
	text := appendLease(nil, r.lease, r.unknown)
	d.state.held = append(d.state.held, held{ip: ip, text: text, lease: &r.lease})
	return nil
}

// oldLease reads an entry of the old form: container id and address.
func (d *document) oldLease(s *scanner, id string) error {
	d.old = true
	ip, err := scanAddr(s)
	if err != nil {
		return err
	}
	if id == "" {
		return s.errorf("%s is held by no container", ip)
	}
	d.state.held = append(d.state.held, held{ip: ip, lease: &Lease{IP: ip, ContainerID: id}})
	return nil
}

func (d *document) recent(s *scanner) error {
	return s.array(func() error {
		f, err := scanFreed(s)
		d.state.Recent = append(d.state.Recent, f)
		return err
	})
}

// unchanged tells whether s is what the file says.
func (d *document) unchanged(s *State) bool {
	was := &d.state
	return d.version == formatVersion && slices.Equal(s.Recent, was.Recent) &&
		s.Subnet == was.Subnet && s.Gateway == was.Gateway && s.RangeStart == was.RangeStart && s.RangeEnd == was.RangeEnd &&
		slices.EqualFunc(s.held, was.held, func(a, b held) bool { return a.ip == b.ip && a.text != nil && bytes.Equal(a.text, b.text) })
}

// check holds what must be true of the whole.
func (d *document) check() error {
	st := &d.state
	switch {
	case d.version == 0 && !d.old && len(st.held) > 0:
		return errors.New("it does not say its version")
	case d.version != 0 && d.version != formatVersion:
		return fmt.Errorf("version %d; this program knows version %d", d.version, formatVersion)
	case d.version == formatVersion && d.old:
		return errors.New("it has entries of the old form")
	case st.held == nil:
		return errors.New("it has no allocations")
	case !st.Subnet.IsValid(), !st.Gateway.IsValid(), !st.RangeStart.IsValid(), !st.RangeEnd.IsValid():
		return errors.New("it does not say its subnet, gateway and range")
	}
	for i, h := range st.held {
		if !st.Subnet.Contains(h.ip) || h.ip == st.Gateway {
			return fmt.Errorf("%s cannot be held in %s with gateway %s", h.ip, st.Subnet, st.Gateway)
		}
		if i > 0 && st.held[i-1].ip == h.ip {
			return fmt.Errorf("%s is held twice", h.ip)
		}
	}
	return nil
}

// leaseReader reads the fields of one lease.
type leaseReader struct {
	s       *scanner
	lease   Lease
	unknown []member
}

func (r *leaseReader) member(name string) (err error) {
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
	case "ports":
		l.Ports, err = s.string()
	case "allocated_at":
		l.AllocatedAt, err = scanTime(s)
	default:
		r.unknown, err = s.keep(r.unknown, name)
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

// scanNamespaceID reads a namespace's identity. One without an inode names no
// namespace: it is none.
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
	if id.Inode == 0 {
		id = kernel.NamespaceID{}
	}
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
