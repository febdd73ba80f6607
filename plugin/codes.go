package plugin

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core"
	"flatnet/core/attach"
	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/netavark"
)

// Code is one row of the table of CNI errors, which the manual shows.
type Code struct {
	Code    uint
	Meaning string
	causes  []error
}

// Codes gives the table. Numbers below 100 are the CNI specification's. The
// first row that fits an error is its code, so what says more comes first.
func Codes() []Code {
	return []Code{
		{types.ErrIncompatibleCNIVersion, "the CNI version of the network list is not supported", nil},
		{types.ErrUnknownContainer, "the container's network namespace is not there", []error{kernel.ErrNoNamespace}},
		{types.ErrInvalidEnvironmentVariables, "the request is wrong: a CNI_ variable, an address or a MAC address in it", []error{attach.ErrRequest}},
		{types.ErrIOFailure, "stdin or the configuration file could not be read", []error{config.ErrNotReadable}},
		{types.ErrDecodingFailure, "what came on stdin is not JSON of the right form", nil},
		{types.ErrInvalidNetworkConfig, "the configuration file or the network list has a mistake", []error{config.ErrMissing, errConfig, netavark.ErrNetwork}},
		{types.ErrTryAgainLater, "another program holds the state's lock", []error{ipam.ErrLocked}},
		{codeExhausted, "no address is free", []error{ipam.ErrExhausted}},
		{codeTaken, "the address asked for is held, reserved for another container, or in quarantine", []error{ipam.ErrTaken, ipam.ErrReserved, ipam.ErrQuarantined, ipam.ErrHolds}},
		{codeOutside, "the address asked for is outside the subnet, or its network or broadcast address", []error{ipam.ErrOutside, ipam.ErrEdge}},
		{codeGateway, "the address asked for is the gateway's", []error{ipam.ErrGateway}},
		{codeBridge, "the bridge cannot be made: its name, its address or its subnet is in use", []error{bridge.ErrNotBridge, bridge.ErrForeignAddress, bridge.ErrOverlap, ipam.ErrShared}},
		{codeBridgeFull, "the bridge has no free port", []error{kernel.ErrBridgeFull}},
		{codeAttached, "the container is attached already, or has an interface of that name", []error{attach.ErrAttached, attach.ErrInterfaceTaken}},
		{codeOwnNamespace, "the container is in the host's network namespace", []error{attach.ErrOwnNamespace}},
		{codePermission, "not permitted; the plugin must run as root", []error{kernel.ErrPermission, errRights, fs.ErrPermission}},
		{codeVeth, "the veth pair cannot be made or taken away", []error{attach.ErrVeth}},
		{codeNoProgram, "the iptables program that is configured is not installed", []error{kernel.ErrNoProgram}},
		{codeNoSpace, "the disk with the state is full", []error{ipam.ErrNoSpace}},
		{codeState, "the state cannot be read or written", []error{ipam.ErrUnreadable, ipam.ErrNotReadable, ipam.ErrOtherSubnet}},
		{codeCheck, "CHECK found a part missing or different", []error{attach.ErrMissing, attach.ErrDiffers}},
		{types.ErrPluginNotAvailable, "STATUS: an ADD would fail now", nil},
		{types.ErrInternal, "anything else", nil},
	}
}

// Codes of our own. They stay as they are: scripts look at them.
const (
	codeExhausted    uint = 100
	codeTaken        uint = 101
	codeOutside      uint = 102
	codeGateway      uint = 103
	codeBridge       uint = 104
	codeBridgeFull   uint = 105
	codeVeth         uint = 106
	codeAttached     uint = 107
	codeOwnNamespace uint = 108
	codePermission   uint = 109
	codeNoProgram    uint = 110
	codeState        uint = 111
	codeNoSpace      uint = 112
	codeCheck        uint = 113
)

// errConfig stands for every *config.Error.
var errConfig = errors.New("the configuration has a mistake")

// describe makes a CNI error of any error.
func describe(err error) *types.Error {
	e := &types.Error{Code: types.ErrInternal, Msg: oneLine(err), Details: core.Hint(err).String()}
	var mistakes *config.Error
	if errors.As(err, &mistakes) {
		err = errors.Join(err, errConfig)
		e.Details = "correct what the message begins with: the file, the network list, or the options of podman network create; for the file, flatnet-tui config check looks again"
	}
	for _, c := range Codes() {
		for _, cause := range c.causes {
			if errors.Is(err, cause) {
				e.Code = c.Code
				return e
			}
		}
	}
	return e
}

// oneLine gives an error's text without the breaks of joined errors.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}
