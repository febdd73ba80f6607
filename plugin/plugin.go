// Package plugin speaks CNI: it reads what the runtime asks for, has
// core/attach do it, and answers with one JSON document on stdout, a result or
// an error with a code. One line about each call goes to the log.
//
// It decides nothing about addresses or links. It must start in milliseconds,
// because Podman starts it several times for each container, so it reaches no
// part of the console.
package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/logfile"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// limit bounds one call, the wait for the state's lock included.
const limit = 30 * time.Second

// Parts are what the plugin is made of.
type Parts struct {
	Version   string // of this program
	Kernel    kernel.Kernel
	OpenStore func(dir string, o ipam.Options) ipam.Store
	Now       func() time.Time
}

// versions are the CNI versions that are spoken, oldest first.
var versions = []string{"0.4.0", "1.0.0", "1.1.0"}

// Run does what CNI_COMMAND and its companions ask for and gives the exit
// status: 0 done, 1 failed, 2 not called by a container runtime.
func Run(p Parts) int {
	verb := os.Getenv("CNI_COMMAND")
	if verb == "" {
		fmt.Fprint(os.Stderr, usage(p.Version))
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	c := &call{Parts: p, verb: verb, begin: p.Now(), containerID: os.Getenv("CNI_CONTAINERID"), ifName: os.Getenv("CNI_IFNAME")}
	failure := skel.PluginMainFuncsWithError(skel.CNIFuncs{
		Add:    c.guard(ctx, c.add),
		Del:    c.guard(ctx, c.del),
		Check:  c.guard(ctx, c.check),
		Status: c.guard(ctx, c.status),
		GC:     c.guard(ctx, c.gc),
	}, version.PluginSupports(versions...), "")
	if verb != "VERSION" || failure != nil {
		c.record(failure)
	}
	return c.answer(failure)
}

func usage(version string) string {
	return "flatnet " + version + ` puts containers on a bridge of their own. It is a CNI plugin: Podman
starts it, with CNI_COMMAND in the environment and the network on stdin.

Put it into /opt/cni/bin and "type": "flatnet" into a network list in
/etc/cni/net.d (make install does both), then:

    podman run --network flatnet …

To see and mend the network, run flatnet-tui. CNI versions: ` + strings.Join(versions, ", ") + "\n"
}

// call is one call of the plugin.
type call struct {
	Parts
	verb        string
	begin       time.Time
	containerID string
	ifName      string
	cniVersion  string // of the network list; "" until it was read
	name        string // of the container
	network     string
	result      types.Result // what ADD answers
	log         *slog.Logger // nil until the configuration was read
}

// guard makes a verb into one for skel: its error gets a CNI code, and so does
// a panic.
func (c *call) guard(ctx context.Context, verb func(context.Context, *skel.CmdArgs) error) func(*skel.CmdArgs) error {
	return func(args *skel.CmdArgs) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = &types.Error{
					Code:    types.ErrInternal,
					Msg:     fmt.Sprintf("flatnet broke off %s of container %s: %v", c.verb, c.containerID, p),
					Details: "this is a fault of the program; please report it with the log's line",
				}
				c.logger().Error("panic", "container", c.containerID, "stack", string(debug.Stack()))
			}
		}()
		if err := verb(ctx, args); err != nil {
			return cniError(err)
		}
		return nil
	}
}

// answer writes the one document on stdout.
func (c *call) answer(failure *types.Error) int {
	if failure != nil {
		if err := printError(os.Stdout, c.cniVersion, failure); err != nil {
			fmt.Fprintln(os.Stderr, "flatnet: write the error:", err)
		}
		return exitFailed
	}
	if c.result == nil {
		return exitOK
	}
	if err := types.PrintResult(c.result, c.cniVersion); err != nil {
		fmt.Fprintln(os.Stderr, "flatnet: write the result:", err)
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

// logger gives the configured log. Before a configuration could be read it is
// the one of the configuration file, or the default.
func (c *call) logger() *slog.Logger {
	if c.log == nil {
		cfg, err := config.Load("")
		if err != nil {
			cfg = config.Default()
		}
		c.log = logfile.New(cfg.Log, c.Now)
	}
	return c.log
}

// record writes the call's line into the log.
func (c *call) record(failure *types.Error) {
	about := []any{
		"container", c.containerID, "name", c.name, "ifname", c.ifName, "network", c.network,
		"ms", float64(c.Now().Sub(c.begin).Microseconds()) / 1000,
	}
	if failure == nil {
		c.logger().Info(c.verb, append(about, "result", c.summary())...)
		return
	}
	c.logger().Error(c.verb, append(about, "result", "failed",
		"code", failure.Code, "error", failure.Msg, "hint", failure.Details)...)
}

// cniError gives an error the code that the table has for it.
func cniError(err error) *types.Error {
	var done *types.Error
	if errors.As(err, &done) {
		return done
	}
	return describe(err)
}
