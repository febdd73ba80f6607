// Package names says which container name is at which address, out of the
// leases alone, and whom a container is told to ask for names. It opens no
// socket and knows no DNS message: core/resolver does that. The plugin links
// this package, so it stays small.
package names

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/ipam"
)

// Network is one network with the leases that it has just now.
type Network struct {
	Subnet  netip.Prefix
	Gateway netip.Addr // where the bridge is, and names are answered
	Leases  []ipam.Lease
}

// Table is who has which name, at one moment.
type Table struct {
	networks   []Network
	byAddr     map[netip.Addr]holder
	byName     map[string][]netip.Addr // in lower case
	networksOf map[string][]int        // by container id, the networks that it is on
}

type holder struct {
	id   string
	name string // "" where it has none that DNS can carry
}

// NewTable makes the table of these networks' leases. A lease from another
// boot counts for nothing: what held it is gone. "" is a boot that is not
// known, which is every one's.
func NewTable(networks []Network, boot string) *Table {
	t := &Table{networks: networks, byAddr: map[netip.Addr]holder{}, byName: map[string][]netip.Addr{}, networksOf: map[string][]int{}}
	for i, n := range networks {
		for _, l := range n.Leases {
			if n.Subnet.Contains(l.IP) && (l.BootID == "" || boot == "" || l.BootID == boot) {
				t.add(i, l)
			}
		}
	}
	return t
}

func (t *Table) add(network int, l ipam.Lease) {
	h := holder{id: l.ContainerID, name: label(l.Name)}
	t.byAddr[l.IP] = h
	if !slices.Contains(t.networksOf[h.id], network) {
		t.networksOf[h.id] = append(t.networksOf[h.id], network)
	}
	own := []string{h.name, label(shortID(h.id))}
	for alias := range strings.FieldsSeq(l.Aliases) {
		own = append(own, label(alias))
	}
	slices.Sort(own)
	for _, name := range slices.Compact(own) {
		if name != "" {
			t.byName[name] = append(t.byName[name], l.IP)
		}
	}
}

// shortID is the form of an id that Podman shows, and gives a container as its
// host name.
func shortID(id string) string { return id[:min(len(id), 12)] }

const lettersOfNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// label gives a name in the form in which it is looked up: lower case; "" for
// one that cannot stand in DNS. Underscores can, as in names of compose.
func label(name string) string {
	if name == "" || len(name) > 150 {
		return ""
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || len(part) > 63 {
			return ""
		}
	}
	if strings.Trim(name, lettersOfNames) != "" {
		return ""
	}
	return strings.ToLower(name)
}

// Covers tells whether an address belongs to one of the networks.
func (t *Table) Covers(ip netip.Addr) bool {
	return slices.ContainsFunc(t.networks, func(n Network) bool { return n.Subnet.Contains(ip) })
}

// Container gives the id of the container at an address, "" if none is there.
func (t *Table) Container(ip netip.Addr) string { return t.byAddr[ip].id }

// View is what one client may know of a table: names on the networks that it
// is on itself.
type View struct {
	table *Table
	home  int   // the network that it asks from, -1 for none
	other []int // further ones that its container is on
}

// For gives the view of the client at an address. One that is no container
// (this machine at the bridge's address, say) sees the network of its address.
func (t *Table) For(client netip.Addr) View {
	v := View{table: t, home: slices.IndexFunc(t.networks, func(n Network) bool { return n.Subnet.Contains(client) })}
	if id := t.Container(client); id != "" {
		v.other = t.networksOf[id]
	}
	return v
}

// sees tells on which network that the client is on too an address is: 0 for
// the one that it asks from, 1 for another, -1 for none.
func (v View) sees(ip netip.Addr) int {
	if v.home >= 0 && v.table.networks[v.home].Subnet.Contains(ip) {
		return 0
	}
	if slices.ContainsFunc(v.other, func(i int) bool { return v.table.networks[i].Subnet.Contains(ip) }) {
		return 1
	}
	return -1
}

// Addresses gives where the container of this name is, or the containers of
// this alias: those on the client's own network first. The name is in any case
// of letters.
func (v View) Addresses(name string) []netip.Addr {
	var found []netip.Addr
	for _, ip := range v.table.byName[strings.ToLower(name)] {
		if v.sees(ip) >= 0 {
			found = append(found, ip)
		}
	}
	slices.SortFunc(found, func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(v.sees(a), v.sees(b)), a.Compare(b))
	})
	return found
}

// Name gives the name of the container at an address, "" if there is none
// that the client may know.
func (v View) Name(ip netip.Addr) string {
	if v.sees(ip) < 0 {
		return ""
	}
	return v.table.byAddr[ip].name
}
