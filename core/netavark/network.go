// Package netavark knows a network of Podman's as netavark has it, in its file
// and in what its plugins are asked: which of it Flatnet follows, what it
// completes and what it refuses. The plugin decides by it, and the console
// judges by it.
//
// It calls nobody: how the plugin is spoken to is in package plugin, where
// networks are kept in core/host.
package netavark

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/say"
)

// ErrNetwork stands for every way in which a network of Podman's cannot be ours.
var ErrNetwork = say.New("the network does not fit")

// Driver is what the networks of ours have as their driver: the plugin's name.
const Driver = "flatnet"

// noIPAM is the address management of Podman's that leaves addresses to us.
const noIPAM = "none"

// Network is one of Podman's, as netavark hands it on and as Podman keeps it.
type Network struct {
	Name        string            `json:"name"`
	Driver      string            `json:"driver"`
	Interface   string            `json:"network_interface"`
	Subnets     []Subnet          `json:"subnets"`
	IPv6        bool              `json:"ipv6_enabled"`
	Internal    bool              `json:"internal"`
	Options     map[string]string `json:"options"`
	IPAMOptions map[string]string `json:"ipam_options"`
	Routes      []json.RawMessage `json:"routes"`
	DNSServers  []string          `json:"network_dns_servers"`
}

// Subnet is one of a network's.
type Subnet struct {
	Subnet     string `json:"subnet"`
	Gateway    string `json:"gateway,omitempty"`
	LeaseRange *Range `json:"lease_range,omitempty"`
}

// Range is the part of a subnet that addresses are given out from, inclusive.
type Range struct {
	Start string `json:"start_ip,omitempty"`
	End   string `json:"end_ip,omitempty"`
}

// Config is the configuration for one network.
type Config struct {
	config.Config
	File config.Config // without what the network says
}

// Moment is when a network is checked: it decides about the remedy.
type Moment int

// The moments: while Podman makes the network, and when a container is to be
// put on it.
const (
	ForCreate Moment = iota
	ForSetup
)

// Read gives the configuration for this network. What the network does not
// say is as the configuration file has it.
func (n Network) Read() (Config, error) {
	entry, err := json.Marshal(n.keys())
	if err != nil {
		return Config{}, err
	}
	c, file, err := config.LoadNetConf(entry)
	return Config{Config: c, File: file}, n.named(err)
}

// keys is what the network says, with our names for it.
func (n Network) keys() map[string]any {
	keys := map[string]any{"name": n.Name}
	set := func(key, value string) {
		if value != "" {
			keys[key] = value
		}
	}
	set("bridge", n.Interface)
	for _, s := range n.Subnets[:min(len(n.Subnets), 1)] {
		set("subnet", s.Subnet)
		set("gateway", s.Gateway)
		if s.LeaseRange != nil {
			set("range_start", s.LeaseRange.Start)
			set("range_end", s.LeaseRange.End)
		}
	}
	set("config", n.Options["config"])
	set("mtu", n.Options["mtu"])
	if mtu, err := strconv.Atoi(n.Options["mtu"]); err == nil {
		keys["mtu"] = mtu // a text that is no number stays one, and is refused as such
	}
	return keys
}

// named says in a configuration's problems that they are this network's.
func (n Network) named(err error) error {
	var mistakes *config.Error
	if errors.As(err, &mistakes) {
		for i := range mistakes.Problems {
			if p := &mistakes.Problems[i]; p.File == config.NetList {
				p.File = "network " + n.Name
			}
		}
	}
	return err
}

// Check is Read for a network that containers are to be put on: it refuses
// what Flatnet cannot do, and what contradicts the configuration.
func (n Network) Check(m Moment) (Config, error) {
	if m == ForSetup && n.IPAMOptions["driver"] != noIPAM {
		return Config{}, n.refused(m, "Podman chooses its addresses, so they would change from start to start")
	}
	if reason := n.unsupported(); reason != "" {
		return Config{}, n.refused(m, reason)
	}
	cfg, err := n.Read()
	if err != nil {
		return Config{}, err
	}
	if n.Name == cfg.File.Network.Name {
		if reason := contradiction(cfg.Network, cfg.File.Network); reason != "" {
			return Config{}, n.refused(m, reason)
		}
		return cfg, nil
	}
	if reason := n.incomplete(cfg); reason != "" {
		return Config{}, n.refusedFor(m, reason, say.F("for example: %s", n.command()))
	}
	return cfg, nil
}

