package firewall_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"flatnet/core/firewall"
	"flatnet/core/kernel"
)

// TestMends changes what Ensure made, in ways that users and other programs
// do, and sees it seen and put back.
func TestMends(t *testing.T) {
	const forward, post = "FLATNET-FORWARD", "FLATNET-POSTROUTING"
	cases := map[string]struct {
		change []string // iptables commands
		seen   func(s firewall.Status) bool
		keeps  string // a foreign rule that must still be there
	}{
		"flushed FORWARD": {
			change: []string{"-F FORWARD"},
			seen:   func(s firewall.Status) bool { return slices.Equal(s.Missing, []string{"-I FORWARD 1 -j " + forward}) },
		},
		"flushed chain": {
			change: []string{"-F " + forward},
			seen:   func(s firewall.Status) bool { return len(s.Missing) == 2 && s.MasqueradeOK },
		},
		"one accept gone": {
			change: []string{"-D " + forward + " -o flatnet-br0 -j ACCEPT"},
			seen: func(s firewall.Status) bool {
				return slices.Equal(s.Missing, []string{"-A " + forward + " -o flatnet-br0 -j ACCEPT"})
			},
		},
		"doubled accept": {
			change: []string{"-A " + forward + " -i flatnet-br0 -j ACCEPT"},
			seen:   func(s firewall.Status) bool { return s.Doubled && len(s.Missing) == 0 && len(s.Extra) == 1 },
		},
		"doubled jump": {
			change: []string{"-A FORWARD -j " + forward},
			seen:   func(s firewall.Status) bool { return s.Doubled && !s.ForwardOK },
		},
		"behind a drop": {
			change: []string{"-I FORWARD 1 -m conntrack --ctstate INVALID -j DROP"},
			seen: func(s firewall.Status) bool {
				return slices.Equal(s.BehindDrop, []string{"-A FORWARD -m conntrack --ctstate INVALID -j DROP"}) &&
					slices.Equal(s.Misplaced, []string{"-I FORWARD 2 -j " + forward}) && len(s.Missing)+len(s.Extra) == 0
			},
			keeps: "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
		},
		"policy DROP": {
			change: []string{"-P FORWARD DROP", "-F FORWARD"},
			seen:   func(s firewall.Status) bool { return s.Policy == "DROP" && !s.ForwardOK },
		},
		"Docker comes": {
			change: []string{
				"-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-N DOCKER-FORWARD", "-A DOCKER-FORWARD -i docker0 ! -o docker0 -j DROP",
				"-P FORWARD DROP", "-I FORWARD -j DOCKER-FORWARD", "-I FORWARD -j DOCKER-USER",
			},
			seen: func(s firewall.Status) bool {
				return s.Docker && s.Policy == "DROP" && slices.Contains(s.Missing, "-I DOCKER-USER 1 -j "+forward) &&
					slices.Equal(s.BehindDrop, []string{"-A DOCKER-FORWARD -i docker0 ! -o docker0 -j DROP"})
			},
			keeps: "-A DOCKER-USER -j RETURN",
		},
		"masquerade gone": {
			change: []string{"-t nat -F " + post},
			seen:   func(s firewall.Status) bool { return s.ForwardOK && !s.MasqueradeOK && len(s.Missing) == 1 },
		},
		"nat flushed": {
			change: []string{"-t nat -F", "-t nat -X"},
			seen:   func(s firewall.Status) bool { return s.ForwardOK && !s.MasqueradeOK && len(s.Missing) == 2 },
		},
		"another subnet before": {
			change: []string{"-t nat -A " + post + " -s 10.9.0.0/16 ! -d 224.0.0.0/4 ! -o flatnet-br0 -j MASQUERADE"},
			seen:   func(s firewall.Status) bool { return !s.MasqueradeOK && !s.Doubled && len(s.Extra) == 1 },
		},
		"another network's rules": {
			change: []string{
				"-A " + forward + " -i other-br0 -j ACCEPT", "-D " + forward + " -i flatnet-br0 -j ACCEPT",
				"-t nat -A " + post + " -s 10.9.0.0/16 ! -o other-br0 -j MASQUERADE",
			},
			seen:  func(s firewall.Status) bool { return len(s.Missing) == 1 && len(s.Extra) == 0 },
			keeps: "-A FLATNET-FORWARD -i other-br0 -j ACCEPT",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			backends(t, func(t *testing.T, b kernel.Backend) {
				h := newHost(t)
				w := h.want(b)
				h.ensure(w)
				for _, line := range c.change {
					h.iptables(b, line)
				}
				if s := h.look(w); s.OK() || !c.seen(s) {
					t.Errorf("not seen: %+v", s)
				}
				h.ensure(w)
				if s := h.look(w); !s.OK() || s.Doubled || len(s.Missing)+len(s.Extra)+len(s.Misplaced)+len(s.BehindDrop) > 0 {
					t.Errorf("not mended: %+v\n%s", s, h.rules(b))
				}
				if !strings.Contains(h.rules(b), c.keeps) {
					t.Errorf("%q is gone:\n%s", c.keeps, h.rules(b))
				}
			})
		})
	}
}

