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
func encode(d document, s State) []byte {
	b := make([]byte, 0, 512+400*len(s.Leases)+250*len(s.Recent))
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
	for i, ip := range s.addresses() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n\""...)
		b = append(ip.AppendTo(b), `":`...)
		if kept, ok := d.stored[ip]; ok && kept.lease == s.Leases[ip] {
			b = append(b, kept.text...)
		} else {
			b = appendLease(b, s.Leases[ip])
		}
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

// addresses gives the held addresses in order.
func (s *State) addresses() []netip.Addr {
	ips := make([]netip.Addr, 0, len(s.Leases))
	for ip := range s.Leases {
		ips = append(ips, ip)
	}
	slices.SortFunc(ips, netip.Addr.Compare)
	return ips
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
