package windows

import (
	"bytes"
	"net/netip"
	"strconv"

	"flatnet/core/say"
)

// ErrNoTable says that a program's output is not a whole IPv4 table.
var ErrNoTable = say.New("not a whole IPv4 route table")

// Bounds of what is read: a table of a busy VPN has a few thousand lines.
const (
	maxTableBytes = 1 << 20
	minRuler      = 20 // Windows draws 75 equals signs between its sections
)

// Entry is one line of Windows' IPv4 table.
type Entry struct {
	Destination netip.Prefix `json:"destination"`
	Gateway     netip.Addr   `json:"gateway"`   // "" : on-link
	Interface   netip.Addr   `json:"interface"` // its address; "" for persistent ones
	Metric      int          `json:"metric"`    // -1: a persistent one that leaves it to Windows
}

// OnLink tells whether the destination is on the interface's own network.
// Windows before Vista prints the interface itself as the gateway then.
func (e Entry) OnLink() bool { return !e.Gateway.IsValid() || e.Gateway == e.Interface }

// Table is Windows' IPv4 table: what is active now, and what is added at each
// start.
type Table struct {
	Active     []Entry `json:"active"`
	Persistent []Entry `json:"persistent"`
}

// ParseTable reads what `route.exe print -4` prints, in any language and code
// page: it goes by numbers and rulers alone, for headings, "On-link" and
// "None" are translated and the translation may be several words. ErrNoTable
// where the table of active routes is missing, cut off, or has a line that
// cannot be read: that line might be the route that is looked for.
func ParseTable(out []byte) (Table, error) {
	if len(out) > maxTableBytes {
		return Table{}, say.Errorf("%w: %d bytes", ErrNoTable, len(out))
	}
	var t Table
	closed, after := false, 0
	for line := range bytes.Lines(out) {
		words := bytes.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case isRuler(words):
			closed = len(t.Active) > 0
			continue
		case closed:
			after++
		}
		if closed {
			if e, ok := persistentEntry(words); ok {
				t.Persistent = append(t.Persistent, e)
			}
			continue
		}
		if e, ok := activeEntry(words); ok {
			t.Active = append(t.Active, e)
		} else if len(t.Active) > 0 || isAddr(words[0]) {
			return Table{}, say.Errorf("%w: a line is garbled after %d routes", ErrNoTable, len(t.Active))
		}
	}
	// A heading and at least one line, "None" or an entry, follow the active
	// routes; a table that ends before is cut off and proves nothing missing.
	if after < 2 {
		return Table{}, say.Errorf("%w: %d bytes, %d routes read", ErrNoTable, len(out), len(t.Active))
	}
	return t, nil
}

func isRuler(words [][]byte) bool {
	return len(words) == 1 && len(words[0]) >= minRuler && len(bytes.Trim(words[0], "=")) == 0
}

// activeEntry reads destination, mask, gateway or words, interface, metric.
func activeEntry(words [][]byte) (Entry, bool) {
	n := len(words)
	if n < 5 {
		return Entry{}, false
	}
	dst, ok := prefix(words[0], words[1])
	if !ok {
		return Entry{}, false
	}
	iface, ok := addr(words[n-2])
	if !ok {
		return Entry{}, false
	}
	metric, ok := number(words[n-1])
	if !ok {
		return Entry{}, false
	}
	gateway, ok := hop(words[2 : n-2])
	return Entry{Destination: dst, Gateway: gateway, Interface: iface, Metric: metric}, ok
}

// persistentEntry reads destination, mask, gateway or words, and a metric or
// the words for "default".
func persistentEntry(words [][]byte) (Entry, bool) {
	n := len(words)
	if n < 4 {
		return Entry{}, false
	}
	dst, ok := prefix(words[0], words[1])
	if !ok {
		return Entry{}, false
	}
	e := Entry{Destination: dst, Metric: -1}
	if metric, ok := number(words[n-1]); ok {
		e.Metric = metric
	}
	if gateway, ok := addr(words[2]); ok {
		e.Gateway = gateway
		return e, wordsOnly(words[3 : n-1])
	}
	return e, wordsOnly(words[2 : n-1])
}

// hop reads the gateway column: one address, or words for "on-link".
func hop(words [][]byte) (netip.Addr, bool) {
	if len(words) == 1 {
		if a, ok := addr(words[0]); ok {
			return a, true
		}
	}
	return netip.Addr{}, wordsOnly(words)
}

// wordsOnly tells whether no word is an address.
func wordsOnly(words [][]byte) bool {
	for _, w := range words {
		if isAddr(w) {
			return false
		}
	}
	return true
}

func isAddr(word []byte) bool {
	_, ok := addr(word)
	return ok
}

func addr(word []byte) (netip.Addr, bool) {
	const longest = len("255.255.255.255")
	if len(word) > longest {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(word))
	return a, err == nil && a.Is4()
}

// prefix reads an address and a mask; masks with holes are not read.
func prefix(address, mask []byte) (netip.Prefix, bool) {
	a, ok := addr(address)
	if !ok {
		return netip.Prefix{}, false
	}
	m, ok := addr(mask)
	if !ok {
		return netip.Prefix{}, false
	}
	bits := maskBits(m)
	if bits < 0 {
		return netip.Prefix{}, false
	}
	p := netip.PrefixFrom(a, bits)
	return p, p == p.Masked()
}

func maskBits(m netip.Addr) int {
	for bits := range 33 {
		if Mask(bits) == m {
			return bits
		}
	}
	return -1
}

// Mask writes a prefix length, 0 to 32, as route.exe wants it: 24 is
// 255.255.255.0.
func Mask(bits int) netip.Addr {
	v := ^uint32(0) << (32 - bits)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func number(word []byte) (int, bool) {
	const longest = 9
	if len(word) > longest {
		return 0, false
	}
	n, err := strconv.Atoi(string(word))
	return n, err == nil && n >= 0
}
