package ipam

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"flatnet/core/kernel"
	"flatnet/core/say"
)

// formatVersion is the version that is written (contracts.md, State). The old
// form, from container id to address, has none.
const formatVersion = 2

// document is a state file as it was read: the state, and what writing it back
// needs besides.
type document struct {
	state   State
	own     bool // it is as encode wrote it
	version uint64
	old     bool     // has an entry of the old form
	unknown []member // fields of a newer version, which are kept
}

// member is one field of a JSON object.
type member struct {
	name string
	text json.RawMessage
}

// decode reads a state file of either form. Its error says what is wrong with
// the text.
//
// What encode wrote has one lease a line and a checksum; there the leases stay
// text until someone asks for them. All other text goes through encoding/json
// as a whole, which takes longer for 2,000 leases than an ADD may altogether:
// 18 ms of the processor for reading and writing, against 0.3 (BenchmarkDecode,
// BenchmarkEncode, BenchmarkPlain).
func decode(text []byte) (document, error) {
	d, own := readOwn(text)
	if !own {
		d = document{}
		if err := d.read(text); err != nil {
			return d, err
		}
	}
	d.own = own
	return d, d.check()
}

// read takes any text.
func (d *document) read(text []byte) error {
	if !utf8.Valid(text) {
		return say.New("not UTF-8")
	}
	fields, err := members(text)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if err := d.field(f); err != nil {
			return say.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// field reads one field of the whole.
func (d *document) field(f member) error {
	s := &d.state
	switch f.name {
	case "version":
		return json.Unmarshal(f.text, &d.version)
	case "subnet":
		return json.Unmarshal(f.text, &s.Subnet)
	case "gateway":
		return json.Unmarshal(f.text, &s.Gateway)
	case "range_start":
		return json.Unmarshal(f.text, &s.RangeStart)
	case "range_end":
		return json.Unmarshal(f.text, &s.RangeEnd)
	case "allocations":
		return d.allocations(f.text)
	case "recent":
		return d.recent(f.text)
	case "checksum":
		return nil // of another text than this
	}
	d.unknown = append(d.unknown, f)
	return nil
}

// allocations reads the leases, of either form.
func (d *document) allocations(text []byte) error {
	s := &d.state
	if s.held != nil {
		return say.New("they come twice")
	}
	entries, err := members(text)
	if err != nil {
		return err
	}
	s.held = make([]kept[Lease], 0, len(entries))
	for _, e := range entries {
		h, line, err := heldBy(e)
		if err != nil {
			return say.Errorf("%q: %w", e.name, err)
		}
		d.old = d.old || h.value != nil
		h.from, h.to = s.addLine(line)
		s.held = append(s.held, h)
	}
	slices.SortStableFunc(s.held, byAddress)
	return nil
}

// recent reads the freed addresses.
func (d *document) recent(text []byte) error {
	s := &d.state
	var all []Freed
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for _, f := range all {
		line, err := freedLine(f)
		if err != nil {
			return err
		}
		from, to := s.addLine(line)
		s.recent = append(s.recent, kept[Freed]{ip: f.IP, from: from, to: to})
	}
	return nil
}

// addLine puts a line into the state's text.
func (s *State) addLine(line []byte) (from, to int) {
	from = len(s.text)
	s.text = append(s.text, line...)
	return from, len(s.text)
}

// heldBy reads one entry: address and lease or, of the old form, container id
// and address. The latter has no line.
func heldBy(e member) (h kept[Lease], line []byte, err error) {
	var l Lease
	if e.text[0] == '"' {
		l.ContainerID = e.name
		err = json.Unmarshal(e.text, &l.IP)
		h.ip, h.value = l.IP, &l
	} else if h.ip, err = netip.ParseAddr(e.name); err == nil {
		l, line, err = normal(h.ip, e.text)
	}
	if err == nil && l.ContainerID == "" {
		err = say.New("held by no container")
	}
	return h, line, err
}

// leaseFields are those of a lease in the file.
var leaseFields = []string{"container_id", "name", "ifname", "netns", "netns_id", "boot_id", "host_veth", "mac", "ports", "aliases", "allocated_at"}

// isLeaseField tells whether encoding/json reads a field of a lease from this
// name, to which upper and lower case are the same.
func isLeaseField(name string) bool {
	return slices.ContainsFunc(leaseFields, func(f string) bool { return strings.EqualFold(f, name) })
}

// normal reads a lease, and gives the line that encode writes for it, with the
// fields of a newer version at its end.
func normal(ip netip.Addr, text []byte) (Lease, []byte, error) {
	l, err := parseLease(ip, text)
	if err != nil {
		return l, nil, err
	}
	fields, err := members(text)
	if err != nil {
		return l, nil, err
	}
	unknown := slices.DeleteFunc(fields, func(f member) bool { return isLeaseField(f.name) })
	line, err := leaseLine(l)
	if err == nil {
		line, err = withMembers(line, unknown)
	}
	return l, line, err
}

// parseLease reads a lease's text. A namespace's identity without an inode is
// none.
func parseLease(ip netip.Addr, text []byte) (Lease, error) {
	var l Lease
	err := json.Unmarshal(text, &l)
	l.IP = ip
	if l.NetNSID.Inode == 0 {
		l.NetNSID = kernel.NamespaceID{}
	}
	return l, err
}

// members gives the fields of a JSON object in their order, each as often as
// it is there.
func members(text []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.Join(say.New("not a JSON object"), err)
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		all = append(all, member{name.(string), value})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, say.New("something follows the end")
	}
	return all, nil
}

// unchanged tells whether s is what the file says.
func (d *document) unchanged(s *State) bool {
	was := &d.state
	return d.version == formatVersion && !s.changed &&
		s.Subnet == was.Subnet && s.Gateway == was.Gateway && s.RangeStart == was.RangeStart && s.RangeEnd == was.RangeEnd
}

// check holds what must be true of the whole.
func (d *document) check() error {
	st := &d.state
	switch {
	case d.version == 0 && !d.old && len(st.held) > 0:
		return say.New("it does not say its version")
	case d.version != 0 && d.version != formatVersion:
		return say.Errorf("version %d; this program knows version %d", d.version, formatVersion)
	case d.version == formatVersion && d.old:
		return say.New("it has entries of the old form")
	case st.held == nil:
		return say.New("it has no allocations")
	case !st.Subnet.IsValid(), !st.Gateway.IsValid(), !st.RangeStart.IsValid(), !st.RangeEnd.IsValid():
		return say.New("it does not say its subnet, gateway and range")
	case slices.ContainsFunc(st.recent, func(k kept[Freed]) bool { return !k.ip.IsValid() }):
		return say.New("a freed address is missing")
	}
	for i, h := range st.held {
		if !st.Subnet.Contains(h.ip) || h.ip == st.Gateway {
			return say.Errorf("%s cannot be held in %s with gateway %s", h.ip, st.Subnet, st.Gateway)
		}
		if i > 0 && st.held[i-1].ip == h.ip {
			return say.Errorf("%s is held twice", h.ip)
		}
	}
	return nil
}
