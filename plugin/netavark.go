package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core/attach"
	"flatnet/core/logfile"
	"flatnet/core/names"
	"flatnet/core/netavark"
	"flatnet/core/ports"
)

// apiVersion is the version of netavark's plugin API that is spoken.
const apiVersion = "1.0.0"

// maxStdin bounds what netavark may send, in bytes.
const maxStdin = 1 << 20

// netavarkCall is a call as netavark has it: the verb and the network
// namespace's path as arguments, everything else as JSON on stdin.
type netavarkCall struct {
	call
	netns  string
	answer any    // printed as JSON; nil: nothing
	result string // for the log's line
}

// runNetavark does what the arguments ask for.
func runNetavark(ctx context.Context, p Parts, args []string) int {
	c := &netavarkCall{call: newCall(p, args[0]), result: "ok"}
	if len(args) > 1 {
		c.netns = args[len(args)-1]
	}
	failure := c.protect(func() error { return c.do(ctx) })
	if c.verb != "info" || failure != nil {
		c.record(c.result, failure)
	}
	if failure != nil {
		c.answer = netavarkError{Error: errorText(failure)}
	}
	if err := c.print(os.Stdout); err != nil {
		c.unheard(err)
		return exitFailed
	}
	if failure != nil {
		return exitFailed
	}
	return exitOK
}

func (c *netavarkCall) do(ctx context.Context) error {
	switch c.verb {
	case "info":
		c.answer = pluginInfo{Version: c.Version, APIVersion: apiVersion}
		return nil
	case "create":
		return c.create()
	case "setup":
		return c.setup(ctx)
	case "teardown":
		return c.teardown(ctx)
	}
	return &types.Error{
		Code: types.ErrInvalidEnvironmentVariables, Msg: fmt.Sprintf("there is no verb %q", c.verb),
		Details: "netavark calls info, create, setup and teardown; flatnet-tui is for people",
	}
}

func (c *netavarkCall) print(w io.Writer) error {
	if c.answer == nil {
		return nil
	}
	return json.NewEncoder(w).Encode(c.answer)
}

// pluginInfo is the answer to info.
type pluginInfo struct {
	Version    string `json:"version"`
	APIVersion string `json:"api_version"`
}

// netavarkError is the answer that says what failed; netavark hands it on.
type netavarkError struct {
	Error string `json:"error"`
}

// errorText puts message and remedy into one line.
func errorText(failure *types.Error) string {
	if failure.Details == "" {
		return failure.Msg
	}
	return failure.Msg + " (" + failure.Details + ")"
}

// decode reads stdin into v.
func decode(v any) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(os.Stdin, maxStdin+1))
	if err != nil {
		return nil, types.NewError(types.ErrIOFailure, "cannot read stdin: "+err.Error(), "")
	}
	if len(text) > maxStdin {
		return nil, types.NewError(types.ErrDecodingFailure, fmt.Sprintf("what came on stdin has more than %d bytes", maxStdin), "")
	}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, types.NewError(types.ErrDecodingFailure, "cannot read the request of netavark: "+err.Error(), "")
	}
	return text, nil
}

// create completes a network that is being made. What is not ours to decide
// is handed back as it came.
func (c *netavarkCall) create() error {
	var n netavark.Network
	text, err := decode(&n)
	if err != nil {
		return err
	}
	c.network = n.Name
	cfg, err := n.Check(netavark.ForCreate)
	if err != nil {
		return err
	}
	c.log = logfile.New(cfg.Log, c.Now)
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return types.NewError(types.ErrDecodingFailure, "cannot read the network: "+err.Error(), "")
	}
	c.answer, err = n.Completed(whole, cfg)
	return err
}

// attachment is what setup and teardown get.
type attachment struct {
	ContainerID    string           `json:"container_id"`
	ContainerName  string           `json:"container_name"`
	PortMappings   []portMapping    `json:"port_mappings"`
	Network        netavark.Network `json:"network"`
	NetworkOptions struct {
		Aliases       []string          `json:"aliases"`
		InterfaceName string            `json:"interface_name"`
		StaticIPs     []string          `json:"static_ips"`
		StaticMAC     string            `json:"static_mac"`
		Options       map[string]string `json:"options"`
	} `json:"network_options"`
}

