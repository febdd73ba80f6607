package firewall_test

import (
	"context"
	"reflect"
	"testing"

	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// TestLooker: rules that have not changed are not read again, and what is
// shown is what a fresh look shows, whatever changed and in which backend.
func TestLooker(t *testing.T) {
	ctx := context.Background()
	real, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = real.Close() }()
	reads := map[string]int{}
	k := kernel.Hooked(real, func(op, target string) error {
		if op == "SaveRules" {
			reads[target]++
		}
		return nil
	})
	var looker firewall.Looker
	w := host{}.want(kernel.BackendNFT)
	look := func(what string, wantRead int) {
		t.Helper()
		before := reads["iptables-nft"]
		got, err := looker.Look(ctx, k, w)
		if err != nil || reads["iptables-nft"]-before != wantRead {
			t.Errorf("%s: read %d times, want %d (%v)", what, reads["iptables-nft"]-before, wantRead, err)
		}
		if fresh, err := firewall.Look(ctx, real, w); err != nil || !reflect.DeepEqual(got, fresh) {
			t.Errorf("%s: it shows\n%+v\na fresh look\n%+v (%v)", what, got, fresh, err)
		}
	}
	restore := func(b kernel.Backend, text string) {
		t.Helper()
		if err := real.RestoreRules(ctx, b, text); err != nil {
			t.Fatal(err)
		}
	}
	look("nothing there", 1)
	look("nothing changed", 0)
	if _, err := firewall.Ensure(ctx, real, w); err != nil {
		t.Fatal(err)
	}
	look("made", 1)
	look("nothing changed", 0)
	restore(kernel.BackendNFT, "*filter\n-F FORWARD\nCOMMIT\n")
	look("a jump is gone", 1)
	restore(kernel.BackendLegacy, "*filter\n:FORWARD DROP\nCOMMIT\n")
	look("the other backend drops", 0)
	restore(kernel.BackendLegacy, "*filter\n:FORWARD ACCEPT\nCOMMIT\n")
	look("and does not", 0)
}
