package ipam_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/journal"
)

// BenchmarkUpdate is what one ADD and one DEL cost on disk, with so many
// leases in the state.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{1, 250, 2000} {
		b.Run(fmt.Sprintf("leases=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			s := ipam.OpenFile(dir, ipam.Options{Pool: wide(), Holder: "bench", Now: time.Now})
			fill(b, s, n-1)
			b.ResetTimer()
			for i := range b.N {
				id := fmt.Sprintf("%064d", i)
				if _, err := add(b.Context(), s, id, wide(), time.Now()); err != nil {
					b.Fatal(err)
				}
				err := s.Update(b.Context(), func(st *ipam.State) ([]journal.Entry, error) {
					return ipam.ReleaseAttachment(st, id, "eth0", "plugin DEL", time.Now()), nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill puts n leases, as big as real ones, into s.
func fill(tb testing.TB, s ipam.Store, n int) {
	tb.Helper()
	err := s.Update(tb.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		for i := range n {
			if _, _, err := ipam.Allocate(st, wide(), request(strings.Repeat("c", 58)+fmt.Sprintf("%06d", i)), start); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}
