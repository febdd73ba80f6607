package plugin

import (
	"context"
	"errors"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core/attach"
	"flatnet/core/config"
)

func (c *cniCall) add(ctx context.Context, args *skel.CmdArgs) error {
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
	c.takenBackBy(ctx, attacher, r.ID)
	c.result = cniResult(result, args.Netns, withNames(n.DNS, c.told))
	return nil
}

func (c *cniCall) del(ctx context.Context, args *skel.CmdArgs) error {
	_, attacher, err := c.open(args)
	if err != nil {
		return err
	}
	return attacher.Del(ctx, attach.ID{ContainerID: args.ContainerID, IfName: args.IfName})
}

func (c *cniCall) check(ctx context.Context, args *skel.CmdArgs) error {
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

func (c *cniCall) status(ctx context.Context, args *skel.CmdArgs) error {
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

func (c *cniCall) gc(ctx context.Context, args *skel.CmdArgs) error {
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
func (c *cniCall) open(args *skel.CmdArgs) (netConf, *attach.Attacher, error) {
	n, err := parseNetConf(args.StdinData)
	if err != nil {
		return netConf{}, nil, err
	}
	c.cniVersion, c.network = n.CNIVersion, n.Name
	if a, err := parseArgs(args.Args); err == nil {
		c.name = string(a.K8S_POD_NAME)
	}
	cfg, file, err := config.LoadNetConf(args.StdinData)
	if err != nil {
		return netConf{}, nil, err
	}
	attacher, err := c.assemble(cfg, file.Network.Name)
	return n, attacher, err
}
