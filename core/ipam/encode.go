package ipam

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// checksumField begins the last field. Its value is the CRC-32 of all that is
// before it: text that has it right is as encode wrote it.
const checksumField = `,"checksum":"`

// checksumSize is the length of the last field and what follows, in bytes.
const checksumSize = len(checksumField) + 8 + len("\"}\n")

func appendChecksum(b []byte, sum uint32) []byte {
	return fmt.Appendf(b, "%s%08x\"}\n", checksumField, sum)
}

// encode writes d with the state s in the present form: one JSON object, one
// lease a line, in the order of addresses.
func encode(w io.Writer, d *document, s *State) error {
	p := &pieces{w: w}
	b := make([]byte, 0, pieceSize+4096)
	b = append(b, `{"version":`...)
	b = strconv.AppendInt(b, formatVersion, 10)
	b = appendField(b, "subnet", s.Subnet.String())
	b = appendField(b, "gateway", s.Gateway.String())
	b = appendField(b, "range_start", s.RangeStart.String())
	b = appendField(b, "range_end", s.RangeEnd.String())
	b = appendUnknown(b, d.unknown)
	b = append(appendName(b, "allocations"), '{')
	for i := range s.held {
		b = appendHeld(append(b, separator(i)...), &s.held[i])
		b = p.pass(b)
	}
	b = append(b, "\n},\"recent\":["...)
	for i, f := range s.Recent {
		b = appendFreed(append(b, separator(i)...), f)
		b = p.pass(b)
	}
	return p.end(append(b, ']'))
}

// separator stands before the i-th of the entries, each on its line.
func separator(i int) string {
	if i == 0 {
		return "\n"
	}
	return ",\n"
}

// pieceSize is about how much is written at a time, in bytes: small enough to
// stay in the processor's cache.
const pieceSize = 64 << 10

// pieces writes text as it grows, and sums it up.
type pieces struct {
	w   io.Writer
	sum uint32
	err error
}

// pass writes b if it is large enough, and gives what to go on with.
func (p *pieces) pass(b []byte) []byte {
	if len(b) < pieceSize {
		return b
	}
	return p.write(b)
}

func (p *pieces) write(b []byte) []byte {
	p.sum = crc32.Update(p.sum, crc32.IEEETable, b)
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
	return b[:0]
}

// end writes what is left, and the checksum.
func (p *pieces) end(b []byte) error {
	b = appendChecksum(b, crc32.Update(p.sum, crc32.IEEETable, b))
	p.write(b)
	return p.err
}

// appendHeld writes a lease with its address.
func appendHeld(b []byte, h *held) []byte {
	b = append(b, '"')
	b = append(h.ip.AppendTo(b), `":`...)
	if h.text != nil {
		return append(b, h.text...)
	}
	return appendLease(b, *h.lease, nil)
}

// leaseStart begins every lease; the container's id follows.
const leaseStart = `{"container_id":`

// appendLease writes a lease with fields that this version does not know.
func appendLease(b []byte, l Lease, unknown []member) []byte {
	b = append(b, leaseStart...)
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
	b = appendOptional(b, "ports", l.Ports)
	b = appendTime(b, "allocated_at", l.AllocatedAt)
	return append(appendUnknown(b, unknown), '}')
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

func appendUnknown(b []byte, unknown []member) []byte {
	for _, m := range unknown {
		b = append(appendName(b, m.name), m.text...)
	}
	return b
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
