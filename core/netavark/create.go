package netavark

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flatnet/core/config"
)

// exampleSubnet is for a network that has none of its own yet.
const exampleSubnet = "10.88.1.0/24"

// From describes the network that want asks for, as Podman would keep it once
// it is made. file is the configuration without what is said of this network
// alone, and path where it is, "" for the usual place. What the network would
// not say, file does.
func From(want, file config.Config, path string) Network {
	n := Network{
		Name: want.Network.Name, Driver: Driver, Interface: want.Network.Bridge, Options: map[string]string{},
		Subnets:     []Subnet{{Subnet: want.Network.Subnet.String(), Gateway: want.Network.Gateway.String()}},
		IPAMOptions: map[string]string{"driver": noIPAM},
	}
	if path != "" {
		n.Options["config"] = path
	}
	if want.Network.MTU != file.Network.MTU {
		n.Options["mtu"] = strconv.Itoa(want.Network.MTU)
	}
	c, err := n.Read()
	if w := want.Network; err != nil || c.Network.RangeStart != w.RangeStart || c.Network.RangeEnd != w.RangeEnd {
		n.Subnets[0].LeaseRange = &Range{Start: w.RangeStart.String(), End: w.RangeEnd.String()}
	}
	return n
}

// Unsaid names the keys that want has otherwise than the plugin would read
// them for this network: what a network of Podman's has no words for.
func (n Network) Unsaid(want config.Config) ([]string, error) {
	c, err := n.Read()
	if err != nil {
		return nil, err
	}
	var keys []string
	is, ought := config.Settings(c.Config), config.Settings(want)
	for _, s := range ought {
		if !slices.ContainsFunc(is, func(o config.Setting) bool { return o.Name == s.Name && o.Value == s.Value }) {
			keys = append(keys, fmt.Sprintf("%s = %s", s.Name, s.Value))
		}
	}
	return keys, nil
}

// CreateArgs gives the command line by which Podman makes the network.
func (n Network) CreateArgs() []string {
	args := []string{"network", "create", "--driver", n.Driver}
	for _, s := range n.Subnets {
		args = append(args, "--subnet", s.Subnet)
		if s.Gateway != "" {
			args = append(args, "--gateway", s.Gateway)
		}
		if s.LeaseRange != nil {
			args = append(args, "--ip-range", s.LeaseRange.Start+"-"+s.LeaseRange.End)
		}
	}
	if n.Interface != "" {
		args = append(args, "--interface-name", n.Interface)
	}
	for _, key := range []string{"config", "mtu"} {
		if v, ok := n.Options[key]; ok {
			args = append(args, "--opt", key+"="+v)
		}
	}
	return append(args, n.Name)
}

// command is the command that makes the network so that it fits beside the
// configured one, or as that one.
func (n Network) command() string {
	n.Driver = Driver
	c, err := n.Read()
	switch {
	case err == nil && n.Name == c.File.Network.Name:
		n.Subnets, n.Interface = nil, "" // the configuration says them
	case err == nil:
		n = n.beside(c)
	}
	return "sudo podman " + strings.Join(n.CreateArgs(), " ")
}

// beside gives the network with an example of what it lacks, or has from the
// configured one.
func (n Network) beside(c Config) Network {
	if n.Interface == "" || n.Interface == c.File.Network.Bridge {
		n.Interface = n.Name[:min(len(n.Name), 11)] + "-br0"
	}
	if len(n.Subnets) == 0 || c.Network.Subnet.Overlaps(c.File.Network.Subnet) {
		n.Subnets = []Subnet{{Subnet: exampleSubnet}}
	}
	n.Subnets = n.Subnets[:1]
	return n
}

// String is the network in a sentence.
func (n Network) String() string {
	subnets := make([]string, len(n.Subnets))
	for i, s := range n.Subnets {
		subnets[i] = s.Subnet
	}
	return fmt.Sprintf("%s (%s on %s)", n.Name, strings.Join(subnets, ", "), n.Interface)
}
