package ipam_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
)

// start is when every test's clock begins.
var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

// pool is the seed's network with a range of six addresses, .2 to .7.
func pool() ipam.Pool {
	return ipam.Pool{
		Subnet: netip.MustParsePrefix("10.87.1.0/24"), Gateway: addr("10.87.1.1"),
		RangeStart: addr("10.87.1.2"), RangeEnd: addr("10.87.1.7"), Sticky: true,
	}
}

// host is a state with a clock that goes on by a minute with every call.
type host struct {
	t       *testing.T
	state   ipam.State
	pool    ipam.Pool
	now     time.Time
	boot    string
	witness ipam.Witness
	entries []journal.Entry
}

func newHost(t *testing.T) *host {
	return &host{t: t, pool: pool(), now: start, boot: "boot-1"}
}

func (h *host) tick() time.Time {
	h.now = h.now.Add(time.Minute)
	return h.now
}

// add asks for an address; id is "id" or "id/name", ip may be "".
func (h *host) add(who, ip string) (ipam.Lease, error) {
	id, name, _ := strings.Cut(who, "/")
	trial := h.state.Clone()
	l, entries, err := ipam.Allocate(&trial, h.pool, ipam.Request{
		ContainerID: id, Name: name, IfName: "eth0", IP: addr(ip), BootID: h.boot,
		NetNSID: kernel.NamespaceID{Device: 4, Inode: uint64(h.now.Unix())}, By: "plugin ADD", Witness: h.witness,
	}, h.tick())
	if err == nil {
		h.state = trial
		h.entries = append(h.entries, entries...)
	}
	return l, err
}

func (h *host) mustAdd(who, want string) {
	h.t.Helper()
	l, err := h.add(who, "")
	if err != nil {
		h.t.Fatalf("%s: %v", who, err)
	}
	if l.IP != addr(want) {
		h.t.Fatalf("%s got %s, want %s", who, l.IP, want)
	}
}

func (h *host) del(id string) {
	h.entries = append(h.entries, ipam.ReleaseAttachment(&h.state, id, "eth0", "plugin DEL", h.tick())...)
}

func leaseAt(s ipam.State, ip netip.Addr) ipam.Lease {
	l, _ := s.Lease(ip)
	return l
}

func TestAllocateInOrderThenOldestFreed(t *testing.T) {
	h := newHost(t)
	for i := range 6 {
		h.mustAdd(fmt.Sprintf("c%d", i), fmt.Sprintf("10.87.1.%d", i+2))
	}
	h.del("c3") // .5
	h.del("c0") // .2
	h.mustAdd("d0", "10.87.1.5")
	h.mustAdd("d1", "10.87.1.2")
}

func TestFreedAddressesAreUsedLast(t *testing.T) {
	h := newHost(t)
	h.mustAdd("a", "10.87.1.2")
	h.del("a")
	h.mustAdd("b", "10.87.1.3")
	h.mustAdd("c", "10.87.1.4")
}

// oldBoot is a witness of a boot that was not boot-1.
func oldBoot(l ipam.Lease) ipam.Testimony {
	if l.BootID == "boot-1" {
		return ipam.Testimony{Says: ipam.Gone, Text: "it is of an earlier boot"}
	}
	return ipam.Testimony{}
}

func TestSticky(t *testing.T) {
	t.Run("the same container after stop and start", func(t *testing.T) {
		h := newHost(t)
		h.mustAdd("a/web", "10.87.1.2")
		h.mustAdd("b/db", "10.87.1.3")
		h.del("a")
		h.mustAdd("c/job", "10.87.1.4")
		h.mustAdd("a/web", "10.87.1.2")
	})
	t.Run("the same name after rm and run", func(t *testing.T) {
		h := newHost(t)
		h.mustAdd("a/web", "10.87.1.2")
		h.mustAdd("b/db", "10.87.1.3")
		h.del("b")
		h.mustAdd("b2/db", "10.87.1.3")
	})
	t.Run("not when another needed it", func(t *testing.T) {
		h := newHost(t)
		h.pool.RangeEnd = addr("10.87.1.3")
		h.mustAdd("a/web", "10.87.1.2")
		h.mustAdd("b/db", "10.87.1.3")
		h.del("a")
		h.mustAdd("c/job", "10.87.1.2")
		h.del("b")
		h.mustAdd("a/web", "10.87.1.3")
	})
	t.Run("off", func(t *testing.T) {
		h := newHost(t)
		h.pool.Sticky = false
		h.mustAdd("a/web", "10.87.1.2")
		h.del("a")
		h.mustAdd("a/web", "10.87.1.3")
	})
	t.Run("the same name made anew after a boot that nobody was told of", func(t *testing.T) {
		h := newHost(t)
		h.mustAdd("a/db", "10.87.1.2")
		h.mustAdd("b/web", "10.87.1.3")
		h.boot, h.witness = "boot-2", oldBoot
		h.mustAdd("b2/web", "10.87.1.3")
		if last := h.entries[len(h.entries)-2]; last.Action != "heal" || last.ContainerID != "b" {
			t.Errorf("journal: %+v", h.entries)
		}
	})
	t.Run("not from a namesake that may live", func(t *testing.T) {
		h := newHost(t)
		h.witness = func(ipam.Lease) ipam.Testimony { return ipam.Testimony{} }
		h.mustAdd("a/web", "10.87.1.2")
		h.mustAdd("b/web", "10.87.1.3")
		h.witness = nil
		h.mustAdd("c/web", "10.87.1.4")
	})
	t.Run("a container without name takes nobody's", func(t *testing.T) {
		h := newHost(t)
		h.mustAdd("a", "10.87.1.2")
		h.del("a")
		h.mustAdd("b", "10.87.1.3")
	})
}

