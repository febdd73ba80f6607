package config

import "net/netip"

// Load reads and checks the configuration at path, or where Lookup finds it
// when path is "". No file at the default place is valid and gives Default;
// a missing file that was named is ErrMissing. The error of a file with
// mistakes is an *Error with all of them.
func Load(path string) (Config, error) { return Default(), nil }

// Lookup gives the path that Load("") reads: FLATNET_CONFIG, or DefaultPath.
func Lookup() string { return DefaultPath }

// Parse checks the TOML text of the file called name. Its error is an *Error.
func Parse(name string, data []byte) (Config, error) { return Default(), nil }

// Default is the configuration of an empty file: the seed's network.
func Default() Config { return Config{} }

// ApplyNetConf gives c with what the plugin's entry in a CNI network list says:
// [network] keys at the entry's top level, [ipam] keys under "ipam". They win over the file.
// Standard CNI keys are left alone, others are an *Error.
func ApplyNetConf(c Config, entry []byte) (Config, error) { return c, nil }

// NetConfFile gives the "config" key of a network list's entry, "" if it has
// none: the file to Load before ApplyNetConf.
func NetConfFile(entry []byte) (string, error) { return "", nil }

// Keys lists every key, in the order of the file.
func Keys() []Key { return nil }

// Settings lists every key of c with its value; repeated tables once an entry.
func Settings(c Config) []Setting { return nil }

// Sample is a whole configuration file, every key explained and commented out.
func Sample() string { return "" }

// Set gives s the value that a container's label has for the key of that name
// in [[gateway.site]] ("max_body"), with the same check as in the file. Lists
// are separated by commas. The error says what would be right.
func (s *Site) Set(key, text string) error { return nil }

// NewSite is a site with the defaults of [[gateway.site]].
func NewSite() Site { return Site{WebSocket: true} }

// HealthAt gives the URL at which the gateway answers for its health, "" if
// that is off. host is where the gateway is, seen from here: Windows' address,
// or the zero Addr for this machine; it counts only when HealthURL is "auto".
func (g Gateway) HealthAt(host netip.Addr) string { return "" }
