package ipam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"slices"
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

// BenchmarkPlain is what encoding/json needs to read and write such a state, for
// comparison.
func BenchmarkPlain(b *testing.B) {
	s := bigState(2000)
	text := encoded(b, &document{}, &s)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var plain struct {
			header
			Allocations map[netip.Addr]Lease `json:"allocations"`
			Recent      []Freed              `json:"recent"`
		}
		if err := json.Unmarshal(text, &plain); err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(plain); err != nil {
			b.Fatal(err)
		}
	}
}

// TestForgedChecksum: a right checksum is no reason to trust the rest.
func TestForgedChecksum(t *testing.T) {
	const head = `{"version":2,"subnet":"10.87.1.0/24","gateway":"10.87.1.1","range_start":"10.87.1.2","range_end":"10.87.1.254","allocations":{`
	for _, body := range []string{
		"x", "\n", recentStart, recentStart + "]", head, head + recentStart, head + recentStart + "\n{}]", head + recentStart + "\n{]",
		head + "\n" + `"10.87.1.2"` + recentStart + "]", head + "\n" + `"10.87.1.2":{},` + "\n" + `"10.87.1.2":{}` + recentStart + "]",
		head + "\n" + `"10.87.1.2":{"container_id":"a"},` + "\n" + `"10.87.1.3":{"container_id":"b"},` + "\n" + `"10.87.1.2":{"container_id":"c"}` + recentStart + "]",
		head + "\n" + `"10.99.1.2":{"container_id":"a"}` + recentStart + "]",
		`{"a":{"b":{"c":1`, head + "\n" + `"10.87.1.2":{"container_id":"`,
		strings.Replace(head, "{", `{"recent":[{"ip":"10.87.1.9"}],`, 1) + recentStart + "\n" + `{"ip":"10.87.1.x"}]`,
	} {
		text := withChecksum([]byte(body))
		if d, err := decode(text); err == nil {
			t.Errorf("%q was taken: %+v", text, d.state)
		}
	}
	one := []byte(head + `"10.87.1.2":{"container_id":"a"}` + recentStart + "\n]")
	if d, err := decode(withChecksum(one)); err != nil || d.state.Len() != 1 {
		t.Errorf("a lease on the first line was lost: %v", err)
	}
	empty := []byte(head + recentStart + "]")
	if d, err := decode(withChecksum(empty)); err != nil || d.state.Len() != 0 {
		t.Errorf("an empty state was not taken: %v", err)
	}
}

func withChecksum(text []byte) []byte {
	return appendChecksum(slices.Clone(text), crc32.ChecksumIEEE(text))
}

// FuzzDecode: whatever decode takes is JSON, and writing it and reading it
// again changes nothing.
func FuzzDecode(f *testing.F) {
	s := bigState(2)
	s.remember(0, Freed{IP: netip.MustParseAddr("10.87.3.3"), ContainerID: "gone", Name: "テスト\x01\"", FreedAt: time.Unix(1, 0)})
	f.Add(encoded(f, &document{}, &s))
	f.Add([]byte(`{"subnet":"10.87.1.0/24","gateway":"10.87.1.1","range_start":"10.87.1.2","range_end":"10.87.1.254","allocations":{"aaaa":"10.87.1.2"}}`))
	f.Add([]byte(`{"version":2,"subnet":"10.0.0.0/8","gateway":"10.0.0.1","range_start":"10.0.0.2","range_end":"10.0.0.9","x":[1e3,{"y":null}],
		"allocations":{"10.0.0.2":{"container_id":"half","netns_id":{"device":4}},"10.0.0.3":{"container_id":"\u00e9","z":{"a":[ ]},"netns_id":{"device":4,"inode":18446744073709551615}}},"recent":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := decode(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("not JSON, and taken: %q", text)
		}
		again := encoded(t, &d, &d.state)
		if !json.Valid(again) {
			t.Fatalf("not JSON, and written: %q", again)
		}
		e, err := decode(again)
		if _, own := readOwn(again); err != nil || !own {
			t.Fatalf("what was written cannot be read: %v in %q", err, again)
		}
		if !slices.Equal(leasesOf(&d.state), leasesOf(&e.state)) || !slices.Equal(freedOf(&d.state), freedOf(&e.state)) {
			t.Fatalf("%q became %q", text, again)
		}
	})
}