func TestQuarantine(t *testing.T) {
	h := newHost(t)
	h.pool.Quarantine = time.Hour
	h.pool.RangeEnd = addr("10.87.1.3")
	h.mustAdd("a/web", "10.87.1.2")
	h.mustAdd("b/db", "10.87.1.3")
	h.del("a")
	if _, err := h.add("c/job", ""); !errors.Is(err, ipam.ErrExhausted) {
		t.Fatalf("an address in quarantine was given to another: %v", err)
	}
	if _, err := h.add("c/job", "10.87.1.2"); !errors.Is(err, ipam.ErrQuarantined) {
		t.Fatalf("asked for by address: %v, want ErrQuarantined", err)
	}
	h.mustAdd("a2/web", "10.87.1.2")
	h.del("a2")
	h.now = h.now.Add(time.Hour)
	h.mustAdd("c/job", "10.87.1.2")
}

func TestQuarantineEndsWhenTheClockWasSetBack(t *testing.T) {
	h := newHost(t)
	h.pool.Quarantine = time.Hour
	h.pool.RangeEnd = addr("10.87.1.2")
	h.mustAdd("a", "10.87.1.2")
	h.del("a")
	h.now = h.now.AddDate(-1, 0, 0)
	h.mustAdd("b", "10.87.1.2")
}

func TestClaims(t *testing.T) {
	for _, tt := range []struct {
		name, who, ip string
		want          error
		say           string // in the error
	}{
		{"free", "x/new", "10.87.1.6", nil, ""},
		{"outside the range, inside the subnet", "x/new", "10.87.1.200", nil, ""},
		{"taken", "x/new", "10.87.1.2", ipam.ErrTaken, "web"},
		{"outside", "x/new", "10.88.0.5", ipam.ErrOutside, "10.87.1.0/24"},
		{"IPv6", "x/new", "fd00::1", ipam.ErrOutside, ""},
		{"gateway", "x/new", "10.87.1.1", ipam.ErrGateway, ""},
		{"network", "x/new", "10.87.1.0", ipam.ErrEdge, ""},
		{"broadcast", "x/new", "10.87.1.255", ipam.ErrEdge, ""},
		{"reserved for another", "x/new", "10.87.1.50", ipam.ErrReserved, "db"},
		{"reserved for us", "x/db", "10.87.1.50", nil, ""},
		{"our own again", "a/web", "10.87.1.2", nil, ""},
		{"another than our own", "a/web", "10.87.1.6", ipam.ErrHolds, "10.87.1.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			h.pool.Reservations = []config.Reservation{{Name: "db", IP: addr("10.87.1.50")}}
			h.mustAdd("a/web", "10.87.1.2")
			l, err := h.add(tt.who, tt.ip)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err == nil && l.IP != addr(tt.ip) {
				t.Errorf("got %s, want %s", l.IP, tt.ip)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.say) || !strings.Contains(err.Error(), tt.ip) || core.Hint(err) == "") {
				t.Errorf("error %q (hint %q) does not say %q and %q", err, core.Hint(err).String(), tt.ip, tt.say)
			}
		})
	}
}

func TestReservations(t *testing.T) {
	h := newHost(t)
	h.pool.Reservations = []config.Reservation{
		{Name: "web", IP: addr("10.87.1.2")}, {Name: "db", IP: addr("10.87.1.100")},
	}
	h.mustAdd("x/job", "10.87.1.3") // .2 is kept
	h.mustAdd("y/db", "10.87.1.100")
	h.mustAdd("z/web", "10.87.1.2")
	if _, err := h.add("q/web", ""); !errors.Is(err, ipam.ErrTaken) {
		t.Errorf("a second web: %v, want ErrTaken", err)
	}
}

