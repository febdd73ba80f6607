package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/say"
)

// CNIVersions gives the versions of the CNI specification that the plugin
// speaks, oldest first.
func CNIVersions() []string { return []string{"0.4.0", "1.0.0", "1.1.0"} }

// NetList is what problems call the network list as their file: the plugin
// gets it on its stdin, from a file that it is not told.
const NetList = "network list"

// ApplyNetConf gives c with what the plugin's entry in a CNI network list
// says: [network] keys at the entry's top level, [ipam] keys under "ipam".
// They win over the file. Keys of the CNI specification are left alone, any
// other is an *Error.
func ApplyNetConf(c Config, entry []byte) (Config, error) {
	raw, err := decodeEntry(entry)
	if err != nil {
		return Config{}, err
	}
	isOther := raw["subnet"] != nil && raw["subnet"] != c.Network.Subnet.String()
	if isOther {
		c.Network.Gateway, c.Network.RangeStart, c.Network.RangeEnd = netip.Addr{}, netip.Addr{}, netip.Addr{}
	}
	fromFile := c.IPAM.Reservations
	c.IPAM.Reservations = nil

	check := checker{tables: schema(&c)}
	check.entry(raw)
	c.Network.derive()
	if len(c.IPAM.Reservations) == 0 {
		c.IPAM.Reservations = slices.DeleteFunc(slices.Clone(fromFile), func(r Reservation) bool {
			return isOther && !c.Network.hasHost(r.IP)
		})
	}
	check.complaints("network", c.Network.conflicts())
	check.complaints("ipam", c.IPAM.conflicts(c.Network))
	for i := range check.problems {
		p := &check.problems[i]
		p.Key = strings.TrimPrefix(p.Key, "network.")
	}
	if err := check.result(NetList, nil); err != nil {
		return Config{}, err
	}
	return c, nil
}

// consoleTables are the tables that the plugin has no use for: a mistake in
// one must not keep containers from starting.
func consoleTables() []string { return []string{"podman", "windows", "gateway", "probes", "tui"} }

// LoadNetConf reads the configuration file that the plugin's entry in a CNI
// network list names with "config", or the usual one, and lets the entry's own
// keys win (ApplyNetConf). file is the file's configuration without them. Both
// are for the plugin: a key with a mistake in a table that only the console
// uses has its default.
func LoadNetConf(entry []byte) (c, file Config, err error) {
	path, err := netConfFile(entry)
	if err != nil {
		return Config{}, Config{}, err
	}
	if file, err = load(path, consoleTables()...); err != nil {
		return Config{}, Config{}, err
	}
	c, err = ApplyNetConf(file, entry)
	return c, file, err
}

// netConfFile gives the "config" key of a network list's entry, "" if it has
// none.
func netConfFile(entry []byte) (string, error) {
	raw, err := decodeEntry(entry)
	if err != nil {
		return "", err
	}
	v, ok := raw["config"]
	if !ok {
		return "", nil
	}
	file, err := pathRule().checked(v)
	var m *mismatch
	if errors.As(err, &m) {
		return "", &Error{[]Problem{{File: NetList, Key: "config", Text: m.text, Want: m.want}}}
	}
	return file, nil
}

// entry takes the plugin's entry in a network list.
func (k *checker) entry(raw map[string]any) {
	network, ipam := k.tables[0], k.tables[1]
	own := map[string]any{}
	for key, v := range raw {
		switch {
		case isCNI(key) || key == "config":
		case key == "ipam":
			entries, ok := v.(map[string]any)
			if !ok {
				k.report("ipam", "ipam", wrongType(v, `an object, "ipam": {…}`))
				continue
			}
			k.table(ipam, "ipam.", entries)
		default:
			own[key] = v
		}
	}
	k.table(network, "network.", own)
}

// isCNI tells whether the CNI specification, or a runtime by its rules, puts
// a key of that name into an entry. "name" is the network's and ours too.
func isCNI(key string) bool {
	switch key {
	case "cniVersion", "cniVersions", "type", "args", "prevResult", "runtimeConfig", "capabilities", "dns", "disableCheck", "disableGC", "loadOnlyInlinedPlugins":
		return true
	}
	return strings.HasPrefix(key, "cni.dev/")
}

// decodeEntry reads JSON into the plain values that TOML would give.
func decodeEntry(entry []byte) (map[string]any, error) {
	wrong := func(text say.Text) error {
		return &Error{[]Problem{{File: NetList, Text: text, Want: "one JSON object"}}}
	}
	if len(entry) > MaxFile {
		return nil, wrong("it is too long")
	}
	d := json.NewDecoder(bytes.NewReader(entry))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, wrong(say.Read(printable(err.Error())))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, wrong("something follows the object")
	}
	if raw == nil {
		return nil, wrong("it is null")
	}
	return plain(raw).(map[string]any), nil
}

// plain gives numbers the types that TOML has.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // infinite if too large, which no key takes
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}
