package plugin

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"flatnet/core"
)

var errRights = errors.New("this program lacks CAP_NET_ADMIN")

// checkRights tells whether this process may change the network.
func checkRights() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read this program's capabilities: %w", err)
	}
	if data[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0 {
		return nil
	}
	return &core.OpError{Op: "change the network", Err: errRights, Hint: "run it as root: rootless Podman cannot use this network"}
}
