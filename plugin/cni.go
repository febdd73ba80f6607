package plugin

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"

	"flatnet/core/config"
)

// versions are the CNI versions that are spoken, oldest first.
var versions = config.CNIVersions()

// cniCall is a call as CNI has it: the verb and what it is about in the
// environment, the network list's entry on stdin.
type cniCall struct {
	call
	cniVersion string       // of the network list; "" until it was read
	result     types.Result // what ADD answers
	reached    bool         // a verb of ours began
}

// runCNI does what CNI_COMMAND and its companions ask for.
func runCNI(ctx context.Context, p Parts, verb string) int {
	c := &cniCall{call: newCall(p, verb)}
	c.containerID, c.ifName = os.Getenv("CNI_CONTAINERID"), os.Getenv("CNI_IFNAME")
	failure := c.hinted(skel.PluginMainFuncsWithError(skel.CNIFuncs{
		Add:    c.guard(ctx, c.add),
		Del:    c.guard(ctx, c.del),
		Check:  c.guard(ctx, c.check),
		Status: c.guard(ctx, c.status),
		GC:     c.guard(ctx, c.gc),
	}, version.PluginSupports(versions...), ""))
	if verb != "VERSION" || failure != nil {
		c.record(c.summary(), failure)
	}
	return c.answer(failure)
}

// hinted says what to do about what the CNI library refuses before any verb
// of ours is reached: its errors name the fault alone, and in the details at
// most what has it.
func (c *cniCall) hinted(failure *types.Error) *types.Error {
	if failure == nil || c.reached && failure.Details != "" {
		return failure
	}
	with := *failure
	if with.Details != "" {
		with.Msg, with.Details = with.Msg+": "+with.Details, ""
	}
	switch failure.Code {
	case types.ErrDecodingFailure:
		with.Details = "the network list on stdin has to be one whole JSON object: look at the files in /etc/cni/net.d"
	case types.ErrInvalidEnvironmentVariables:
		with.Details = "the container runtime sets these; by hand, set CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME and CNI_PATH"
	case types.ErrInvalidNetworkConfig:
		with.Details = "give the network list in /etc/cni/net.d a name: letters, digits, _ . and -"
	case types.ErrIncompatibleCNIVersion:
		with.Details = "set cniVersion in the network list to one of " + strings.Join(versions, ", ")
	}
	return &with
}

// guard makes a verb into one for skel.
func (c *cniCall) guard(ctx context.Context, verb func(context.Context, *skel.CmdArgs) error) func(*skel.CmdArgs) error {
	return func(args *skel.CmdArgs) error {
		c.reached = true
		failure := c.protect(func() error { return verb(ctx, args) })
		if failure == nil {
			return nil // a nil *types.Error would be an error
		}
		return failure
	}
}

// answer writes the one document on stdout.
func (c *cniCall) answer(failure *types.Error) int {
	if failure != nil {
		if err := printError(os.Stdout, c.cniVersion, failure); err != nil {
			c.unheard(err)
		}
		return exitFailed
	}
	if c.result == nil {
		return exitOK
	}
	if err := types.PrintResult(c.result, c.cniVersion); err != nil {
		c.unheard(err)
		return exitFailed
	}
	return exitOK
}

// printError writes a CNI error with the version that the specification wants
// in it.
func printError(w io.Writer, version string, failure *types.Error) error {
	if version == "" {
		version = versions[len(versions)-1]
	}
	text, err := json.MarshalIndent(struct {
		CNIVersion string `json:"cniVersion"`
		*types.Error
	}{version, failure}, "", "    ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
