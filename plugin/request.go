package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core"
	"flatnet/core/attach"
	"flatnet/core/say"
)

// netConf is what a network list's entry says to CNI; what it says to us is
// read by core/config.
type netConf struct {
	types.PluginConf
	RuntimeConfig struct {
		IPs     []string            `json:"ips"`     // CNI conventions, capability "ips"
		MAC     string              `json:"mac"`     // capability "mac"
		Aliases map[string][]string `json:"aliases"` // capability "aliases", by network
	} `json:"runtimeConfig"`
}

func parseNetConf(stdin []byte) (netConf, error) {
	var n netConf
	if err := json.Unmarshal(stdin, &n); err != nil {
		return netConf{}, types.NewError(types.ErrDecodingFailure, "cannot read the network list: "+err.Error(), "")
	}
	return n, nil
}

// cniArgs is CNI_ARGS as Podman sets it.
type cniArgs struct {
	types.CommonArgs
	K8S_POD_NAME types.UnmarshallableString //nolint:revive,staticcheck // the name is the key
	IP           types.UnmarshallableString
	MAC          types.UnmarshallableString
}

// parseRequest makes the request of an ADD. An address may come in CNI_ARGS
// (podman run --ip) or as a capability; asking for two is refused.
func parseRequest(args *skel.CmdArgs, n netConf) (attach.Request, error) {
	asked, err := parseArgs(args.Args)
	if err != nil {
		return attach.Request{}, err
	}
	r := attach.Request{
		ID:    attach.ID{ContainerID: args.ContainerID, IfName: args.IfName},
		Name:  string(asked.K8S_POD_NAME),
		NetNS: args.Netns,

		Aliases: n.RuntimeConfig.Aliases[n.Name],
	}
	ips := n.RuntimeConfig.IPs
	if asked.IP != "" {
		ips = append([]string{string(asked.IP)}, ips...)
	}
	if r.IP, err = parseIPs(ips); err != nil {
		return attach.Request{}, err
	}
	mac := string(asked.MAC)
	if mac == "" {
		mac = n.RuntimeConfig.MAC
	}
	r.MAC, err = parseMAC(mac)
	return r, err
}

// parseArgs reads CNI_ARGS.
func parseArgs(text string) (cniArgs, error) {
	var a cniArgs
	if err := types.LoadArgs(text, &a); err != nil {
		return cniArgs{}, wrongRequest("read CNI_ARGS", fmt.Sprintf("%q", text), err)
	}
	return a, nil
}

// parseIPs reads the addresses asked for, which must be one and the same; the
// zero Addr if there is none.
func parseIPs(texts []string) (asked netip.Addr, err error) {
	for _, text := range texts {
		ip, err := parseIP(text)
		if err != nil {
			return netip.Addr{}, err
		}
		if asked.IsValid() && asked != ip {
			return netip.Addr{}, wrongRequest("give a container two addresses,", asked.String()+" and "+ip.String(),
				errors.New("one interface gets one address"))
		}
		asked = ip
	}
	return asked, nil
}

// parseMAC reads the MAC address asked for; "" is none.
func parseMAC(text string) (net.HardwareAddr, error) {
	if text == "" {
		return nil, nil
	}
	mac, err := net.ParseMAC(text)
	if err != nil {
		return nil, wrongRequest("use MAC address", fmt.Sprintf("%q", text), err)
	}
	return mac, nil
}

// parseIP reads "10.87.1.7" or "10.87.1.7/24".
func parseIP(text string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(text)
	if prefix, perr := netip.ParsePrefix(text); perr == nil {
		ip, err = prefix.Addr(), nil
	}
	if err == nil && !ip.Is4() {
		err = errors.New("the network has IPv4 addresses only")
	}
	if err != nil {
		return netip.Addr{}, wrongRequest("use address", fmt.Sprintf("%q", text), err)
	}
	return ip, nil
}

func wrongRequest(op say.Text, target string, err error) error {
	return &core.OpError{Op: op, Target: target, Err: fmt.Errorf("%w: %w", attach.ErrRequest, err), Hint: "correct the option of podman run that it comes from"}
}
