// Package ports is how published ports are written down: which ports of this
// machine lead to which of a container's. The text is Podman's own notation,
// so that a person knows it: "8080:80/tcp", "192.0.2.1:8000-8010:80-90/udp".
// The rules that do it are core/firewall's.
package ports

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"flatnet/core/say"
)

// MaxMappings bounds how many mappings one container may have.
const MaxMappings = 1024

// ErrInvalid says that a mapping cannot be.
var ErrInvalid = say.New("not a port that can be published")

// Mapping is one published port, or a range of them.
type Mapping struct {
	HostIP    netip.Addr // IPv4; zero: every address of this machine
	Host      uint16     // the first port of this machine's, from 1
	Container uint16     // the first port of the container's, from 1
	Count     uint16     // how many ports, from 1
	Protocol  string     // "tcp" or "udp"
}

// Check tells why a mapping cannot be; the error is ErrInvalid.
func (m Mapping) Check() error {
	last := func(first uint16) int { return int(first) + int(m.Count) - 1 }
	switch {
	case m.Protocol != "tcp" && m.Protocol != "udp":
		return say.Errorf("%w: %s: the protocol is tcp or udp", ErrInvalid, m)
	case m.HostIP.IsValid() && !m.HostIP.Is4():
		return say.Errorf("%w: %s: the network has IPv4 addresses only", ErrInvalid, m)
	case m.Host == 0 || m.Container == 0 || m.Count == 0 || last(m.Host) > 65535 || last(m.Container) > 65535:
		return say.Errorf("%w: %s: ports are 1 to 65535", ErrInvalid, m)
	}
	return nil
}

// String gives the mapping as Parse reads it.
func (m Mapping) String() string {
	text := portRange(m.Host, m.Count) + ":" + portRange(m.Container, m.Count) + "/" + m.Protocol
	if m.HostIP.IsValid() {
		return m.HostIP.String() + ":" + text
	}
	return text
}

func portRange(first, count uint16) string {
	if count == 1 {
		return strconv.Itoa(int(first))
	}
	return fmt.Sprintf("%d-%d", first, int(first)+int(count)-1)
}

// Text puts mappings into one line, with spaces between.
func Text(all []Mapping) string {
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.String()
	}
	return strings.Join(texts, " ")
}

// Parse reads what Text wrote. Its error is ErrInvalid.
func Parse(text string) ([]Mapping, error) {
	var all []Mapping
	for word := range strings.FieldsSeq(text) {
		m, err := parse(word)
		if err == nil {
			err = m.Check()
		}
		if err != nil {
			return nil, err
		}
		if all = append(all, m); len(all) > MaxMappings {
			return nil, say.Errorf("%w: more than %d of one container", ErrInvalid, MaxMappings)
		}
	}
	return all, nil
}

func parse(word string) (m Mapping, err error) {
	wrong := say.Errorf("%w: %q", ErrInvalid, word)
	rest, protocol, _ := strings.Cut(word, "/")
	parts := strings.Split(rest, ":")
	m.Protocol = protocol
	if len(parts) == 3 {
		if m.HostIP, err = netip.ParseAddr(parts[0]); err != nil {
			return m, wrong
		}
		parts = parts[1:]
	}
	if len(parts) != 2 {
		return m, wrong
	}
	host, hostCount, ok := parseRange(parts[0])
	container, containerCount, ok2 := parseRange(parts[1])
	if !ok || !ok2 || hostCount != containerCount {
		return m, wrong
	}
	m.Host, m.Container, m.Count = host, container, hostCount
	return m, nil
}

func parseRange(text string) (first, count uint16, ok bool) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, err := strconv.ParseUint(from, 10, 16)
	b, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || b < a || b-a == 65535 {
		return 0, 0, false
	}
	return uint16(a), uint16(b-a) + 1, true
}
