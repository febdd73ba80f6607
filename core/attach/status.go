package attach

import (
	"context"
	"errors"

	"flatnet/core/bridge"
	"flatnet/core/firewall"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
)

// Status tells whether an Add could succeed now: nil, or an error that holds
// ErrNotReady and every reason (CNI 1.1, STATUS). It changes nothing.
func (a *Attacher) Status(ctx context.Context) error {
	err := errors.Join(a.poolReady(ctx), a.bridgeReady(ctx), a.rulesReady(ctx))
	if err == nil {
		return nil
	}
	return errors.Join(ErrNotReady, err)
}

// poolReady tries an allocation. It takes the lock, and looks at the directory
// and at the disk, as an Add would.
func (a *Attacher) poolReady(ctx context.Context) error {
	boot, err := a.kernel.BootID(ctx)
	if err != nil {
		return failed("read the boot id", "", err)
	}
	err = a.store.Try(ctx, func(s *ipam.State) ([]journal.Entry, error) {
		_, entries, err := ipam.Allocate(s, ipam.PoolOf(a.config), ipam.Request{
			ContainerID: "status", IfName: "status", BootID: boot, By: "plugin STATUS", Witness: a.witness(ctx, boot),
		}, a.now())
		return entries, err
	})
	return errors.Join(err, a.alone(ctx, boot))
}

// bridgeReady looks for what bridge.Ensure would refuse.
func (a *Attacher) bridgeReady(ctx context.Context) error {
	name := a.config.Network.Bridge
	b, err := bridge.Look(ctx, a.kernel, a.config.Network)
	if err != nil {
		return err
	}
	err = b.Obstacle()
	if len(b.Ports) >= bridge.MaxPorts {
		err = errors.Join(err, failed("use bridge", name, kernel.ErrBridgeFull))
	}
	return err
}

// rulesReady looks whether the packet filter can be read.
func (a *Attacher) rulesReady(ctx context.Context) error {
	want := firewall.WantOf(a.config)
	_, err := firewall.Look(ctx, a.kernel, want)
	if errors.Is(err, kernel.ErrNoProgram) && want.Backend == kernel.BackendAuto {
		return nil
	}
	return err
}
