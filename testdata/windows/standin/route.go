package standin

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

const ruler = "==========================================================================="

// route is route.exe: print, add and delete, the last two for administrators.
func (p *program) route() int {
	w := speak(p.state.Language)
	if len(p.args) == 0 {
		return 1
	}
	verb := strings.ToLower(p.args[0])
	if verb == "print" {
		_, _ = os.Stdout.Write(p.print())
		return 0
	}
	if !p.state.Elevated {
		_, _ = os.Stderr.Write(w.encode(w.refused + "\r\n"))
		return 1
	}
	r, given, err := parseRoute(p.args[1:])
	if err != nil || (verb == "add" && !given) {
		fmt.Fprintln(os.Stderr, "stand-in route.exe:", err)
		return 1
	}
	err = Change(p.root, func(s *State) {
		switch verb {
		case "add":
			s.add(r)
		case "delete":
			s.remove(r.Destination, r.Gateway)
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in route.exe:", err)
		return 1
	}
	_, _ = os.Stdout.Write(w.encode(w.ok + "\r\n"))
	return 0
}

// parseRoute reads DESTINATION mask MASK [GATEWAY] [metric N].
func parseRoute(args []string) (r Route, hasGateway bool, err error) {
	if len(args) < 3 || !strings.EqualFold(args[1], "mask") {
		return r, false, fmt.Errorf("cannot read %q", args)
	}
	dst, err := netip.ParseAddr(args[0])
	if err != nil {
		return r, false, err
	}
	mask, err := netip.ParseAddr(args[2])
	if err != nil {
		return r, false, err
	}
	ones := 0
	for _, b := range mask.As4() {
		ones += strings.Count(strconv.FormatUint(uint64(b), 2), "1")
	}
	r.Destination = netip.PrefixFrom(dst, ones)
	r.Metric = 1
	rest := args[3:]
	if len(rest) > 0 && !strings.EqualFold(rest[0], "metric") {
		r.Gateway, err = netip.ParseAddr(rest[0])
		rest, hasGateway = rest[1:], true
	}
	if len(rest) == 2 && strings.EqualFold(rest[0], "metric") {
		r.Metric, err = strconv.Atoi(rest[1])
	}
	return r, hasGateway, err
}

// add puts the route on the interface whose network the gateway is on; its
// metric is the interface's and its own, as Windows adds them up.
func (s *State) add(r Route) {
	const interfaceMetric = 15
	for _, on := range s.Active {
		if !on.Gateway.IsValid() && on.Destination.Bits() < 32 && on.Destination.Contains(r.Gateway) {
			r.Interface = on.Interface
		}
	}
	r.Metric += interfaceMetric
	same := func(o Route) bool { return o.Destination == r.Destination && o.Gateway == r.Gateway }
	if r.Interface.IsValid() && !slices.ContainsFunc(s.Active, same) {
		s.Active = append(s.Active, r)
	}
}

// remove takes the routes to dst by way of gateway away, active and
// persistent; the zero gateway stands for every one.
func (s *State) remove(dst netip.Prefix, gateway netip.Addr) {
	gone := func(r Route) bool {
		return r.Destination == dst && (!gateway.IsValid() || r.Gateway == gateway)
	}
	s.Active = slices.DeleteFunc(s.Active, gone)
	s.Persistent = slices.DeleteFunc(s.Persistent, gone)
}

// Print gives what `route.exe print -4` prints in this state.
func Print(s State) []byte { return (&program{state: s}).print() }

func (p *program) print() []byte {
	w := speak(p.state.Language)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("%s\r\n%s", ruler, w.interfaces)
	line(" 18...f0 9e 4a 12 34 56 ......Intel(R) Wi-Fi 6 AX201 160MHz")
	line("  1...........................Software Loopback Interface 1")
	line(" 45...00 15 5d 8a 3c 11 ......Hyper-V Virtual Ethernet Adapter")
	line("%s\r\n\r\n%s\r\n%s\r\n%s\r\n%s", ruler, w.table, ruler, w.active, w.columns)
	for _, r := range p.state.Active {
		line("%17s%17s%17s%17s %6d", r.Destination.Addr(), maskOf(r.Destination), gatewayOr(r, w.onLink), r.Interface, r.Metric)
	}
	line("%s\r\n%s", ruler, w.persistent)
	if len(p.state.Persistent) == 0 {
		line("  %s", w.none)
		return w.encode(b.String())
	}
	line("%s", w.persistentColumns)
	for _, r := range p.state.Persistent {
		metric := strconv.Itoa(r.Metric)
		if r.Metric < 0 {
			metric = w.standard
		}
		line("%17s%17s%17s%8s", r.Destination.Addr(), maskOf(r.Destination), gatewayOr(r, w.onLink), " "+metric)
	}
	line("%s", ruler)
	return w.encode(b.String())
}

func gatewayOr(r Route, onLink string) string {
	if r.Gateway.IsValid() {
		return r.Gateway.String()
	}
	return " " + onLink
}

func maskOf(p netip.Prefix) string {
	v := ^uint32(0) << (32 - p.Bits())
	return fmt.Sprintf("%d.%d.%d.%d", v>>24, v>>16&255, v>>8&255, v&255)
}
