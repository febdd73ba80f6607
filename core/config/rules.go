package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"flatnet/core/say"
)

// complaint is a value that is right alone and wrong beside others.
type complaint struct {
	key string // within its table: "gateway", "reservation[2].ip"
	mismatch
}

func complain(key string, text, want say.Text) complaint {
	return complaint{key, mismatch{text, want}}
}

// conflicts checks what no key can be checked for alone, table by table.
func conflicts(c Config) map[string][]complaint {
	return map[string][]complaint{
		"network": c.Network.conflicts(),
		"ipam":    c.IPAM.conflicts(c.Network),
		"gateway": c.Gateway.conflicts(),
		"probes":  c.Probes.conflicts(),
	}
}

func (n Network) conflicts() []complaint {
	var all []complaint
	hosts := say.F("an address from %s to %s", n.Subnet.Addr().Next(), lastAddr(n.Subnet).Prev())
	inside := true
	for _, a := range []struct {
		key  string
		addr netip.Addr
	}{{"gateway", n.Gateway}, {"range_start", n.RangeStart}, {"range_end", n.RangeEnd}} {
		if !n.hasHost(a.addr) {
			inside = false
			all = append(all, complain(a.key, say.F("%s is no host's address in %s", a.addr, n.Subnet), hosts))
		}
	}
	if !inside {
		return all
	}
	if n.RangeEnd.Less(n.RangeStart) {
		return append(all, complain("range_end", say.F("the range ends at %s, before it begins at %s", n.RangeEnd, n.RangeStart), hosts))
	}
	if !n.Gateway.Less(n.RangeStart) && !n.RangeEnd.Less(n.Gateway) {
		all = append(all, complain("gateway", say.F("%s is in the range %s to %s that containers get", n.Gateway, n.RangeStart, n.RangeEnd), "a gateway beside the range"))
	}
	return all
}

// hasHost tells whether a can be a machine's address on the network.
func (n Network) hasHost(a netip.Addr) bool {
	return n.Subnet.Contains(a) && a != n.Subnet.Addr() && a != lastAddr(n.Subnet)
}

func (i IPAM) conflicts(n Network) []complaint {
	var all []complaint
	byIP, byName := map[netip.Addr]bool{}, map[string]bool{}
	for at, r := range i.Reservations {
		key := fmt.Sprintf("reservation[%d]", at)
		switch {
		case r.Name == "":
			all = append(all, complain(key+".name", "it is missing", "the name of a container"))
		case byName[r.Name]:
			all = append(all, complain(key+".name", say.F("%s has a reservation already", shown(r.Name)), "one for each name"))
		}
		switch {
		case !r.IP.IsValid():
			all = append(all, complain(key+".ip", "it is missing", say.F("an address in %s", n.Subnet)))
		case !n.hasHost(r.IP):
			all = append(all, complain(key+".ip", say.F("%s is no host's address in %s", r.IP, n.Subnet), "an address in it"))
		case r.IP == n.Gateway:
			all = append(all, complain(key+".ip", say.F("%s is the gateway's", r.IP), say.F("another address in %s", n.Subnet)))
		case byIP[r.IP]:
			all = append(all, complain(key+".ip", say.F("%s is reserved already", r.IP), "one name for each address"))
		}
		byIP[r.IP], byName[r.Name] = true, true
	}
	return all
}

func (g Gateway) conflicts() []complaint {
	var all []complaint
	for at, s := range g.Sites {
		for _, c := range s.conflicts() {
			c.key = fmt.Sprintf("site[%d].%s", at, c.key)
			all = append(all, c)
		}
	}
	return all
}

// Check says what is wrong with a site as a whole; its values have been
// checked when they were set. The error says what would be right.
func (s Site) Check() error {
	for _, c := range s.conflicts() {
		return say.Errorf("%s: %w", c.key, &c.mismatch)
	}
	return nil
}

func (s Site) conflicts() []complaint {
	var all []complaint
	if s.Host == "" {
		all = append(all, complain("host", "it is missing", hostRule().want))
	}
	var serves []string
	for _, by := range []struct {
		key string
		set bool
	}{{"container", s.Container != ""}, {"containers", len(s.Containers) > 0}, {"address", s.Address.IsValid()}, {"redirect", s.Redirect != ""}} {
		if by.set {
			serves = append(serves, by.key)
		}
	}
	const want say.Text = "one of container, containers, address and redirect"
	switch {
	case len(serves) == 0:
		all = append(all, complain("container", "nothing says what serves the site", want))
	case len(serves) > 1:
		all = append(all, complain(serves[1], say.F("it stands beside %s", serves[0]), want))
	}
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		all = append(all, complain("tls_key", "it is missing", "the key of tls_cert"))
	case s.TLSKey != "" && s.TLSCert == "":
		all = append(all, complain("tls_cert", "it is missing", "the certificate of tls_key"))
	}
	return all
}

func (p Probes) conflicts() []complaint {
	var all []complaint
	names := map[string]bool{}
	for at, t := range p.Targets {
		key := fmt.Sprintf("target[%d]", at)
		switch {
		case t.Name == "":
			all = append(all, complain(key+".name", "it is missing", "what the console calls the target"))
		case names[t.Name]:
			all = append(all, complain(key+".name", say.F("%s is another target's name", shown(t.Name)), "one for each target"))
		}
		names[t.Name] = true
		if err := checkTarget(t); err != nil {
			all = append(all, complain(key+".target", say.F("%s %w", shown(t.Target), err), targetRule().want))
		}
		if t.Interval > 0 && t.Interval < minInterval {
			all = append(all, complain(key+".interval", say.F("%s is out of range", shown(t.Interval.String())), say.F(`"0s", or from %s`, Quote(durationText(minInterval)))))
		}
		all = append(all, t.wanted(key)...)
	}
	return all
}

// wanted checks what an HTTP answer must be against the rest of the target.
func (t ProbeTarget) wanted(key string) []complaint {
	low, high := cmp.Or(t.StatusMin, 200), cmp.Or(t.StatusMax, 399)
	switch {
	case t.Kind == "http" && low > high:
		return []complaint{complain(key+".status_max", say.F("%d is below status_min, %d", high, low), say.F("%d to 599", low))}
	case t.Kind == "http":
		return nil
	}
	var all []complaint
	for _, one := range []struct {
		name string
		set  bool
	}{
		{"host", t.Host != ""},
		{"status_min", t.StatusMin != 0},
		{"status_max", t.StatusMax != 0},
		{"body", t.Body != ""},
		{"follow_redirects", t.FollowRedirects},
	} {
		if one.set {
			all = append(all, complain(key+"."+one.name, say.F("it is for http, and the kind is %s", t.Kind), `kind = "http"`))
		}
	}
	return all
}

// checkTarget says why a target does not fit its kind.
func checkTarget(t ProbeTarget) error {
	switch t.Kind {
	case "http":
		return checkURL(t.Target)
	case "tcp":
		host, port, ok := cutPort(t.Target)
		if !ok || !isPort(port) {
			return say.New("has no port")
		}
		return checkMachine(host)
	}
	return checkMachine(t.Target)
}

// cutPort splits "host:port" and "[address]:port".
func cutPort(s string) (host, port string, ok bool) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return s, "", false
	}
	return strings.Trim(s[:at], "[]"), s[at+1:], true
}

// checkMachine takes an address or a host name.
func checkMachine(s string) error {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return nil
	}
	return hostRule().check(s)
}
