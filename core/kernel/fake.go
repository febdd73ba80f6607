package kernel

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Fake is a kernel in memory. It keeps what it is told, refuses what the real
// one refuses, and prints itself for comparison.
type Fake struct {
	*fakeNamespace
	machine *machine
}

// machine is what all of a fake's namespaces share; mu guards all of it.
type machine struct {
	mu         sync.Mutex
	namespaces map[string]*fakeNamespace // by path
	inodes     uint64                    // the last one given
	boot       string
	filters    map[Backend]*fakeFilter // programs that are there
	rulesLock  chan struct{}           // holds one value while locked
}

// NewFake gives a machine with a loopback, the iptables programs and no rules.
func NewFake() *Fake {
	m := &machine{
		namespaces: map[string]*fakeNamespace{},
		boot:       "00000000-0000-4000-8000-000000000001",
		filters:    map[Backend]*fakeFilter{BackendNFT: {}, BackendLegacy: {}},
		rulesLock:  make(chan struct{}, 1),
	}
	return &Fake{m.newNamespace(), m}
}

// AddNamespace makes an empty network namespace with a loopback, found at path.
func (f *Fake) AddNamespace(path string) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	f.machine.namespaces[path] = f.machine.newNamespace()
}

// DeleteNamespace takes the one at path away with all its links.
func (f *Fake) DeleteNamespace(path string) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	if ns := f.machine.namespaces[path]; ns != nil {
		for _, l := range slices.Clone(ns.links) {
			ns.remove(l)
		}
	}
	delete(f.machine.namespaces, path)
}

// SetBootID changes what BootID gives: a reboot.
func (f *Fake) SetBootID(id string) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	f.machine.boot = id
}

// RemoveProgram takes a backend's programs away, so that it gives ErrNoProgram.
func (f *Fake) RemoveProgram(b Backend) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	delete(f.machine.filters, b)
}

// AddSysctl makes a key known that a bare machine does not have.
func (f *Fake) AddSysctl(key, value string) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	f.sysctls[key] = value
}

// Open enters the namespace that AddNamespace made at path.
func (f *Fake) Open(ctx context.Context, path string) (Namespace, error) {
	ns, err := f.at(ctx, path)
	if err != nil {
		return nil, err
	}
	return ns, nil
}

// Identify gives the namespace's identity; a new one at the same path has
// another.
func (f *Fake) Identify(ctx context.Context, path string) (NamespaceID, error) {
	ns, err := f.at(ctx, path)
	if err != nil {
		return NamespaceID{}, err
	}
	return ns.id, nil
}

func (f *Fake) at(ctx context.Context, path string) (*fakeNamespace, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	ns := f.machine.namespaces[path]
	if ns == nil {
		return nil, fmt.Errorf("%s: %w", path, ErrNoNamespace)
	}
	return ns, nil
}

// Namespaces lists the paths given to AddNamespace.
func (f *Fake) Namespaces(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	return f.machine.paths(), nil
}

// BootID gives the id of NewFake or SetBootID.
func (f *Fake) BootID(ctx context.Context) (string, error) {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	return f.machine.boot, ctx.Err()
}

// String gives links, addresses, routes and sysctls as `ip` and sysctl lines,
// sorted, those of other namespaces after their path, and then the rules of
// each backend as iptables lines, in order.
func (f *Fake) String() string {
	f.machine.mu.Lock()
	defer f.machine.mu.Unlock()
	var b strings.Builder
	for _, line := range f.lines() {
		b.WriteString(line + "\n")
	}
	for _, path := range f.machine.paths() {
		for _, line := range f.machine.namespaces[path].lines() {
			b.WriteString(path + ": " + line + "\n")
		}
	}
	for _, backend := range []Backend{BackendNFT, BackendLegacy} {
		if filter := f.machine.filters[backend]; filter != nil {
			filter.print(&b, string(backend))
		}
	}
	return b.String()
}

func (m *machine) paths() []string {
	paths := make([]string, 0, len(m.namespaces))
	for path := range m.namespaces {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

func (m *machine) newNamespace() *fakeNamespace {
	m.inodes++
	ns := &fakeNamespace{
		machine: m,
		id:      NamespaceID{Device: 4, Inode: 4026531840 + m.inodes},
		sysctls: map[string]string{"net.ipv4.ip_forward": "0"},
	}
	ns.insert(&fakeLink{Link: Link{Name: "lo", Type: "loopback", MTU: 65536}})
	return ns
}

// lines prints the namespace. Indexes and chosen MAC addresses are left out.
func (n *fakeNamespace) lines() []string {
	var lines []string
	for _, l := range n.links {
		lines = append(lines, l.line())
		for _, a := range l.addrs {
			lines = append(lines, fmt.Sprintf("ip address %s dev %s", a, l.Name))
		}
	}
	for _, r := range n.routes {
		lines = append(lines, "ip route "+r.line())
	}
	for key, value := range n.sysctls {
		if value != "0" {
			lines = append(lines, "sysctl "+key+"="+value)
		}
	}
	slices.Sort(lines)
	return lines
}

func (l *fakeLink) line() string {
	line := fmt.Sprintf("ip link %s type %s mtu %d", l.Name, l.Type, l.MTU)
	if l.macGiven {
		line += " address " + l.MAC.String()
	}
	if l.Master != "" {
		line += " master " + l.Master
	}
	if l.Hairpin {
		line += " hairpin"
	}
	if l.peer != nil {
		line += " peer " + l.peer.Name
	}
	if l.Alias != "" {
		line += fmt.Sprintf(" alias %q", l.Alias)
	}
	if l.Up {
		return line + " up"
	}
	return line + " down"
}

func (r Route) line() string {
	line := r.Dst.String()
	if r.Dst == netip.PrefixFrom(netip.IPv4Unspecified(), 0) {
		line = "default"
	}
	if r.Gateway.IsValid() {
		line += " via " + r.Gateway.String()
	}
	line += " dev " + r.Link
	if r.Metric != 0 {
		line += fmt.Sprintf(" metric %d", r.Metric)
	}
	return line
}
