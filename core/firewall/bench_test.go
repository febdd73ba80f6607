package firewall_test

import (
	"context"
	"path/filepath"
	"testing"

	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// BenchmarkEnsureGood is what each ADD pays without a Memo: the rules are there.
func BenchmarkEnsureGood(b *testing.B) {
	benchmark(b, func(b *testing.B, k kernel.Kernel, w firewall.Want) {
		for b.Loop() {
			if _, err := firewall.Ensure(context.Background(), k, w); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEnsureKnown is the same with a Memo.
func BenchmarkEnsureKnown(b *testing.B) {
	benchmark(b, func(b *testing.B, k kernel.Kernel, w firewall.Want) {
		memo := firewall.Memo{Path: filepath.Join(b.TempDir(), "rules")}
		for b.Loop() {
			if _, err := memo.Ensure(context.Background(), k, w); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEnsureMissing takes the rules away each time, uncounted.
func BenchmarkEnsureMissing(b *testing.B) {
	benchmark(b, func(b *testing.B, k kernel.Kernel, w firewall.Want) {
		for b.Loop() {
			b.StopTimer()
			if err := firewall.Remove(context.Background(), k, w); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := firewall.Ensure(context.Background(), k, w); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchmark runs f for each backend, with the rules there.
func benchmark(b *testing.B, f func(*testing.B, kernel.Kernel, firewall.Want)) {
	for _, backend := range []kernel.Backend{kernel.BackendNFT, kernel.BackendLegacy} {
		b.Run(string(backend), func(b *testing.B) {
			k, err := kernel.At(nettest.New(b))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = k.Close() }()
			w := host{}.want(backend)
			if _, err := firewall.Ensure(context.Background(), k, w); err != nil {
				b.Fatal(err)
			}
			f(b, k, w)
		})
	}
}
