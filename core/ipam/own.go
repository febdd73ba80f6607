package ipam

import (
	"bytes"
	"hash/crc32"
	"net/netip"
	"slices"
)

// readOwn reads text that is to the byte what encode wrote. own is false for
// any other, of which it says nothing: read does.
func readOwn(text []byte) (d document, own bool) {
	if !isSummed(text) {
		return d, false
	}
	text = text[:len(text)-checksumSize]
	begin := bytes.IndexByte(text, '\n')
	if begin < 0 || d.read(slices.Concat(text[:begin], []byte("}}"))) != nil || len(d.state.held)+len(d.state.recent) > 0 {
		return d, false
	}
	end, own := d.state.ownLeases(text, begin+1)
	return d, own && d.state.ownRecent(end)
}

// isSummed tells whether text ends with its right checksum.
func isSummed(text []byte) bool {
	n := len(text) - checksumSize
	return n > 0 && bytes.Equal(text[n:], appendChecksum(nil, crc32.ChecksumIEEE(text[:n])))
}

// ownLeases reads the lines of leases that begin at at, and gives where they
// end.
func (s *State) ownLeases(text []byte, at int) (end int, own bool) {
	s.text = text
	s.held = make([]kept[Lease], 0, bytes.Count(text, []byte("\n"))+1) // an ADD puts one in
	var last netip.Addr
	sorted := true
	for bytes.HasPrefix(text[at:], []byte(`"`)) {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			return at, false
		}
		line := bytes.TrimSuffix(text[at:at+n], []byte(","))
		key, lease, _ := bytes.Cut(line[1:], []byte(`":`))
		ip, err := address(key, last)
		if err != nil || !bytes.HasPrefix(lease, []byte(leaseStart)) {
			return at, false // nobody wrote this but to deceive
		}
		sorted = sorted && last.Less(ip)
		s.held = append(s.held, kept[Lease]{ip: ip, from: at, to: at + len(line)})
		last, at = ip, at+n+1
	}
	if !sorted {
		slices.SortFunc(s.held, byAddress)
	}
	return at, true
}

// address reads a lease's key. Most follow upon the one before, and then the
// parser is spared, which wants a string made of each.
func address(key []byte, before netip.Addr) (netip.Addr, error) {
	if next := before.Next(); bytes.Equal(key, next.AppendTo(make([]byte, 0, 16))) {
		return next, nil
	}
	return netip.ParseAddr(string(key))
}

// ownRecent reads all that follows the leases, which ends at end.
func (s *State) ownRecent(end int) (own bool) {
	at := end - len("\n")
	lines, begins := bytes.CutPrefix(s.text[at:], []byte(recentStart))
	lines, ends := bytes.CutSuffix(lines, []byte("]"))
	if !begins || !ends {
		return false
	}
	at += len(recentStart)
	for line := range bytes.SplitAfterSeq(lines, []byte("\n")) {
		entry := bytes.TrimRight(line, ",\n")
		if len(entry) > 0 {
			ip, err := freedIP(entry)
			if err != nil {
				return false
			}
			s.recent = append(s.recent, kept[Freed]{ip: ip, from: at, to: at + len(entry)})
		}
		at += len(line)
	}
	return true
}

// freedIP reads the address of a freed one, which stands first.
func freedIP(line []byte) (netip.Addr, error) {
	ip, _, _ := bytes.Cut(bytes.TrimPrefix(line, []byte(`{"ip":"`)), []byte(`"`))
	return netip.ParseAddr(string(ip))
}
