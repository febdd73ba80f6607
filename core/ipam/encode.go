package ipam

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// encode writes d with the state s in the present form: one JSON object, one
// lease a line, in the order of addresses.
func encode(d *document, s *State) []byte {
	lines := d.lines(s)
	size := 1024 + 250*len(s.Recent)
	for _, l := range lines {
		size += len(l.text) + 24
	}
	b := make([]byte, 0, size)
	b = append(b, `{"version":`...)
	b = strconv.AppendInt(b, formatVersion, 10)
	b = appendField(b, "subnet", s.Subnet.String())
	b = appendField(b, "gateway", s.Gateway.String())
	b = appendField(b, "range_start", s.RangeStart.String())
	b = appendField(b, "range_end", s.RangeEnd.String())
	for _, m := range d.unknown {
		b = append(appendName(b, m.name), m.text...)
	}
	b = append(appendName(b, "allocations"), '{')
	for i, l := range lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n\""...)
		b = append(l.ip.AppendTo(b), `":`...)
		b = append(b, l.text...)
	}
	b = append(b, "},\"recent\":["...)
	for i, f := range s.Recent {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFreed(append(b, '\n'), f)
	}
	return append(b, "]}\n"...)
}

// line is a lease in the file.
type line struct {
	ip   netip.Addr
	text string
}

// lines gives the leases of s as they are to be written, in the order of
// addresses. Those that did not change stay as they were in the file.
func (d *document) lines(s *State) []line {
	lines := make([]line, 0, len(s.Leases))
	for ip, l := range s.Leases {
		if was, ok := d.find(ip); ok && was.lease == l {
			lines = append(lines, line{ip, was.text})
		} else {
			lines = append(lines, line{ip, string(appendLease(nil, l))})
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return a.ip.Compare(b.ip) })
	return lines
}

func appendLease(b []byte, l Lease) []byte {
	b = append(b, `{"container_id":`...)
	b = appendString(b, l.ContainerID)
	b = appendOptional(b, "name", l.Name)
	b = appendOptional(b, "ifname", l.IfName)
	b = appendOptional(b, "netns", l.NetNS)
	if l.NetNSID.Inode != 0 {
		b = append(appendName(b, "netns_id"), `{"device":`...)
		b = strconv.AppendUint(b, l.NetNSID.Device, 10)
		b = append(b, `,"inode":`...)
		b = append(strconv.AppendUint(b, l.NetNSID.Inode, 10), '}')
	}
	b = appendOptional(b, "boot_id", l.BootID)
	b = appendOptional(b, "host_veth", l.HostVeth)
	b = appendOptional(b, "mac", l.MAC)
	b = appendTime(b, "allocated_at", l.AllocatedAt)
	return append(b, '}')
}

func appendFreed(b []byte, f Freed) []byte {
	b = append(b, `{"ip":"`...)
	b = append(f.IP.AppendTo(b), '"')
	b = appendField(b, "container_id", f.ContainerID)
	b = appendOptional(b, "name", f.Name)
	b = appendOptional(b, "ifname", f.IfName)
	b = appendTime(b, "freed_at", f.FreedAt)
	return append(b, '}')
}

func appendName(b []byte, name string) []byte {
	return append(appendString(append(b, ','), name), ':')
}

func appendField(b []byte, name, value string) []byte {
	return appendString(appendName(b, name), value)
}

func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendField(b, name, value)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(appendName(b, name), '"')
	return append(t.UTC().AppendFormat(b, time.RFC3339Nano), '"')
}

// appendString writes a JSON string.
func appendString(b []byte, v string) []byte {
	for i := range len(v) {
		if c := v[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			text, _ := json.Marshal(v) // a string always can be
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), v...), '"')
}