// What others put into our own chain is seen where it comes before an accept of
// the bridge, and is theirs to take out.
func TestDropInOurChain(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h := newHost(t)
		w, other := h.want(b), h.want(b)
		other.Bridge = "other-br0"
		h.ensure(w)
		for _, line := range []string{"2 -s 10.87.1.9 -j DROP", "1 -i other-br0 -o eth9 -j DROP"} {
			h.iptables(b, "-I "+firewall.ForwardChain+" "+line)
		}
		h.iptables(b, "-A "+firewall.ForwardChain+" -j REJECT")
		h.ensure(w)
		s := h.look(w)
		if want := []string{"-A " + firewall.ForwardChain + " -s 10.87.1.9/32 -j DROP"}; !s.OK() || !slices.Equal(s.BehindDrop, want) {
			t.Errorf("%+v, want %v", s, want)
		}
	})
}

func TestMasqueradeOff(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h := newHost(t)
		w, other := h.want(b), h.want(b)
		other.Bridge, other.Subnet = "other-br0", netip.MustParsePrefix("10.88.0.0/16")
		h.ensure(w)
		h.ensure(other)
		w.Masquerade = false
		h.ensure(w)
		rules := h.rules(b)
		if strings.Contains(rules, "10.87.1.0/24") || !strings.Contains(rules, "-s 10.88.0.0/16 ! -d 224.0.0.0/4 ! -o other-br0 -j MASQUERADE") {
			t.Errorf("masquerade off for one of two networks:\n%s", rules)
		}
		if s := h.look(w); !s.OK() || len(s.Missing)+len(s.Extra) > 0 {
			t.Errorf("looked at: %+v", s)
		}
		other.Masquerade = false
		h.ensure(other)
		if rules := h.rules(b); strings.Contains(rules, "FLATNET-POSTROUTING") {
			t.Errorf("masquerade off for both:\n%s", rules)
		}
	})
}

func TestRemoveLeavesTheOtherNetwork(t *testing.T) {
	backends(t, func(t *testing.T, b kernel.Backend) {
		h := newHost(t)
		w, other := h.want(b), h.want(b)
		other.Bridge = "other-br0"
		h.iptables(b, "-A FORWARD -i eth9 -j DROP")
		h.ensure(w)
		h.ensure(other)
		if err := firewall.Remove(context.Background(), h, w); err != nil {
			t.Fatal(err)
		}
		if s := h.look(other); !s.OK() {
			t.Errorf("the other network: %+v", s)
		}
		if err := firewall.Remove(context.Background(), h, other); err != nil {
			t.Fatal(err)
		}
		if got := h.rules(b); got != "-A FORWARD -i eth9 -j DROP\n" {
			t.Errorf("after both are removed:\n%s", got)
		}
	})
}

func TestMixedBackends(t *testing.T) {
	h := newHost(t)
	w := h.want(kernel.BackendNFT)
	h.ensure(w)
	if s := h.look(w); s.Mixed() || s.OtherError != "" {
		t.Errorf("with one backend: %+v", s)
	}
	h.iptables(kernel.BackendLegacy, "-A INPUT -i lo -j ACCEPT")
	if s := h.look(w); s.Other != kernel.BackendLegacy || s.OtherDrops {
		t.Errorf("with a harmless legacy rule: %+v", s)
	}
	h.iptables(kernel.BackendLegacy, "-P FORWARD DROP")
	if s := h.look(w); s.Other != kernel.BackendLegacy || !s.OtherDrops || !s.OK() {
		t.Errorf("with a dropping legacy policy: %+v", s)
	}
	w.Backend = kernel.BackendLegacy
	if s := h.look(w); s.Other != kernel.BackendNFT || s.Policy != "DROP" || s.OK() {
		t.Errorf("seen from the other side: %+v", s)
	}
}

// The other backend's own accepts of ours let packets pass whatever its policy
// is: somebody went from one to the other, and left them there.
func TestMixedBackendsThatBothAccept(t *testing.T) {
	h := newHost(t)
	w := h.want(kernel.BackendNFT)
	h.ensure(w)
	h.ensure(h.want(kernel.BackendLegacy))
	h.iptables(kernel.BackendLegacy, "-P FORWARD DROP")
	if s := h.look(w); s.Other != kernel.BackendLegacy || s.OtherDrops {
		t.Errorf("with our accepts in both: %+v", s)
	}
}

