package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core/attach"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/logfile"
	"flatnet/core/names"
)

// call is one call of the plugin, by whichever protocol.
type call struct {
	Parts
	verb        string
	begin       time.Time
	containerID string
	ifName      string
	name        string // of the container
	network     string
	told        names.Told   // what a container is told that starts now
	log         *slog.Logger // nil until the configuration was read
	takeBack    func() error // undoes what was done; nil: nothing to undo
}

func newCall(p Parts, verb string) call { return call{Parts: p, verb: verb, begin: p.Now()} }

// assemble puts the parts together for one network. configured is the network
// that the configuration file is about.
func (c *call) assemble(cfg config.Config, configured string) (*attach.Attacher, error) {
	c.log = logfile.New(cfg.Log, c.Now)
	dir, err := ipam.Dir(cfg.IPAM.StateDir, configured, cfg.Network.Name)
	if err != nil {
		return nil, err
	}
	c.told = names.Tell(cfg, dir)
	store := c.OpenStore(dir, ipam.Options{
		Pool:    ipam.PoolOf(cfg),
		Holder:  fmt.Sprintf("flatnet %s of container %.12s", c.verb, c.containerID),
		Now:     c.Now,
		Rebuild: attach.Rebuild(c.Kernel, cfg.Network, c.Now),
		Report:  func(text string) { c.log.Warn(text, "network", cfg.Network.Name, "state", dir) },
	})
	return attach.New(attach.Options{
		Kernel: c.Kernel, Store: store, Config: cfg, Log: c.log, Now: c.Now,
		Other: cfg.Network.Name != configured,
		Rules: firewall.Memo{Path: filepath.Join(dir, "rules")},
		Alone: func(ctx context.Context, boot string) error {
			return ipam.Alone(ctx, cfg.IPAM.StateDir, dir, cfg.Network.Subnet, boot)
		},
	}), nil
}

// protect runs f and makes its error, or its panic, one with a code.
func (c *call) protect(f func() error) (failure *types.Error) {
	defer func() {
		if p := recover(); p != nil {
			failure = &types.Error{
				Code:    types.ErrInternal,
				Msg:     fmt.Sprintf("flatnet broke off %s of container %s: %v", c.verb, c.containerID, p),
				Details: "this is a fault of the program; please report it with the log's line",
			}
			c.logger().Error("panic", "container", c.containerID, "stack", string(debug.Stack()))
		}
	}()
	if err := f(); err != nil {
		return withCode(err)
	}
	return nil
}

// withCode gives an error the code that the table has for it.
func withCode(err error) *types.Error {
	var done *types.Error
	if errors.As(err, &done) {
		return done
	}
	return describe(err)
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

// unheard says that the answer could not be written, and takes back what the
// caller will not know of.
func (c *call) unheard(err error) {
	if c.takeBack != nil {
		err = errors.Join(err, c.takeBack())
	}
	c.logger().Error(c.verb, "container", c.containerID, "network", c.network, "result", "failed", "error", "write the answer: "+oneLine(err))
	fmt.Fprintln(os.Stderr, "flatnet: write the answer:", oneLine(err))
}

// takenBackBy has unheard take an attachment off the network again.
func (c *call) takenBackBy(ctx context.Context, a *attach.Attacher, id attach.ID) {
	c.takeBack = func() error { return a.Del(context.WithoutCancel(ctx), id) }
}

// record writes the call's line into the log: its result, or why it failed.
func (c *call) record(result string, failure *types.Error) {
	about := []any{
		"container", c.containerID, "name", c.name, "ifname", c.ifName, "network", c.network,
		"ms", float64(c.Now().Sub(c.begin).Microseconds()) / 1000,
	}
	if failure == nil {
		c.logger().Info(c.verb, append(about, "result", result)...)
		return
	}
	c.logger().Error(c.verb, append(about, "result", "failed",
		"code", failure.Code, "error", failure.Msg, "hint", failure.Details)...)
}