func TestAskingAgainKeepsTheAddress(t *testing.T) {
	h := newHost(t)
	h.mustAdd("a/web", "10.87.1.2")
	before := len(h.entries)
	h.boot = "boot-2"
	h.mustAdd("a/web", "10.87.1.2")
	l := leaseAt(h.state, addr("10.87.1.2"))
	if l.BootID != "boot-2" || l.AllocatedAt != h.now {
		t.Errorf("lease not brought up to date: %+v", l)
	}
	if len(h.entries) != before+1 || h.state.Len() != 1 {
		t.Errorf("%d leases, %d new entries; want 1 and 1", h.state.Len(), len(h.entries)-before)
	}
}

func TestHeal(t *testing.T) {
	fill := func(t *testing.T) *host {
		h := newHost(t)
		h.pool.RangeEnd = addr("10.87.1.3")
		h.mustAdd("a/web", "10.87.1.2")
		h.mustAdd("b/db", "10.87.1.3")
		return h
	}
	t.Run("only with a witness", func(t *testing.T) {
		h := fill(t)
		if _, err := h.add("c", ""); !errors.Is(err, ipam.ErrExhausted) {
			t.Fatalf("error %v, want ErrExhausted", err)
		}
	})
	t.Run("oldest first, journalled, one at a time", func(t *testing.T) {
		h := fill(t)
		h.boot, h.witness = "boot-2", oldBoot
		h.mustAdd("c/new", "10.87.1.2")
		last := h.entries[len(h.entries)-2:]
		if last[0].Action != "heal" || last[0].IP != "10.87.1.2" || !strings.Contains(last[0].Text, "earlier boot") || last[0].Before == "" {
			t.Errorf("heal is journalled as %+v", last[0])
		}
		if leaseAt(h.state, addr("10.87.1.3")).ContainerID != "b" {
			t.Error("a lease that nobody needed was taken too")
		}
	})
	t.Run("not while there is a free one", func(t *testing.T) {
		h := fill(t)
		h.del("b")
		h.boot, h.witness = "boot-2", oldBoot
		h.mustAdd("c/new", "10.87.1.3")
	})
	t.Run("an address asked for", func(t *testing.T) {
		h := fill(t)
		h.boot, h.witness = "boot-2", oldBoot
		if l, err := h.add("c/new", "10.87.1.3"); err != nil || l.IP != addr("10.87.1.3") {
			t.Errorf("got %v, %v", l.IP, err)
		}
	})
	t.Run("living ones stay", func(t *testing.T) {
		h := fill(t)
		h.pool.RangeEnd = addr("10.87.1.5")
		h.pool.Reservations = []config.Reservation{{Name: "kept", IP: addr("10.87.1.4")}}
		h.mustAdd("k/kept", "10.87.1.4")
		h.mustAdd("d", "10.87.1.5")
		h.witness = func(l ipam.Lease) ipam.Testimony {
			return ipam.Testimony{Says: map[string]ipam.Sight{"a": ipam.Alive, "b": ipam.Alive, "k": ipam.Gone}[l.ContainerID]}
		}
		_, err := h.add("c", "")
		const want = "4 held (2 active, 1 stale, 1 that the plugin cannot judge), 0 reserved, 0 in quarantine"
		if !errors.Is(err, ipam.ErrExhausted) || !strings.Contains(err.Error(), want) || !strings.Contains(core.Hint(err).String(), "leases release --stale") {
			t.Errorf("error %v (hint %q)", err, core.Hint(err).String())
		}
	})
}

func TestReleaseAttachment(t *testing.T) {
	h := newHost(t)
	for _, name := range []string{"eth0", "eth1"} {
		_, _, err := ipam.Allocate(&h.state, h.pool, ipam.Request{ContainerID: "a", IfName: name}, h.tick())
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := ipam.ReleaseAttachment(&h.state, "a", "eth1", "x", h.tick()); len(got) != 1 || got[0].IP != "10.87.1.3" {
		t.Errorf("released %v, want only eth1's", got)
	}
	if got := ipam.ReleaseAttachment(&h.state, "a", "", "x", h.tick()); len(got) != 1 || h.state.Len() != 0 {
		t.Errorf("released %v, want the rest", got)
	}
	if got := ipam.ReleaseAttachment(&h.state, "a", "", "x", h.tick()); len(got) != 0 {
		t.Errorf("released %v from nothing", got)
	}
	if _, err := ipam.Release(&h.state, addr("10.87.1.2"), "x", h.tick()); !errors.Is(err, ipam.ErrNoLease) {
		t.Errorf("release of a free address: %v", err)
	}
}
