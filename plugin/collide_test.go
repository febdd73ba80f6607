package plugin_test

import (
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/filelock"
	"flatnet/testdata/nettest"
)

// TestTwoListsOneSubnet copies a network list under another name: both would
// give out the same addresses on one bridge.
func TestTwoListsOneSubnet(t *testing.T) {
	m := newMachine(t, "")
	m.add("one")
	copied := map[string]any{"name": "copied"}
	two := nettest.New(t)
	a := m.call(call{verb: "ADD", id: "two", netns: two, keys: copied})
	if a.failure.Code != 104 || !strings.Contains(a.failure.Msg, "10.87.1.2 is held by one") || a.failure.Details == "" {
		t.Errorf("ADD: want code 104 and who holds the subnet: %s", a)
	}
	if links := m.links("fn-"); len(links) != 1 {
		t.Errorf("links %v, want that of one", links)
	}
	if a := m.call(call{verb: "STATUS", version: "1.1.0", keys: copied}); a.failure.Code != 50 {
		t.Errorf("STATUS: %s", a)
	}
	m.del("one")
	if a := m.call(call{verb: "ADD", id: "two", netns: two, keys: copied}); a.status != 0 {
		t.Errorf("ADD with the other network empty: %s", a)
	}
	if a := m.call(call{verb: "ADD", id: "one", netns: nettest.New(t)}); a.failure.Code != 104 {
		t.Errorf("ADD to the configured network: %s", a)
	}
	if a := m.call(call{verb: "DEL", id: "two", keys: copied}); a.status != 0 {
		t.Errorf("DEL: %s", a)
	}
	m.nothingLeft("at the end")
}

// TestTwoNetworksAtOnce: of two networks that attach one container at the same
// time none sees the other's veth in time, so they never choose the same name.
func TestTwoNetworksAtOnce(t *testing.T) {
	m := newMachine(t, "")
	ns := nettest.New(t)
	for ifName, k := range map[string]map[string]any{
		"eth0": nil, "eth1": {"name": "other", "bridge": "other-br0", "subnet": "10.88.1.0/24"},
	} {
		c := call{verb: "ADD", id: "same", ifName: ifName, netns: ns, keys: k}
		alone := m.result(m.call(c)).Interfaces[1].Name
		if (alone == "fn-same") != (ifName == "eth0") {
			t.Errorf("%s alone is %s", ifName, alone)
		}
		c.verb = "DEL"
		if a := m.call(c); a.status != 0 {
			t.Error(a)
		}
	}
	m.nothingLeft("at the end")
}

// TestOtherNetworkHangs: a call that never ends holds up its own network alone.
func TestOtherNetworkHangs(t *testing.T) {
	m := newMachine(t, "")
	other := map[string]any{"name": "other", "bridge": "other-br0", "subnet": "10.88.1.0/24"}
	if a := m.call(call{verb: "ADD", id: "two", netns: nettest.New(t), keys: other}); a.status != 0 {
		t.Fatal(a)
	}
	lock, err := filelock.Acquire(t.Context(), filepath.Join(m.state, "networks", "other", ".lock"), "flatnet ADD")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	m.add("one")
}
