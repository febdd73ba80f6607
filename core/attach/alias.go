package attach

import (
	"net/netip"
	"strings"
)

// MaxName is how much of a container's name is kept, in bytes.
const MaxName = 128

// Owner is who a host-side veth belongs to, as its alias says. With it the
// leases can be told from the kernel alone.
type Owner struct {
	Network string
	ID
	IP   netip.Addr
	Name string // of the container, "" if unknown
}

// aliasMark begins every alias of ours.
const aliasMark = "flatnet"

// maxAlias is the kernel's limit (IFALIASZ), in bytes.
const maxAlias = 255

// String gives the alias: "flatnet <network> <container id> <ifname> <ip> [name]".
func (o Owner) String() string {
	s := strings.Join([]string{aliasMark, o.Network, o.ContainerID, o.IfName, o.IP.String()}, " ")
	if o.Name != "" && len(s)+1+len(o.Name) <= maxAlias {
		s += " " + o.Name
	}
	return s
}

// ParseAlias reads an alias that String made; ok is false for any other text.
func ParseAlias(alias string) (o Owner, ok bool) {
	f := strings.Fields(alias)
	if len(f) < 5 || len(f) > 6 || f[0] != aliasMark {
		return Owner{}, false
	}
	ip, err := netip.ParseAddr(f[4])
	if err != nil {
		return Owner{}, false
	}
	o = Owner{Network: f[1], ID: ID{ContainerID: f[2], IfName: f[3]}, IP: ip}
	if len(f) == 6 {
		o.Name = f[5]
	}
	return o, true
}
