package firewall_test

import (
	"context"
	"path/filepath"
	"testing"

	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// TestMemo looks how often the rules are read, and that no change is missed.
func TestMemo(t *testing.T) {
	ctx := context.Background()
	real, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = real.Close() }()
	reads := 0
	k := kernel.Hooked(real, func(op, _ string) error {
		if op == "SaveRules" {
			reads++
		}
		return nil
	})
	memo := firewall.Memo{Path: filepath.Join(t.TempDir(), "rules")}
	w := host{}.want(kernel.BackendNFT)
	ensure := func(w firewall.Want, wantChanged, wantRead bool) {
		t.Helper()
		before := reads
		changed, err := memo.Ensure(ctx, k, w)
		if err != nil || changed != wantChanged || (reads > before) != wantRead {
			t.Errorf("changed %v, read %d times (%v); want changed %v, read %v", changed, reads-before, err, wantChanged, wantRead)
		}
		if s, err := firewall.Look(ctx, real, w); err != nil || !s.OK() {
			t.Errorf("the rules are not there: %+v, %v", s.Missing, err)
		}
	}
	ensure(w, true, true)
	ensure(w, false, true) // the first look that finds all well
	ensure(w, false, false)

	if err := real.RestoreRules(ctx, kernel.BackendNFT, "*filter\n-F FORWARD\nCOMMIT\n"); err != nil {
		t.Fatal(err)
	}
	ensure(w, true, true)
	ensure(w, false, true)
	ensure(w, false, false)

	other := w
	other.Masquerade = !w.Masquerade
	ensure(other, true, true)
	ensure(w, true, true)

	legacy := w
	legacy.Backend = kernel.BackendLegacy
	ensure(legacy, true, true)
	ensure(legacy, false, true)
	ensure(legacy, false, true) // those tables have no version
	if _, err := (firewall.Memo{}).Ensure(ctx, k, w); err != nil {
		t.Errorf("without a file: %v", err)
	}
}
