package firewall

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"flatnet/core/kernel"
	"flatnet/core/ports"
)

// The chains of published ports. Netavark's own rules are in its own chains
// or tables, so the two do not meet.
const (
	PortsChain   = "FLATNET-PORTS"   // sends what comes for a published port to the container
	HairpinChain = "FLATNET-HAIRPIN" // makes answers come back the same way
)

// Published is one container whose ports this machine has.
type Published struct {
	Owner string     // tells it from all others: container id and interface
	IP    netip.Addr // the container's
	Ports []ports.Mapping
}

// Publish puts in what leads to the container's ports, and takes away what is
// there of it besides, also of an earlier container with its address.
// kernel.ErrNoProgram where the backend's programs are not installed.
func Publish(ctx context.Context, k kernel.Kernel, w Want, p Published) error {
	w.Published = []Published{p}
	_, err := settle(ctx, k, w.Backend, func(ruleset) []layout { return w.published() })
	return failed("publish ports", ports.Text(p.Ports), err)
}

// Unpublish takes away the rules of the container's ports. It is no error if
// they are gone.
func Unpublish(ctx context.Context, k kernel.Kernel, w Want, owner string) error {
	mine := func(r rule) bool { return r.comment() == mark(w.Bridge, owner) }
	_, err := settle(ctx, k, w.Backend, func(ruleset) []layout { return portLayouts(mine) })
	return failed("take back the ports of", owner, err)
}

// Recover tells from the rules alone which containers of the bridge have
// published ports, in either backend.
func Recover(ctx context.Context, k kernel.Kernel, bridge string) ([]Published, error) {
	var all []Published
	for _, b := range []kernel.Backend{kernel.BackendNFT, kernel.BackendLegacy} {
		rs, err := read(ctx, k, b)
		if errors.Is(err, kernel.ErrNoProgram) {
			continue
		}
		if err != nil {
			return nil, failed("read the published ports of", bridge, err)
		}
		if c := rs["nat"][PortsChain]; c != nil {
			all = recovered(all, c.rules, bridge)
		}
	}
	return all, nil
}

// recovered adds what the rules of PortsChain say. One that is not as forward
// writes it is passed over.
func recovered(all []Published, rules []rule, bridge string) []Published {
	for _, r := range rules {
		owner, ours := strings.CutPrefix(r.comment(), mark(bridge, ""))
		ip, err := netip.ParseAddr(r.leadsTo())
		mappings, err2 := ports.Parse(r.mapping())
		if !ours || err != nil || err2 != nil {
			continue
		}
		at := slices.IndexFunc(all, func(p Published) bool { return p.Owner == owner })
		if at < 0 {
			at = len(all)
			all = append(all, Published{Owner: owner, IP: ip})
		}
		all[at].Ports = append(all[at].Ports, mappings...)
	}
	return all
}

// mapping is what forward made the rule of, in the notation of core/ports.
func (r rule) mapping() string {
	_, to, _ := strings.Cut(r.after("--to-destination"), ":")
	to, _, _ = strings.Cut(to, "/")
	text := strings.Replace(r.after("--dport"), ":", "-", 1) + ":" + to + "/" + r.after("-p")
	if at := r.after("-d"); at != "" {
		text = strings.TrimSuffix(at, "/32") + ":" + text
	}
	return text
}

// published gives what the containers with ports need; nothing if there are
// none.
func (w Want) published() []layout {
	if len(w.Published) == 0 {
		return nil
	}
	owners, addresses := map[string]bool{}, map[string]bool{}
	for _, p := range w.Published {
		owners[mark(w.Bridge, p.Owner)], addresses[p.IP.String()] = true, true
	}
	ls := portLayouts(func(r rule) bool { return owners[r.comment()] || isOf(w.Bridge)(r) && addresses[r.leadsTo()] })
	for _, p := range w.Published {
		if len(p.Ports) == 0 {
			continue
		}
		for _, m := range p.Ports {
			ls[0].rules = append(ls[0].rules, w.forward(p, m))
		}
		ls[1].rules = append(ls[1].rules, w.hairpin(p, w.Subnet.Masked()), w.hairpin(p, loopback))
	}
	return ls
}

// loopback is where a program on this machine asks from when it asks for
// 127.0.0.1.
var loopback = netip.MustParsePrefix("127.0.0.0/8")

// portLayouts are the two chains, and how they are reached: for what comes
// from elsewhere, and for what this machine sends itself.
func portLayouts(mine func(rule) bool) []layout {
	local := rule{"-m", "addrtype", "--dst-type", "LOCAL"}
	return []layout{
		{
			table: "nat", chain: PortsChain, mine: mine,
			jumps: []jump{{from: "PREROUTING", match: local}, {from: "OUTPUT", match: local}},
		},
		{table: "nat", chain: HairpinChain, mine: mine, jumps: []jump{{from: "POSTROUTING"}}},
	}
}

// forward leads one mapping to the container.
func (w Want) forward(p Published, m ports.Mapping) rule {
	var r rule
	if m.HostIP.IsValid() && !m.HostIP.IsUnspecified() {
		r = rule{"-d", m.HostIP.String() + "/32"}
	}
	from, to := fmt.Sprint(m.Host), fmt.Sprint(m.Container)
	if m.Count > 1 {
		from = fmt.Sprintf("%d:%d", m.Host, m.Host+m.Count-1)
		to = fmt.Sprintf("%d-%d/%d", m.Container, m.Container+m.Count-1, m.Host)
	}
	r = append(r, "-p", m.Protocol, "-m", m.Protocol, "--dport", from)
	r = append(r, w.owned(p)...)
	return append(r, "-j", "DNAT", "--to-destination", p.IP.String()+":"+to)
}

// hairpin gives redirected packets from a source that the container would
// answer past this machine the bridge's address.
func (w Want) hairpin(p Published, source netip.Prefix) rule {
	r := rule{"-s", source.String(), "-d", p.IP.String() + "/32", "-m", "conntrack", "--ctstate", "DNAT"}
	return append(append(r, w.owned(p)...), "-j", "MASQUERADE")
}

// owned says in a rule whose it is.
func (w Want) owned(p Published) rule {
	return rule{"-m", "comment", "--comment", mark(w.Bridge, p.Owner)}
}

// mark is the comment of one container's rules.
func mark(bridge, owner string) string { return "flatnet " + bridge + " " + owner }

// isOf tells which rules are of any container of this bridge.
func isOf(bridge string) func(rule) bool {
	return func(r rule) bool { return strings.HasPrefix(r.comment(), mark(bridge, "")) }
}

// comment is the rule's comment, "" if it has none.
func (r rule) comment() string { return r.after("--comment") }

// leadsTo is the address that the rule sends packets to.
func (r rule) leadsTo() string {
	address, _, _ := strings.Cut(r.after("--to-destination"), ":")
	if address == "" {
		address = strings.TrimSuffix(r.after("-d"), "/32")
	}
	return address
}

// after is the word that follows option, "" if there is none.
func (r rule) after(option string) string {
	for i, w := range r[:max(len(r)-1, 0)] {
		if w == option {
			return r[i+1]
		}
	}
	return ""
}
