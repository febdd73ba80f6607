package kernel_test

import (
	"fmt"
	"testing"

	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// BenchmarkVeth makes a pair into another namespace and puts it on a bridge
// that has so many ports; the removal, 30 ms of the kernel's own, is not
// counted.
func BenchmarkVeth(b *testing.B) {
	for _, ports := range []int{0, 250, 1000} {
		b.Run(fmt.Sprintf("ports=%d", ports), func(b *testing.B) {
			k, c := crowded(b, ports)
			v := kernel.Veth{Host: "fn-new", Alias: "flatnet net id eth0 10.87.1.2", Peer: "eth0", PeerNS: c}
			for b.Loop() {
				if err := k.AddVeth(ctx, v); err != nil {
					b.Fatal(err)
				}
				if err := k.SetMaster(ctx, v.Host, "br0", true); err != nil {
					b.Fatal(err)
				}
				if err := k.SetUp(ctx, v.Host); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := k.DeleteLink(ctx, v.Host); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkLink looks one link up among so many ports.
func BenchmarkLink(b *testing.B) {
	for _, ports := range []int{0, 1000} {
		b.Run(fmt.Sprintf("ports=%d", ports), func(b *testing.B) {
			k, _ := crowded(b, ports)
			for b.Loop() {
				if _, err := k.Link(ctx, "br0"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAddrs reads the bridge's own addresses beside so many ports.
func BenchmarkAddrs(b *testing.B) {
	for _, ports := range []int{0, 1000} {
		b.Run(fmt.Sprintf("ports=%d", ports), func(b *testing.B) {
			k, _ := crowded(b, ports)
			for b.Loop() {
				if _, err := k.Addrs(ctx, "br0"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLinks lists them all.
func BenchmarkLinks(b *testing.B) {
	k, _ := crowded(b, 1000)
	for b.Loop() {
		if _, err := k.Links(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// crowded gives a kernel with a bridge br0 of so many ports, and a namespace
// for one more.
func crowded(b *testing.B, ports int) (kernel.Kernel, kernel.Namespace) {
	b.Helper()
	k, err := kernel.At(nettest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = k.Close() })
	c, err := k.Open(ctx, nettest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if err := k.AddBridge(ctx, "br0", 0); err != nil {
		b.Fatal(err)
	}
	for i := range ports {
		v := kernel.Veth{Host: fmt.Sprintf("fn-%d", i), Peer: fmt.Sprintf("p%d", i), PeerNS: c}
		if err := k.AddVeth(ctx, v); err != nil {
			b.Fatal(err)
		}
		if err := k.SetMaster(ctx, v.Host, "br0", true); err != nil {
			b.Fatal(err)
		}
	}
	return k, c
}
