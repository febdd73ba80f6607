package plugin_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/containernetworking/cni/libcni"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/testdata/nettest"
)

// The benchmarks call Debian's bridge, host-local and firewall plugins and
// ours in turn, both through libcni, with the same duties: address, default
// route, masquerade, forward rules. Times are those of the whole call.

// rival is a network with the plugins that serve it.
type rival struct {
	name string
	ns   string // the host's namespace
	cni  *libcni.CNIConfig
	list *libcni.NetworkConfigList
}

func newRival(b *testing.B, name, plugins string, path ...string) *rival {
	b.Helper()
	list, err := libcni.NetworkConfFromBytes([]byte(fmt.Sprintf(`{"cniVersion": "1.0.0", "name": %q, "plugins": %s}`, name, plugins)))
	if err != nil {
		b.Fatal(err)
	}
	return &rival{name: name, ns: nettest.New(b), list: list, cni: libcni.NewCNIConfigWithCacheDir(append(path, "/usr/lib/cni"), b.TempDir(), nil)}
}

// newReference is Debian's plugins, with as many leases and ports.
func newReference(b *testing.B, leases, ports int) *rival {
	b.Helper()
	dir := b.TempDir()
	r := newRival(b, "reference", fmt.Sprintf(`[
		{"type": "bridge", "bridge": "ref-br0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
		 "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": "10.96.0.0/19"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
		{"type": "firewall", "backend": "iptables"}]`, dir))
	r.warmUp(b)
	for ip := netip.MustParseAddr("10.96.1.0"); leases > 1; leases, ip = leases-1, ip.Next() {
		if err := os.WriteFile(filepath.Join(dir, "reference", ip.String()), []byte("other\r\neth0"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	addPorts(b, r.ns, "ref-br0", ports)
	return r
}

// newFlatnet is ours, with as many leases and ports.
func newFlatnet(b *testing.B, leases, ports int) (*rival, *machine) {
	b.Helper()
	m := newMachine(b, "[network]\nsubnet = \"10.97.0.0/19\"")
	r := newRival(b, "flatnet", fmt.Sprintf(`[{"type": "flatnet", "config": %q}]`, m.config), filepath.Dir(m.plugin))
	m.ns = r.ns
	r.warmUp(b)
	c, err := config.Load(m.config)
	if err != nil {
		b.Fatal(err)
	}
	store := ipam.OpenFile(m.state, ipam.Options{Pool: ipam.PoolOf(c), Holder: "benchmark", Now: now})
	err = store.Update(context.Background(), func(s *ipam.State) ([]journal.Entry, error) {
		for ip := netip.MustParseAddr("10.97.1.0"); leases > 1; leases, ip = leases-1, ip.Next() {
			id := fmt.Sprintf("%064x", leases)
			s.Put(ipam.Lease{
				IP: ip, ContainerID: id, Name: "container-" + id[:12], IfName: "eth0", NetNS: "/run/netns/" + id[:32], BootID: id[:36],
				HostVeth: "fn-" + id[:8], MAC: "0a:f1:00:00:00:01", AllocatedAt: now(),
			})
		}
		return nil, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	addPorts(b, r.ns, "flatnet-br0", ports)
	return r, m
}

// warmUp makes bridge and chains: the reference's first calls race.
func (r *rival) warmUp(b *testing.B) {
	b.Helper()
	netns := nettest.New(b)
	r.add(b, "warmup", netns)
	r.del(b, "warmup", netns)
}

func (r *rival) add(b *testing.B, id, netns string) time.Duration {
	b.Helper()
	return r.timed(b, func(ctx context.Context) error {
		_, err := r.cni.AddNetworkList(ctx, r.list, runtimeConf(id, netns))
		return err
	})
}

func (r *rival) del(b *testing.B, id, netns string) time.Duration {
	b.Helper()
	return r.timed(b, func(ctx context.Context) error {
		return r.cni.DelNetworkList(ctx, r.list, runtimeConf(id, netns))
	})
}

func (r *rival) timed(b *testing.B, f func(context.Context) error) time.Duration {
	b.Helper()
	var err error
	var took time.Duration
	nettest.In(b, r.ns, func() {
		begin := time.Now()
		err = f(context.Background())
		took = time.Since(begin)
	})
	if err != nil {
		b.Errorf("%s: %v", r.name, err)
	}
	return took
}

func runtimeConf(id, netns string) *libcni.RuntimeConf {
	return &libcni.RuntimeConf{ContainerID: id, NetNS: netns, IfName: "eth0"}
}