// What EmptyOther says empties the other backend, and shuts nobody out on the
// way: the policies come first.
func TestEmptyingTheOtherBackend(t *testing.T) {
	h := newHost(t)
	w := h.want(kernel.BackendNFT)
	h.ensure(w)
	for _, line := range []string{
		"-P FORWARD DROP", "-P INPUT DROP", "-A FORWARD -p tcp --dport 9 -j ACCEPT", "-N OTHERS", "-A OTHERS -j RETURN",
		"-t nat -A POSTROUTING -o eth9 -j MASQUERADE", "-t mangle -A FORWARD -i eth9 -j DROP",
	} {
		h.iptables(kernel.BackendLegacy, line)
	}
	s := h.look(w)
	want := "iptables-legacy -P FORWARD ACCEPT; iptables-legacy -P INPUT ACCEPT; iptables-legacy -F; iptables-legacy -t mangle -F; iptables-legacy -t nat -F"
	if got := strings.Join(s.EmptyOther, "; "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, line := range s.EmptyOther {
		words := strings.Fields(line)
		h.run(words[0], words[1:]...)
	}
	if s := h.look(w); s.Mixed() || len(s.EmptyOther) > 0 || !s.OK() {
		t.Errorf("emptied: %+v", s)
	}
}

func TestNoProgram(t *testing.T) {
	f := kernel.NewFake()
	f.RemoveProgram(kernel.BackendNFT)
	w := host{T: t}.want(kernel.BackendNFT)
	_, lookErr := firewall.Look(context.Background(), f, w)
	_, ensureErr := firewall.Ensure(context.Background(), f, w)
	for _, err := range []error{lookErr, ensureErr, firewall.Remove(context.Background(), f, w)} {
		if !errors.Is(err, kernel.ErrNoProgram) {
			t.Errorf("got %v", err)
		}
	}
	w.Backend = kernel.BackendAuto
	if s, err := firewall.Look(context.Background(), f, w); err != nil || s.Backend != kernel.BackendLegacy {
		t.Errorf("auto with legacy alone: %+v, %v", s, err)
	}
}

// TestFaults lets each call to the kernel fail in turn: the error comes back,
// and the next Ensure works.
func TestFaults(t *testing.T) {
	fault := errors.New("made to fail")
	for at := 1; ; at++ {
		f := kernel.NewFake()
		w := host{T: t}.want(kernel.BackendAuto)
		count, failed := 0, ""
		k := kernel.Hooked(f, func(op, _ string) error {
			if count++; count == at {
				failed = op
				return fault
			}
			return nil
		})
		_, err := firewall.Ensure(context.Background(), k, w)
		if failed == "" {
			if at < 6 {
				t.Errorf("Ensure makes only %d calls", at-1)
			}
			return
		}
		// What cannot be written once is written at the next try.
		if failed != "RestoreRules" && !errors.Is(err, fault) {
			t.Errorf("call %d, %s: %v", at, failed, err)
		}
		if _, err := firewall.Ensure(context.Background(), f, w); err != nil || f.String() != fakeAfter {
			t.Errorf("call %d, %s, then again: %v\n%s", at, failed, err, f)
		}
	}
}

const fakeAfter = `ip link lo type loopback mtu 65536 down
iptables-nft -t filter -N FLATNET-FORWARD
iptables-nft -t filter -A FORWARD -j FLATNET-FORWARD
iptables-nft -t filter -A FLATNET-FORWARD -i flatnet-br0 -j ACCEPT
iptables-nft -t filter -A FLATNET-FORWARD -o flatnet-br0 -j ACCEPT
iptables-nft -t nat -N FLATNET-POSTROUTING
iptables-nft -t nat -A POSTROUTING -j FLATNET-POSTROUTING
iptables-nft -t nat -A FLATNET-POSTROUTING -s 10.87.1.0/24 ! -d 224.0.0.0/4 ! -o flatnet-br0 -j MASQUERADE
`

// TestRestless: a program that takes our rules away each time is named, and
// Ensure ends.
func TestRestless(t *testing.T) {
	f := kernel.NewFake()
	writes := 0
	k := kernel.Hooked(f, func(op, _ string) error {
		if op == "SaveRules" && writes > 0 {
			_ = f.RestoreRules(context.Background(), kernel.BackendNFT, "*filter\n-F FORWARD\nCOMMIT\n")
		}
		if op == "RestoreRules" {
			writes++
		}
		return nil
	})
	_, err := firewall.Ensure(context.Background(), k, host{T: t}.want(kernel.BackendAuto))
	if !errors.Is(err, firewall.ErrRestless) || writes > 10 {
		t.Errorf("after %d writes: %v", writes, err)
	}
}
