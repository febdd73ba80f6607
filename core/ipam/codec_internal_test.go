package ipam

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core/kernel"
)

// bigState has n leases as big as real ones.
func bigState(n int) State {
	s := NewState(Pool{
		Subnet: netip.MustParsePrefix("10.87.0.0/16"), Gateway: netip.MustParseAddr("10.87.0.1"),
		RangeStart: netip.MustParseAddr("10.87.0.2"), RangeEnd: netip.MustParseAddr("10.87.255.254"),
	})
	ip := s.RangeStart
	for i := range n {
		s.Put(Lease{
			IP: ip, ContainerID: strings.Repeat("c", 58) + fmt.Sprintf("%06d", i), Name: fmt.Sprintf("web-%d", i), IfName: "eth0",
			NetNS: "/run/netns/netns-7d2a6a5c-3a55-4b1f-9c43-d1b1f4d4a001", NetNSID: kernel.NamespaceID{Device: 4, Inode: 4026532000 + uint64(i)},
			BootID: "2f0c2a50-7f4f-4f0c-8d8b-1f2d8f6f5a11", HostVeth: fmt.Sprintf("fn-%08d", i), MAC: "02:42:0a:57:01:02",
			AllocatedAt: time.Date(2026, 11, 23, 10, 0, 0, i, time.UTC),
		})
		ip = ip.Next()
	}
	return s
}

func encoded(tb testing.TB, d *document, s *State) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := encode(&b, d, s); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	s := bigState(2000)
	text := encoded(b, &document{}, &s)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	s := bigState(2000)
	text := encoded(b, &document{}, &s)
	d, err := decode(text)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := encode(io.Discard, &d, &d.state); err != nil {
			b.Fatal(err)
		}
	}
}
