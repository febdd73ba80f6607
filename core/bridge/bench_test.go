package bridge_test

import (
	"testing"

	"flatnet/core/bridge"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// BenchmarkEnsureGood is what each ADD pays: the bridge is there.
func BenchmarkEnsureGood(b *testing.B) {
	k, err := kernel.At(nettest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	n := network()
	for b.Loop() {
		if err := bridge.Ensure(ctx, k, n); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEnsureMissing makes the bridge each time; its removal is not
// counted.
func BenchmarkEnsureMissing(b *testing.B) {
	k, err := kernel.At(nettest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	n := network()
	for b.Loop() {
		if err := bridge.Ensure(ctx, k, n); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := k.DeleteLink(ctx, n.Bridge); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