// unsupported tells what the network asks for that there is not.
func (n Network) unsupported() say.Text {
	driver := n.IPAMOptions["driver"]
	switch {
	case n.Internal:
		return "a network that leads nowhere (--internal) is not supported"
	case n.IPv6:
		return "IPv6 is not supported"
	case len(n.Subnets) > 1:
		return "it has several subnets, and one is supported"
	case len(n.Routes) > 0:
		return "routes of its own (--route) are not supported"
	case len(n.DNSServers) > 0:
		return "name servers of its own (--dns) are not supported"
	case driver != "" && driver != noIPAM:
		return say.F("addresses by %q (--ipam-driver) are not supported: Flatnet gives them itself", driver)
	}
	for _, key := range slices.Sorted(maps.Keys(n.Options)) {
		if key != "mtu" && key != "config" {
			return say.F("there is no option %q; there are mtu=BYTES and config=FILE", key)
		}
	}
	return ""
}

// incomplete tells what a network beside the configured one has to say itself.
func (n Network) incomplete(cfg Config) say.Text {
	switch {
	case len(n.Subnets) == 0 || n.Subnets[0].Subnet == "":
		return say.F("the configured network is %s; another one needs a --subnet of its own", cfg.File.Network.Name)
	case n.Interface == "":
		return say.F("the configured network is %s; another one needs a bridge of its own, --interface-name", cfg.File.Network.Name)
	case cfg.Network.Bridge == cfg.File.Network.Bridge:
		return say.F("the bridge %s is that of the configured network %s; another one needs its own, --interface-name", cfg.Network.Bridge, cfg.File.Network.Name)
	case cfg.Network.Subnet.Overlaps(cfg.File.Network.Subnet):
		return say.F("its subnet overlaps %s, that of the configured network %s; give it another --subnet", cfg.File.Network.Subnet, cfg.File.Network.Name)
	}
	return ""
}

// contradiction tells where the configured network, as Podman has it, differs
// from the configuration.
func contradiction(is, want config.Network) say.Text {
	var all []say.Text
	differ := func(what say.Text, is, want string) {
		if is != want {
			all = append(all, say.F("%s is %s, and %s in the configuration", what, is, want))
		}
	}
	differ("the bridge", is.Bridge, want.Bridge)
	differ("the subnet", is.Subnet.String(), want.Subnet.String())
	if is.Subnet == want.Subnet { // in another subnet all of them differ
		differ("the gateway", is.Gateway.String(), want.Gateway.String())
		differ("the range's start", is.RangeStart.String(), want.RangeStart.String())
		differ("the range's end", is.RangeEnd.String(), want.RangeEnd.String())
	}
	return say.Join("; ", all...)
}

// refused makes the error of a network that cannot be used as it is.
func (n Network) refused(m Moment, reason say.Text) error {
	return n.refusedFor(m, reason, "leave that out; what is not given is taken from the configuration")
}

// refusedFor is refused with what to do while the network is being made; one
// that is there is to be made anew.
func (n Network) refusedFor(m Moment, reason, hint say.Text) error {
	op := say.Text("make network")
	if m == ForSetup {
		op, hint = "use network", say.F("make it anew: sudo podman network rm %s && %s", n.Name, n.command())
	}
	return &core.OpError{Op: op, Target: n.Name, Err: say.Errorf("%w: %s", ErrNetwork, reason), Hint: hint}
}

// Completed puts what Flatnet decides into the network as it came.
func (n Network) Completed(whole map[string]json.RawMessage, cfg Config) (map[string]json.RawMessage, error) {
	own := Subnet{Subnet: cfg.Network.Subnet.String(), Gateway: cfg.Network.Gateway.String()}
	if len(n.Subnets) > 0 {
		own.LeaseRange = n.Subnets[0].LeaseRange
	}
	for key, value := range map[string]any{
		"network_interface": cfg.Network.Bridge,
		"subnets":           []Subnet{own},
		"ipam_options":      map[string]string{"driver": noIPAM},
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		whole[key] = text
	}
	return whole, nil
}
