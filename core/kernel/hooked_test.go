package kernel_test

import (
	"errors"
	"strings"
	"testing"

	"flatnet/core/kernel"
)

func TestHooked(t *testing.T) {
	worlds(t, func(t *testing.T, w world) {
		var asked []string
		refuse := errors.New("refused by the test")
		k := kernel.Hooked(w.Kernel, func(op, target string) error {
			asked = append(asked, op+" "+target)
			if op == "SetUp" {
				return refuse
			}
			return nil
		})
		path := w.newNS()
		c, err := k.Open(ctx, path)
		must(t, err)
		defer func() { _ = c.Close() }()
		must(t, k.AddVeth(ctx, kernel.Veth{Host: "fn-1", Peer: "eth0", PeerNS: c}))
		must(t, k.AddVeth(ctx, kernel.Veth{Host: "fn-2", Peer: "fn-3", PeerNS: k}))
		wantError(t, "SetUp", c.SetUp(ctx, "eth0"), refuse)
		wantError(t, "SetUp", k.SetUp(ctx, "fn-1"), refuse)
		if link(t, w, "fn-1").Up {
			t.Error("the refused SetUp was done")
		}
		want := "Open " + path + "\nAddVeth fn-1\nAddVeth fn-2\nSetUp " + path + ":eth0\nSetUp fn-1"
		if got := strings.Join(asked, "\n"); got != want {
			t.Errorf("asked:\n%s\nwant:\n%s", got, want)
		}
	})
}