type portMapping struct {
	HostIP    string `json:"host_ip"`
	Host      uint16 `json:"host_port"`
	Container uint16 `json:"container_port"`
	Range     uint16 `json:"range"` // how many; 0 is 1
	Protocol  string `json:"protocol"`
}

// mappings gives the ports as they are published, one protocol each.
func (a attachment) mappings() ([]ports.Mapping, error) {
	var all []ports.Mapping
	for _, p := range a.PortMappings {
		m := ports.Mapping{Host: p.Host, Container: p.Container, Count: max(p.Range, 1)}
		if p.HostIP != "" {
			var err error
			if m.HostIP, err = parseIP(p.HostIP); err != nil {
				return nil, err
			}
		}
		for protocol := range strings.SplitSeq(p.Protocol, ",") {
			m.Protocol = protocol
			all = append(all, m)
		}
	}
	return all, nil
}

func (c *netavarkCall) readAttachment() (attachment, error) {
	var a attachment
	_, err := decode(&a)
	c.containerID, c.name, c.ifName = a.ContainerID, a.ContainerName, a.NetworkOptions.InterfaceName
	c.network = a.Network.Name
	return a, err
}

func (a attachment) id() attach.ID {
	return attach.ID{ContainerID: a.ContainerID, IfName: a.NetworkOptions.InterfaceName}
}

// request makes the request of a setup.
func (a attachment) request(netns string) (r attach.Request, err error) {
	if netns == "" {
		return r, wrongRequest("set up", a.id().String(), errors.New("no path of a network namespace was given"))
	}
	for key := range a.NetworkOptions.Options {
		return r, wrongRequest("use option", fmt.Sprintf("%q", key), errors.New("this network has no options for one container"))
	}
	r = attach.Request{ID: a.id(), Name: a.ContainerName, NetNS: netns, Aliases: a.NetworkOptions.Aliases}
	if r.IP, err = parseIPs(a.NetworkOptions.StaticIPs); err != nil {
		return r, err
	}
	if r.MAC, err = parseMAC(a.NetworkOptions.StaticMAC); err != nil {
		return r, err
	}
	r.Ports, err = a.mappings()
	return r, err
}

func (c *netavarkCall) setup(ctx context.Context) error {
	a, err := c.readAttachment()
	if err != nil {
		return err
	}
	cfg, err := a.Network.Check(netavark.ForSetup)
	if err != nil {
		return err
	}
	attacher, err := c.assemble(cfg.Config, cfg.File.Network.Name)
	if err != nil {
		return err
	}
	r, err := a.request(c.netns)
	if err != nil {
		return err
	}
	result, err := attacher.Add(ctx, r)
	if err != nil {
		return err
	}
	c.takenBackBy(ctx, attacher, r.ID)
	c.answer, c.result = statusBlock(result, c.told), result.Address.Addr().String()
	return nil
}

// teardown takes the container off, whatever has become of the network's
// description since.
func (c *netavarkCall) teardown(ctx context.Context) error {
	a, err := c.readAttachment()
	if err != nil {
		return err
	}
	cfg, err := a.Network.Read()
	if err != nil {
		return err
	}
	attacher, err := c.assemble(cfg.Config, cfg.File.Network.Name)
	if err != nil {
		return err
	}
	return attacher.Del(ctx, a.id())
}

// status is the answer to setup; podman inspect shows what is in it.
type status struct {
	Interfaces map[string]netInterface `json:"interfaces"`
	Servers    []netip.Addr            `json:"dns_server_ips,omitempty"`
	Search     []string                `json:"dns_search_domains,omitempty"`
}

type netInterface struct {
	MAC     string       `json:"mac_address"`
	Subnets []netAddress `json:"subnets"`
}

type netAddress struct {
	Address string `json:"ipnet"`
	Gateway string `json:"gateway"`
}

func statusBlock(r attach.Result, told names.Told) status {
	s := status{Interfaces: map[string]netInterface{r.Inside.Name: {
		MAC:     strings.ToLower(r.Inside.MAC.String()),
		Subnets: []netAddress{{Address: r.Address.String(), Gateway: r.Gateway.String()}},
	}}}
	if told.Server.IsValid() { // Podman writes nothing else into resolv.conf then
		all := told.WithFallback(names.ForContainers())
		s.Servers, s.Search = all.Addrs, all.Search
	}
	return s
}
