package attach_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"flatnet/core/bridge"
	"flatnet/core/firewall"
	"flatnet/core/kernel"
)

func now() time.Time { return time.Now() }

// picture is all that an Add may change, as text: leases, links of the host
// and of the container with their addresses, rules.
func picture(t *testing.T, h *host, path string) string {
	t.Helper()
	ctx := context.Background()
	var lines []string
	for _, l := range h.leases() {
		lines = append(lines, "lease "+l.IP.String()+" "+l.ContainerID)
	}
	lines = append(lines, links(t, h.kernel, "host")...)
	lines = append(lines, links(t, h.inside(path), "container")...)
	s, err := firewall.Look(ctx, h.kernel, firewall.WantOf(h.config))
	if err != nil {
		t.Fatal(err)
	}
	lines = append(lines, s.Have...)
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func links(t *testing.T, ns kernel.Namespace, where string) []string {
	t.Helper()
	ctx := context.Background()
	all, err := ns.Links(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range all {
		if l.Name == "lo" {
			continue // it stays up, as every container's is
		}
		addrs, err := ns.Addrs(ctx, l.Name)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %v", where, l.Name, l.Alias, addrs))
	}
	return lines
}

// removeNetwork makes the machine bare again.
func removeNetwork(t *testing.T, h *host) {
	t.Helper()
	ctx := context.Background()
	if err := h.kernel.DeleteLink(ctx, h.config.Network.Bridge); err != nil && !errors.Is(err, kernel.ErrNotFound) {
		t.Fatal(err)
	}
	if err := h.kernel.SetSysctl(ctx, bridge.ForwardKey, "0"); err != nil {
		t.Fatal(err)
	}
	if err := firewall.Remove(ctx, h.kernel, firewall.WantOf(h.config)); err != nil {
		t.Fatal(err)
	}
}
