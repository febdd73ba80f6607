package kernel

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// RulesVersion is made of the boot, the namespace, and nf_tables' generation
// there, which the kernel counts up at every change of the rules.
func (r real) RulesVersion(ctx context.Context, b Backend) (string, error) {
	if b != BackendNFT {
		return "", nil // the legacy tables have no such number
	}
	boot, err := r.BootID(ctx)
	if err != nil {
		return "", err
	}
	var id NamespaceID
	var generation uint32
	err = r.inside(func() error {
		if id, err = r.Identify(ctx, "/proc/thread-self/ns/net"); err != nil {
			return err
		}
		generation, err = nftGeneration()
		return err
	})
	if err != nil {
		return "", say.Errorf("read the version of the rules: %w", meaning(err))
	}
	return fmt.Sprintf("%s/%d:%d/%d", boot, id.Device, id.Inode, generation), nil
}

// nftGeneration asks in the namespace of the calling thread.
func nftGeneration() (uint32, error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	req.AddData(&nl.Nfgenmsg{})
	msgs, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	if err != nil {
		return 0, err
	}
	for _, m := range msgs {
		if len(m) < nl.SizeofNfgenmsg {
			continue
		}
		if v := attribute(m[nl.SizeofNfgenmsg:], unix.NFTA_GEN_ID); len(v) == 4 {
			return binary.BigEndian.Uint32(v), nil
		}
	}
	return 0, say.New("the kernel did not say")
}
