package repair_test

import (
	"errors"
	"strings"
	"testing"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/kernel"
	"flatnet/core/repair"
)

// withContainers gives a machine with the network's bridge and two containers
// on it.
func withContainers(t *testing.T, n config.Network) *kernel.Fake {
	t.Helper()
	ctx, f := t.Context(), kernel.NewFake()
	if err := bridge.Ensure(ctx, f, n); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2"} {
		path := "/run/netns/c" + id
		f.AddNamespace(path)
		c, err := f.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		v := kernel.Veth{Host: "fn-" + id, Peer: "eth0", PeerNS: c, Alias: "flatnet " + n.Name + " " + id + " eth0 10.87.1." + id}
		err = errors.Join(f.AddVeth(ctx, v), f.SetMaster(ctx, v.Host, n.Bridge, n.Hairpin), f.SetUp(ctx, v.Host), c.SetUp(ctx, "eth0"))
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// TestBridgeDeleted: the bridge goes away under its containers; the repair
// brings it back, and them onto it.
func TestBridgeDeleted(t *testing.T) {
	ctx, n := t.Context(), config.Default().Network
	f := withContainers(t, n)
	before := f.String()
	if err := errors.Join(f.DeleteLink(ctx, n.Bridge), f.SetSysctl(ctx, bridge.ForwardKey, "0")); err != nil {
		t.Fatal(err)
	}
	p, err := repair.Bridge(ctx, f, n)
	if err != nil {
		t.Fatal(err)
	}
	want := `sysctl -w net.ipv4.ip_forward=1
ip link add flatnet-br0 type bridge && ip address add 10.87.1.1/24 dev flatnet-br0 && ip link set flatnet-br0 up
ip link set fn-1 master flatnet-br0 up
ip link set fn-2 master flatnet-br0 up
`
	var got strings.Builder
	for _, s := range p.Steps {
		got.WriteString(s.Command + "\n")
	}
	if got.String() != want {
		t.Errorf("plan:\n%s", got.String())
	}
	var d diary
	if _, err := repair.Apply(ctx, p, with(&d)); err != nil {
		t.Fatal(err)
	}
	if f.String() != before {
		t.Errorf("before:\n%s\nmended:\n%s", before, f)
	}
	if len(d) != len(p.Steps) || d[0].Text != p.Steps[0].Text.String() {
		t.Errorf("journal: %+v", d)
	}
	if p, err = repair.Bridge(ctx, f, n); err != nil || len(p.Steps) != 0 || len(p.Notes) == 0 {
		t.Errorf("plan where all is well: %+v, %v", p, err)
	}
}

func TestBridgeMTU(t *testing.T) {
	ctx, n := t.Context(), config.Default().Network
	f := withContainers(t, n)
	n.MTU = 1400
	p, err := repair.Bridge(ctx, f, n)
	if err != nil || len(p.Steps) != 1 || p.Steps[0].Text.String() != "Bridge flatnet-br0: set its MTU from 1500 to 1400" {
		t.Fatalf("plan: %+v, %v", p, err)
	}
	if _, err := repair.Apply(ctx, p, repair.Options{}); err != nil || !strings.Contains(f.String(), "type bridge mtu 1400 up") {
		t.Errorf("%v\n%s", err, f)
	}
}

func TestBridgeObstacle(t *testing.T) {
	ctx, n, f := t.Context(), config.Default().Network, kernel.NewFake()
	f.AddNamespace("/run/netns/c1")
	c, err := f.Open(ctx, "/run/netns/c1")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AddVeth(ctx, kernel.Veth{Host: n.Bridge, Peer: "eth0", PeerNS: c}); err != nil {
		t.Fatal(err)
	}
	if p, err := repair.Bridge(ctx, f, n); !errors.Is(err, bridge.ErrNotBridge) {
		t.Errorf("plan: %+v, %v", p, err)
	}
}
