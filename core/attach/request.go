package attach

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"flatnet/core"
	"flatnet/core/bridge"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/ports"
	"flatnet/core/say"
)

// Who did it, in the journal.
const (
	byAdd       = "plugin ADD"
	byAddUndone = "plugin ADD, undone"
	byDel       = "plugin DEL"
	byGC        = "plugin GC"
)

// String names the attachment for a person.
func (id ID) String() string {
	short := id.ContainerID
	if len(short) > 12 {
		short = short[:12]
	}
	return id.IfName + " of container " + short
}

// checkRequest refuses what cannot be and cleans the name, which comes from
// outside and may be anything.
func (a *Attacher) checkRequest(r *Request) error {
	r.Name = cleanName(r.Name)
	if err := r.ID.check(); err != nil {
		return err
	}
	owner := Owner{Network: a.config.Network.Name, ID: r.ID, IP: a.config.Network.RangeEnd}
	if n := len(owner.String()); n > maxAlias {
		return failedWith("attach", r.ID.String(),
			say.Errorf("%w: network name and container id together are %d bytes too long", ErrRequest, n-maxAlias),
			"give the network a shorter name")
	}
	if len(r.MAC) != 0 && (len(r.MAC) != 6 || r.MAC[0]&1 == 1 || [6]byte(r.MAC) == [6]byte{}) {
		return failed("attach with MAC address", r.MAC.String(), say.Errorf("%w: not the address of one Ethernet interface", ErrRequest))
	}
	for _, m := range r.Ports {
		if err := m.Check(); err != nil {
			return failed("publish a port of", r.ID.String(), say.Errorf("%w: %w", ErrRequest, err))
		}
	}
	if len(r.Ports) > ports.MaxMappings {
		return failed("publish ports of", r.ID.String(), say.Errorf("%w: %d are more than %d", ErrRequest, len(r.Ports), ports.MaxMappings))
	}
	return nil
}

// check holds container ids to the CNI specification's form, and interface
// names to the kernel's.
func (id ID) check() error {
	if id.ContainerID == "" || !isAlphanumeric(rune(id.ContainerID[0])) || strings.IndexFunc(id.ContainerID, notInID) >= 0 {
		return failed("attach container", fmt.Sprintf("%q", id.ContainerID), say.Errorf("%w: not a container id", ErrRequest))
	}
	n := id.IfName
	if n == "" || n == "." || n == ".." || len(n) > 15 || strings.IndexFunc(n, notInInterface) >= 0 {
		return failed("make interface", fmt.Sprintf("%q", n), say.Errorf("%w: not an interface name", ErrRequest))
	}
	return nil
}

func isAlphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func notInID(c rune) bool { return !isAlphanumeric(c) && !strings.ContainsRune("_.-", c) }

// notInInterface is the kernel's rule; of "%" it would make a number.
func notInInterface(c rune) bool {
	return c == '/' || c == ':' || c == '%' || unicode.IsSpace(c) || !unicode.IsPrint(c)
}

// cleanName keeps what can be shown and stand as one word of an alias.
func cleanName(name string) string {
	name = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || unicode.IsSpace(c) || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, name)
	for len(name) > MaxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// MaxAliases is how many further names of a container are kept.
const MaxAliases = 64

// aliasText writes further names down as a lease has them.
func aliasText(aliases []string) string {
	var kept []string
	for _, a := range aliases[:min(len(aliases), MaxAliases)] {
		if a = cleanName(a); a != "" {
			kept = append(kept, a)
		}
	}
	return strings.Join(kept, " ")
}

// chooseMAC gives the container's MAC address: the one asked for, or one made
// from the IP address. Where somebody else asked for that one it is the next.
func chooseMAC(s *ipam.State, asked net.HardwareAddr, lease ipam.Lease, witness ipam.Witness) (net.HardwareAddr, error) {
	if len(asked) != 0 {
		return asked, macFree(s, asked, lease, witness)
	}
	mac := macFor(lease.IP)
	err := macFree(s, mac, lease, witness)
	for n := 1; err != nil && n < 256; n++ {
		mac[1]++
		err = macFree(s, mac, lease, witness)
	}
	return mac, err
}

// macFor makes a MAC address from an IP address. One that goes to another
// container keeps its MAC, so that no neighbour's ARP entry becomes wrong.
func macFor(ip netip.Addr) net.HardwareAddr {
	b := ip.As4()
	// 0x0a: locally administered, one interface's; 0xf1 sets it apart.
	return net.HardwareAddr{0x0a, 0xf1, b[0], b[1], b[2], b[3]}
}

// failed makes the error of one operation, with the hint that its cause has.
func failed(op say.Text, target string, err error) error {
	return failedWith(op, target, err, hintFor(err))
}

func failedWith(op say.Text, target string, err error, hint say.Text) error {
	return &core.OpError{Op: op, Target: target, Err: err, Hint: hint}
}

func hintFor(err error) say.Text {
	for _, h := range hints {
		if errors.Is(err, h.cause) {
			return h.hint
		}
	}
	return ""
}

var hints = []struct {
	cause error
	hint  say.Text
}{
	{kernel.ErrPermission, "run it as root: rootless Podman cannot use this network"},
	{kernel.ErrNoNamespace, "the container has ended, or its runtime gave a wrong path; start the container again"},
	{kernel.ErrBridgeFull, say.F("a Linux bridge takes %d containers; stop some, or use a second network", bridge.MaxPorts)},
	{ErrOwnNamespace, "the container needs a network namespace of its own: run it without --network host"},
	{ErrInterfaceTaken, "take the interface off the container first, or ask for another name"},
	{ErrAttached, "stop the container first, so that its runtime calls DEL"},
	{ErrRequest, "correct the option of podman run that it comes from"},
	{ErrVeth, "look at the kernel's message above; \"ip link\" shows what has the name"},
}

// macFree makes sure that no other container has the MAC address: the bridge
// would send each one's frames now here, now there.
func macFree(s *ipam.State, mac net.HardwareAddr, lease ipam.Lease, witness ipam.Witness) error {
	for _, other := range s.OfMAC(mac.String()) {
		if other.IP == lease.IP || witness(other).Says == ipam.Gone {
			continue
		}
		return &core.OpError{
			Op: say.F("give MAC address %s to", mac), Target: lease.Owner(),
			Err:  say.Errorf("%w by %s (%s)", ipam.ErrTaken, other.Owner(), other.IP),
			Hint: "ask for another one, or for none",
		}
	}
	return nil
}
