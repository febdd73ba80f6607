package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core/attach"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/logfile"
)

func (c *call) add(ctx context.Context, args *skel.CmdArgs) error {
	n, attacher, err := c.open(args)
	if err != nil {
		return err
	}
	r, err := parseRequest(args, n)
	if err != nil {
		return err
	}
	result, err := attacher.Add(ctx, r)
	if err != nil {
		return err
	}
	c.result = cniResult(result, args.Netns, n.DNS)
	return nil
}

func (c *call) del(ctx context.Context, args *skel.CmdArgs) error {
	_, attacher, err := c.open(args)
	if err != nil {
		return err
	}
	return attacher.Del(ctx, attach.ID{ContainerID: args.ContainerID, IfName: args.IfName})
}

func (c *call) check(ctx context.Context, args *skel.CmdArgs) error {
	n, attacher, err := c.open(args)
	if err != nil {
		return err
	}
	want, err := expected(n, args)
	if err != nil {
		return err
	}
	return attacher.Check(ctx, attach.ID{ContainerID: args.ContainerID, IfName: args.IfName}, args.Netns, want)
}

func (c *call) status(ctx context.Context, args *skel.CmdArgs) error {
	_, attacher, err := c.open(args)
	if err != nil {
		return err
	}
	if err = errors.Join(checkRights(), attacher.Status(ctx)); err == nil {
		return nil
	}
	e := describe(err)
	return &types.Error{Code: types.ErrPluginNotAvailable, Msg: e.Msg, Details: e.Details}
}

func (c *call) gc(ctx context.Context, args *skel.CmdArgs) error {
	n, attacher, err := c.open(args)
	if err != nil {
		return err
	}
	valid := make([]attach.ID, len(n.ValidAttachments))
	for i, a := range n.ValidAttachments {
		valid[i] = attach.ID{ContainerID: a.ContainerID, IfName: a.IfName}
	}
	return attacher.GC(ctx, valid)
}

// open reads the configuration and puts the parts together.
func (c *call) open(args *skel.CmdArgs) (netConf, *attach.Attacher, error) {
	n, err := parseNetConf(args.StdinData)
	if err != nil {
		return netConf{}, nil, err
	}
	c.cniVersion, c.network = n.CNIVersion, n.Name
	if a, err := parseArgs(args.Args); err == nil {
		c.name = string(a.K8S_POD_NAME)
	}
	cfg, configured, err := loadConfig(args.StdinData)
	if err != nil {
		return netConf{}, nil, err
	}
	c.log = logfile.New(cfg.Log, c.Now)
	dir, err := ipam.Dir(cfg.IPAM.StateDir, configured, cfg.Network.Name)
	if err != nil {
		return netConf{}, nil, err
	}
	store := c.OpenStore(dir, ipam.Options{
		Pool:    ipam.PoolOf(cfg),
		Holder:  fmt.Sprintf("flatnet %s of container %.12s", c.verb, c.containerID),
		Now:     c.Now,
		Rebuild: attach.Rebuild(c.Kernel, cfg.Network, c.Now),
		Report:  func(text string) { c.log.Warn(text, "network", cfg.Network.Name, "state", dir) },
	})
	return n, attach.New(attach.Options{
		Kernel: c.Kernel, Store: store, Config: cfg, Log: c.log, Now: c.Now,
		Rules: firewall.Memo{Path: filepath.Join(dir, "rules")},
	}), nil
}
