package repair_test

import (
	"errors"
	"strings"
	"testing"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/firewall"
	"flatnet/core/kernel"
	"flatnet/core/repair"
	"flatnet/testdata/nettest"
)

func TestTeardownLeavesNothing(t *testing.T) {
	k, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	ctx := t.Context()
	if err := bridge.Ensure(ctx, k, c.Network); err != nil {
		t.Fatal(err)
	}
	if _, err := firewall.Ensure(ctx, k, firewall.WantOf(c)); err != nil {
		t.Fatal(err)
	}
	plan, err := repair.Teardown(ctx, k, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repair.Apply(ctx, plan, repair.Options{}); err != nil {
		t.Fatal(err)
	}
	b, err := bridge.Look(ctx, k, c.Network)
	if err != nil || b.Exists {
		t.Errorf("the bridge is left: %+v, %v", b, err)
	}
	if rules, err := firewall.Look(ctx, k, firewall.WantOf(c)); err != nil || len(rules.Have) > 0 {
		t.Errorf("rules are left: %v, %v", rules.Have, err)
	}
	again, err := repair.Teardown(ctx, k, c)
	if err != nil || len(again.Steps) > 0 || len(again.Notes) == 0 {
		t.Errorf("once more: %+v, %v", again, err)
	}
}

func TestTeardownSparesContainers(t *testing.T) {
	k, err := kernel.At(nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	ctx := t.Context()
	if err := bridge.Ensure(ctx, k, c.Network); err != nil {
		t.Fatal(err)
	}
	inside, err := k.Open(ctx, nettest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	veth := kernel.Veth{Host: "fn-1", Alias: "flatnet", Peer: "eth0", PeerNS: inside, MTU: 1500}
	if err := k.AddVeth(ctx, veth); err != nil {
		t.Fatal(err)
	}
	if err := k.SetMaster(ctx, veth.Host, c.Network.Bridge, false); err != nil {
		t.Fatal(err)
	}
	plan, err := repair.Teardown(ctx, k, c)
	if !errors.Is(err, repair.ErrHarm) || !strings.Contains(err.Error(), "stop them first") {
		t.Errorf("%+v, %v", plan, err)
	}
}
