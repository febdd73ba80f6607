package ipam

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"slices"

	"flatnet/core/kernel"
)

// checksumField begins the last field. Its value is the CRC-32 of all that is
// before it: text that has it right is as encode wrote it.
const checksumField = `,"checksum":"`

// checksumSize is the length of the last field and what follows, in bytes.
const checksumSize = len(checksumField) + 8 + len("\"}\n")

func appendChecksum(b []byte, sum uint32) []byte {
	return fmt.Appendf(b, "%s%08x\"}\n", checksumField, sum)
}

// header is what stands before the leases.
type header struct {
	Version    int          `json:"version"`
	Subnet     netip.Prefix `json:"subnet"`
	Gateway    netip.Addr   `json:"gateway"`
	RangeStart netip.Addr   `json:"range_start"`
	RangeEnd   netip.Addr   `json:"range_end"`
}

// encode writes d with the state s in the present form: one JSON object, one
// lease a line, and no other line before them. What has no line yet comes last:
// all before it is as it was in the file, and need not be written once more.
func encode(w io.Writer, d *document, s *State) error {
	head, err := json.Marshal(header{formatVersion, s.Subnet, s.Gateway, s.RangeStart, s.RangeEnd})
	if err != nil {
		return err
	}
	head, err = withMembers(head, append(slices.Clone(d.unknown), member{"allocations", json.RawMessage("{}")}))
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	_, _ = out.Write(head[:len(head)-len("}}")]) // a bufio.Writer tells its errors at the end
	slices.SortFunc(s.held, byLine)              // a copy to be sorted would take longer than both
	defer slices.SortFunc(s.held, byAddress)
	if err := writeLines(out, s.text, s.held, leaseLine); err != nil {
		return err
	}
	_, _ = out.WriteString(recentStart)
	if err := writeLines(out, s.text, s.recent, freedLine); err != nil {
		return err
	}
	_ = out.WriteByte(']')
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = w.Write(appendChecksum(nil, sum.Sum32()))
	return err
}

// byLine orders leases as they stand in the text, then those without a line.
func byLine(a, b kept[Lease]) int {
	switch {
	case a.value != nil && b.value != nil:
		return byAddress(a, b)
	case a.value != nil:
		return 1
	case b.value != nil:
		return -1
	}
	return cmp.Compare(a.from, b.from)
}

// separator stands before the i-th of the entries, each on its line.
func separator(i int) string {
	if i == 0 {
		return "\n"
	}
	return ",\n"
}

// writeLines writes each entry on its line. Lines that follow upon each other in
// the text that was read are written in one piece.
func writeLines[T Lease | Freed](out *bufio.Writer, text []byte, all []kept[T], line func(T) ([]byte, error)) error {
	for i := 0; i < len(all); {
		_, _ = out.WriteString(separator(i))
		if v := all[i].value; v != nil {
			made, err := line(*v)
			if err != nil {
				return err
			}
			_, _ = out.Write(made)
			i++
			continue
		}
		n := run(all[i:])
		_, _ = out.Write(text[all[i].from:all[i+n-1].to])
		i += n
	}
	return nil
}

// run tells how many of the entries follow upon each other in the text.
func run[T Lease | Freed](all []kept[T]) int {
	n := 1
	for n < len(all) && all[n].value == nil && all[n].from == all[n-1].to+len(",\n") {
		n++
	}
	return n
}

// freedLine gives a freed address as it stands in the file.
func freedLine(f Freed) ([]byte, error) {
	f.FreedAt = f.FreedAt.UTC()
	return json.Marshal(f)
}

// recentStart ends the leases and begins the freed addresses. A line before it
// never begins so.
const recentStart = "\n},\"recent\":["

// leaseStart begins every lease; the container's id follows.
const leaseStart = `{"container_id":"`

// leaseLine gives a lease as it stands in the file, with its address as the key.
func leaseLine(l Lease) ([]byte, error) {
	if l.NetNSID.Inode == 0 {
		l.NetNSID = kernel.NamespaceID{}
	}
	l.AllocatedAt = l.AllocatedAt.UTC()
	text, err := json.Marshal(struct {
		Lease
		IP *struct{} `json:"ip,omitempty"` // hides the lease's
	}{Lease: l})
	return slices.Concat(quoted(l.IP.String()), []byte(":"), text), err
}

// withMembers gives an object with fields more at its end. No line ends in them.
func withMembers(object []byte, all []member) ([]byte, error) {
	b := bytes.NewBuffer(object[:len(object)-1])
	for _, m := range all {
		b.WriteByte(',')
		b.Write(quoted(m.name))
		b.WriteByte(':')
		if err := json.Compact(b, m.text); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// quoted gives a JSON string.
func quoted(v string) []byte {
	text, _ := json.Marshal(v) // a string always can be
	return text
}
