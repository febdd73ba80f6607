package ipam_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"flatnet/core"
	"flatnet/core/ipam"
)

func TestExactlyFull(t *testing.T) {
	h := newHost(t)
	h.pool.RangeEnd = addr("10.87.1.254")
	for i := range 253 {
		h.mustAdd(fmt.Sprintf("c%d", i), fmt.Sprintf("10.87.1.%d", i+2))
	}
	if _, err := h.add("more", ""); !errors.Is(err, ipam.ErrExhausted) || !strings.Contains(err.Error(), "253 held") {
		t.Fatalf("the 254th: %v", err)
	}
	h.del("c100")
	h.mustAdd("more", "10.87.1.102")
}

func TestOtherSubnet(t *testing.T) {
	h := newHost(t)
	h.mustAdd("a/web", "10.87.1.2")
	old := h.pool
	h.pool.Subnet, h.pool.Gateway = netip.MustParsePrefix("10.99.0.0/24"), addr("10.99.0.1")
	h.pool.RangeStart, h.pool.RangeEnd = addr("10.99.0.2"), addr("10.99.0.9")
	_, err := h.add("b/db", "")
	if !errors.Is(err, ipam.ErrOtherSubnet) || !strings.Contains(err.Error(), "10.87.1.2 (web)") || core.Hint(err) == "" {
		t.Fatalf("error %v", err)
	}
	if h.state.Subnet != old.Subnet {
		t.Error("the state was changed by a refused call")
	}
	h.del("a")
	h.mustAdd("b/db", "10.99.0.2")
	if h.state.Subnet != h.pool.Subnet || len(slices.Collect(h.state.Recent())) != 0 {
		t.Errorf("not moved to the new subnet: %s, recent %v", h.state.Subnet, slices.Collect(h.state.Recent()))
	}
}

func TestWiderSubnetKeepsLeases(t *testing.T) {
	h := newHost(t)
	h.mustAdd("a/web", "10.87.1.2")
	h.pool.Subnet = netip.MustParsePrefix("10.87.0.0/16")
	h.mustAdd("b/db", "10.87.1.3")
	if h.state.Len() != 2 || h.state.Subnet != h.pool.Subnet {
		t.Errorf("%d leases in %s", h.state.Len(), h.state.Subnet)
	}
}

func TestSmallSubnets(t *testing.T) {
	for _, tt := range []struct {
		subnet, gateway, ip string
		want                error
	}{
		{"10.0.0.0/31", "10.0.0.0", "10.0.0.1", nil},
		{"10.0.0.0/30", "10.0.0.1", "10.0.0.3", ipam.ErrEdge},
		{"10.0.0.0/30", "10.0.0.1", "10.0.0.2", nil},
		{"0.0.0.0/0", "10.0.0.1", "0.0.0.0", ipam.ErrEdge},
		{"0.0.0.0/0", "10.0.0.1", "255.255.255.255", ipam.ErrEdge},
	} {
		p := ipam.Pool{Subnet: netip.MustParsePrefix(tt.subnet), Gateway: addr(tt.gateway)}
		if err := p.Check(addr(tt.ip)); !errors.Is(err, tt.want) {
			t.Errorf("%s in %s: %v, want %v", tt.ip, tt.subnet, err, tt.want)
		}
	}
}
