package gateway

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"flatnet/core/config"
	"flatnet/core/say"
)

// labelPrefix begins every label that is about a site.
const labelPrefix = "flatnet."

// Bounds of one site. nginx takes at most 4096 bytes in one parameter, and
// refuses the whole file for a longer one.
const (
	maxLabels = 64   // of one container that are read
	maxText   = 1000 // bytes of one path, URL or header
	maxItems  = 64   // of one list
	// maxRoom is what one site may take of flatnet.conf, in bytes: all that a
	// subnet of 254 has stay below maxFile together.
	maxRoom = 100 << 10
)

// notByLabel are keys of [[gateway.site]] that only the configuration may
// set: a container serves its site itself, from its own address.
var notByLabel = map[string]bool{"container": true, "containers": true, "address": true}

// fromLabels makes a site of a container's labels; asked is false where it
// wants none. filesBelow is the folder, as nginx sees it, that files named by
// labels must be in. The labels are anyone's: everything is checked as in the
// configuration file, and more.
func fromLabels(labels map[string]string, filesBelow string) (s config.Site, asked bool, err error) {
	s = config.NewSite()
	s.Host = labels[labelPrefix+"host"]
	var errs []error
	count := 0
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		key, ours := strings.CutPrefix(label, labelPrefix)
		if !ours {
			continue
		}
		if count++; count > maxLabels {
			return s, true, say.Errorf("it has more than %d labels that begin with %s", maxLabels, labelPrefix)
		}
		if notByLabel[key] {
			errs = append(errs, say.Errorf("label %s: only the configuration may set this", label))
			continue
		}
		if err := s.Set(key, labels[label]); err != nil {
			errs = append(errs, say.Errorf("label %s: %w", label, err))
		}
	}
	if count == 0 {
		return s, false, nil
	}
	if s.Host == "" {
		missing := say.Errorf("it has labels that begin with %s, and no %shost", labelPrefix, labelPrefix)
		return s, true, together(append([]error{missing}, errs...)) // a misspelt one says why
	}
	return s, true, together(append(errs, wholeLabel(s, filesBelow)...))
}

// together says all that is wrong on one line; nil for nothing.
func together(errs []error) error {
	var all []say.Text
	for _, err := range errs {
		all = append(all, say.Of(err))
	}
	if len(all) == 0 {
		return nil
	}
	return say.New(say.Join("; ", all...))
}

// guarded tells whether labels ask for a password or for certain clients,
// rightly or not.
func guarded(labels map[string]string) bool {
	return labels[labelPrefix+"auth_file"] != "" || labels[labelPrefix+"allow"] != ""
}

// oversized says which value of a site is longer than nginx takes.
func oversized(s config.Site) error {
	texts := map[string]string{"redirect": s.Redirect, "auth_file": s.AuthFile, "tls_cert": s.TLSCert, "tls_key": s.TLSKey, "down_message": s.DownMessage}
	for name, value := range s.Headers {
		if len(name) > maxText || len(value) > maxText {
			return say.Errorf("headers: one is longer than %d bytes", maxText)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if len(texts[key]) > maxText {
			return say.Errorf("%s: it is longer than %d bytes", key, maxText)
		}
	}
	for _, p := range s.Paths {
		if len(p) > maxText {
			return say.Errorf("paths: one is longer than %d bytes", maxText)
		}
	}
	if len(s.Paths) > maxItems || len(s.Allow) > maxItems || len(s.Headers) > maxItems {
		return say.Errorf("paths, allow or headers: more than %d", maxItems)
	}
	if n := room(s); n > maxRoom {
		return say.Errorf("paths, allow and headers together would take %d KiB of nginx's configuration; %d are the most", n>>10, maxRoom>>10)
	}
	return nil
}

// room is about what a site takes of flatnet.conf, in bytes: everything stands
// there once for each path.
func room(s config.Site) int {
	const block, line = 1000, 60
	each := block + line*len(s.Allow)
	for name, value := range s.Headers {
		each += 2*(line+len(name)) + len(value)
	}
	all := 0
	for _, p := range (Site{Site: s}).Prefixes() {
		all += each + len(p)
	}
	return all
}

// wholeLabel checks what no label can be checked for alone.
func wholeLabel(s config.Site, filesBelow string) []error {
	var errs []error
	for _, err := range []error{reserved(s.Host), oversized(s)} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if _, err := netip.ParseAddr(s.Host); err == nil {
		errs = append(errs, say.Errorf("%s is an address, and no host name", s.Host))
	}
	for _, file := range []string{s.AuthFile, s.TLSCert, s.TLSKey} {
		if file != "" && !strings.HasPrefix(file, filesBelow+"/") {
			errs = append(errs, say.Errorf("%s: by a label, only files below %s may be named", file, filesBelow))
		}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		errs = append(errs, say.New("of tls_cert and tls_key it has only one"))
	}
	return errs
}

// direct matches the names by which every container is reached at its address
// (seed 4.2); a site of such a name would take another's.
var direct = regexp.MustCompile(`^[0-9]+(\.[0-9]+){3}\.flatnet\.local$`)

// reserved says why no site may have that host name.
func reserved(host string) error {
	host = strings.ToLower(host)
	switch {
	case host == HealthName, host == "localhost":
		return say.Errorf("%s is the gateway's own name", host)
	case direct.MatchString(host):
		return say.Errorf("%s is how the container at that address is reached", host)
	}
	return nil
}

// edges are the network's and the broadcast address of an IPv4 network.
func edges(p netip.Prefix) []netip.Addr {
	first := p.Masked().Addr().As4()
	last := first
	binary.BigEndian.PutUint32(last[:], binary.BigEndian.Uint32(first[:])|(1<<(32-p.Bits())-1))
	return []netip.Addr{netip.AddrFrom4(first), netip.AddrFrom4(last)}
}
