package config

import (
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"flatnet/core/say"
)

// Values end up in nginx files, PowerShell and firewall rules. So these rules
// list what may stand in a value, not what may not.

const (
	nameMore = "_.-"             // beside letters and digits, in names
	pathMore = `/:._-+@~(),= `   // in paths
	urlMore  = `/:._-+@~,=?&%[]` // in URLs
)

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// onlyHas says which character of s is neither letter nor digit nor in more.
func onlyHas(s, more string) error {
	for _, r := range s {
		if r >= 0x80 || !isAlnum(byte(r)) && !strings.ContainsRune(more, r) {
			return say.Errorf("has the character %q", r)
		}
	}
	return nil
}

func oneOf(allowed []string) rule {
	quoted := make([]say.Text, len(allowed))
	for i, s := range allowed {
		quoted[i] = say.Data(Quote(s))
	}
	return rule{"choice", say.Join(" or ", quoted...), func(s string) error {
		if !slices.Contains(allowed, s) {
			return say.New("is none of its values")
		}
		return nil
	}}
}

// nameRule is the CNI specification's for network names, and Podman's for
// containers.
func nameRule(most int) rule {
	want := say.F("a name of letters, digits, \"_\", \".\" and \"-\" that begins with a letter or digit, at most %d", most)
	return rule{"string", want, func(s string) error {
		switch {
		case s == "":
			return say.New("is empty")
		case len(s) > most:
			return say.Errorf("has %d characters", len(s))
		case !isAlnum(s[0]):
			return say.Errorf("begins with %q", s[:1])
		}
		return onlyHas(s, nameMore)
	}}
}

// interfaceRule keeps to what the kernel takes (dev_valid_name) and the
// firewall programs take literally: "+" at the end would be their wildcard.
func interfaceRule() rule {
	const most = 15 // IFNAMSIZ with its closing NUL is 16
	r := nameRule(most)
	r.want = say.F("an interface name of at most %d letters, digits, \"_\", \".\" and \"-\"", most)
	return r
}

// hostRule is a DNS name as browsers send it (RFC 1123, and "_", which
// office names have).
func hostRule() rule {
	const want = `a host name such as "forgejo.local"; names in other scripts in their ASCII form, "xn--…"`
	return rule{"string", want, func(s string) error {
		if s == "" || len(s) > 253 {
			return say.New("is empty or longer than 253 characters")
		}
		if err := onlyHas(s, nameMore); err != nil {
			return err
		}
		for label := range strings.SplitSeq(s, ".") {
			if label == "" || len(label) > 63 {
				return say.New("has an empty part or one longer than 63 characters")
			}
			if label[0] == '-' || label[len(label)-1] == '-' {
				return say.New(`has a part that begins or ends with "-"`)
			}
		}
		return nil
	}}
}

// domainRule is a domain that containers' names stand before: short enough to
// leave room for them.
func domainRule() rule {
	const most = 100
	r := hostRule()
	r.want = say.F("a domain such as \"flatnet\" or \"c.example.internal\", at most %d characters", most)
	host := r.check
	r.check = func(s string) error {
		if len(s) > most {
			return say.Errorf("has %d characters", len(s))
		}
		return host(s)
	}
	return r
}

// pathRule is an absolute path on this machine.
func pathRule() rule {
	return rule{"path", say.F(`an absolute path such as "/var/lib/flatnet" of ASCII letters, digits, spaces and %s`, strings.TrimSpace(pathMore)), func(s string) error {
		if !strings.HasPrefix(s, "/") {
			return say.New("does not begin with /")
		}
		return checkPath(s)
	}}
}

// dirRule is a directory that the program may fill: not the root.
func dirRule() rule {
	r := pathRule()
	check := r.check
	r.check = func(s string) error {
		if path.Clean(s) == "/" {
			return say.New("is the root directory")
		}
		return check(s)
	}
	return r
}

func checkPath(s string) error {
	if err := onlyHas(s, pathMore); err != nil {
		return err
	}
	if strings.TrimSpace(s) != s {
		return say.New("begins or ends with a space")
	}
	if slices.Contains(strings.Split(s, "/"), "..") {
		return say.New(`has ".." in it`)
	}
	return nil
}

