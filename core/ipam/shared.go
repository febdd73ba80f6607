package ipam

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"flatnet/core"
	"flatnet/core/say"
)

// networksDir holds the states of all networks but the configured one.
const networksDir = "networks"

// OtherDirs gives the directories of all states but the configured network's.
func OtherDirs(stateDir string) []string {
	others, _ := os.ReadDir(filepath.Join(stateDir, networksDir)) // mostly there are none
	dirs := make([]string, len(others))
	for i, o := range others {
		dirs[i] = filepath.Join(stateDir, networksDir, o.Name())
	}
	return dirs
}

// otherLimit bounds the wait for another network's lock: its calls are short,
// and one that hangs is not to hold up this network too.
const otherLimit = 2 * time.Second

// Alone refuses the network whose state is in own with ErrShared if another
// network of stateDir holds an address of subnet: each keeps a state of its
// own, so both would give the same one out. Called after a lease was written,
// it finds the other one also where both begin at the same time. What is from
// an earlier boot does not count, and a state that cannot be read, or not in
// otherLimit, is left to its own network's next call.
func Alone(ctx context.Context, stateDir, own string, subnet netip.Prefix, boot string) error {
	for _, dir := range append([]string{stateDir}, OtherDirs(stateDir)...) {
		if dir == own {
			continue
		}
		s, err := readOther(ctx, dir)
		if err != nil || !s.Subnet.Overlaps(subnet) {
			continue
		}
		for l := range s.All() {
			if subnet.Contains(l.IP) && (l.BootID == "" || l.BootID == boot) {
				return shared(l, subnet, dir)
			}
		}
	}
	return nil
}

func readOther(ctx context.Context, dir string) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, otherLimit)
	defer cancel()
	return OpenFile(dir, Options{}).Read(ctx)
}

func shared(l Lease, subnet netip.Prefix, dir string) error {
	return &core.OpError{
		Op: "give out addresses of", Target: subnet.String(),
		Err:  say.Errorf("%w: %s is held by %s, in %s", ErrShared, l.IP, l.Owner(), filepath.Join(dir, FileName)),
		Hint: "give each network list a subnet and a bridge of its own, or the same name; or stop the other network's containers",
	}
}