// windowsRule is a path as Windows writes it.
func windowsRule() rule {
	const want = `a Windows path such as 'F:\flatnet' (in single quotes) of ASCII letters, digits and ._-+@~(),= and space`
	return rule{"path", want, func(s string) error {
		if len(s) < 3 || !isDriveLetter(s[0]) || s[1] != ':' || s[2] != '\\' {
			return say.New(`does not begin with a drive, as F:\ does`)
		}
		rest := s[3:]
		if strings.ContainsAny(rest, "/:") {
			return say.New(`has / or a second : in it`)
		}
		return checkPath(strings.ReplaceAll(rest, `\`, "/"))
	}}
}

func isDriveLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// nginxPathRule is a path as the gateway's nginx sees it, on either system,
// with forward slashes.
func nginxPathRule(example string) rule {
	want := say.F("a path as nginx sees it, with forward slashes: %s or an absolute one of Linux", Quote(example))
	return rule{"path", want, func(s string) error {
		rest := s
		if len(s) > 2 && isDriveLetter(s[0]) && s[1] == ':' {
			rest = s[2:]
		}
		if !strings.HasPrefix(rest, "/") {
			return say.New("begins neither with / nor with a drive, as F:/ does")
		}
		if strings.Contains(rest, ":") {
			return say.New("has a second : in it")
		}
		return checkPath(rest)
	}}
}

// subnetRule is an IPv4 network that has room for a gateway and a container.
func subnetRule() rule {
	const low, high = 8, 30
	want := say.F(`an IPv4 network such as "10.87.1.0/24", /%d to /%d`, low, high)
	return rule{"network", want, func(s string) error {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !p.Addr().Is4():
			return say.New("is not an IPv4 network")
		case p.Bits() < low || p.Bits() > high:
			return say.New("has a size that cannot be used")
		case p != p.Masked():
			return say.Errorf("is an address inside a network; the network is %s", p.Masked())
		case p.Addr().IsLoopback() || p.Addr().IsMulticast() || p.Addr().IsLinkLocalUnicast() || p.Addr().As4()[0] == 0 || p.Addr().As4()[0] >= 240:
			return say.New("is reserved for other uses")
		}
		return nil
	}}
}

// clientRule is a network of clients, or one address.
func clientRule() rule {
	return rule{"network", `a network or address such as "192.168.0.0/16"`, func(s string) error {
		if _, err := parseClients(s); err != nil {
			return say.New("is neither a network nor an address")
		}
		return nil
	}}
}

func parseClients(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// urlRule is an http or https URL without user and password. Words, such as
// "auto", may stand for one.
func urlRule(words ...string) rule {
	want := []say.Text{`a URL such as "http://192.168.1.10/health"`}
	for _, w := range words {
		want = append(want, say.Data(Quote(w)))
	}
	return rule{"string", say.Join(" or ", want...), func(s string) error {
		if slices.Contains(words, s) {
			return nil
		}
		return checkURL(s)
	}}
}

func checkURL(s string) error {
	if err := onlyHas(s, urlMore); err != nil {
		return err
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		return say.New("is not an http or https URL")
	case u.Hostname() == "":
		return say.New("has no host")
	case u.User != nil:
		return say.New("has a user name in it")
	case u.Port() != "" && !isPort(u.Port()):
		return say.New("has no possible port")
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// listenRule is where nginx listens: a port, or an address and a port.
func listenRule() rule {
	return rule{"string", `a port such as "80", or an address and a port such as "192.168.1.10:80"`, func(s string) error {
		if isPort(s) && s[0] != '0' {
			return nil
		}
		if ap, err := netip.ParseAddrPort(s); err != nil || ap.Port() == 0 || ap.Addr().Zone() != "" {
			return say.New("is neither a port nor an address and a port")
		}
		return nil
	}}
}

// bodyRule is nginx's client_max_body_size.
func bodyRule() rule {
	return rule{"string", `a size as nginx writes it: "20m", "1g", or "0" for no limit`, func(s string) error {
		digits := strings.TrimRight(s, "kKmMgG")
		if _, err := strconv.ParseUint(digits, 10, 31); err != nil || len(s)-len(digits) > 1 {
			return say.New("is not such a size")
		}
		return nil
	}}
}

// prefixPathRule is the path of a URL, as a location in nginx.
func prefixPathRule() rule {
	return rule{"string", `a path such as "/git/" of ASCII letters, digits and /._-~`, func(s string) error {
		if !strings.HasPrefix(s, "/") {
			return say.New("does not begin with /")
		}
		if err := onlyHas(s, "/._-~"); err != nil {
			return err
		}
		if clean := path.Clean(s); s != clean && s != clean+"/" {
			return say.Errorf("is not as nginx compares it, without //, . and ..: %s", clean)
		}
		return nil
	}}
}

// answerRule is text that is looked for in an answer.
func answerRule() rule {
	return rule{"string", "text of one line, at most 500 bytes", func(s string) error {
		if len(s) > 500 {
			return say.Errorf("has %d bytes", len(s))
		}
		for _, r := range s {
			if !strconv.IsPrint(r) {
				return say.Errorf("has the character %q", r)
			}
		}
		return nil
	}}
}

// sentenceRule is text that people read on a page, in any script.
func sentenceRule() rule {
	const forbidden = "\"'`$\\{};<>"
	return rule{"string", say.F("a sentence without %s and line breaks, at most 500 bytes", strings.Join(strings.Split(forbidden, ""), " ")), func(s string) error {
		if len(s) > 500 {
			return say.Errorf("has %d bytes", len(s))
		}
		for _, r := range s {
			if !strconv.IsPrint(r) || strings.ContainsRune(forbidden, r) {
				return say.Errorf("has the character %q", r)
			}
		}
		return nil
	}}
}

// headerRule is the value of a response header.
func headerRule() rule {
	r := sentenceRule()
	r.want = "header values of printable ASCII without quotes, $, \\, braces, < and >"
	return rule{"table", say.F(`a table such as { X-Frame-Options = "DENY" } with %s`, r.want), func(s string) error {
		if len(s) > 500 {
			return say.Errorf("has %d bytes", len(s))
		}
		return onlyHas(s, urlMore+" ;*()!#^|")
	}}
}

// themeRule is the name of a theme, which is a file's name without ".toml".
func themeRule() rule { return nameRule(64) }

// targetRule is what a probe looks at; which form fits is decided with its
// kind, by checkTarget.
func targetRule() rule {
	return rule{"string", `for "icmp" an address or host name, for "tcp" one with a port ("10.87.1.2:3000"), for "http" a URL`, func(s string) error {
		if s == "" {
			return say.New("is empty")
		}
		return onlyHas(s, urlMore)
	}}
}
