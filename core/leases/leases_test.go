package leases_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/leases"
	"flatnet/core/podman"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// podmanSays answers with what it is; nil: it cannot be asked.
type podmanSays []podman.Container

func (p podmanSays) Containers(context.Context) ([]podman.Container, error) {
	if p == nil {
		return nil, fmt.Errorf("%w: no socket", podman.ErrUnavailable)
	}
	return p, nil
}

func (podmanSays) Info(context.Context) (podman.Info, error) { return podman.Info{}, nil }

func (podmanSays) Events(context.Context) (<-chan podman.Event, error) {
	return nil, podman.ErrUnavailable
}

// running is a container on the network with the address of the test's lease.
func running(id string) podman.Container {
	return podman.Container{
		ID: id, Name: "web", State: "running",
		Networks: map[string]podman.Attachment{"flatnet": {IP: netip.MustParseAddr("10.87.1.2")}},
	}
}

func withState(c podman.Container, state string) podman.Container {
	c.State, c.Networks = state, map[string]podman.Attachment{"flatnet": {}}
	return c
}

const id = "abcdef0123456789"

// machine is a real kernel with a namespace for the container, whose path and
// identity the lease has.
func machine(t *testing.T) (kernel.Kernel, ipam.Lease) {
	t.Helper()
	k := kernel.New()
	t.Cleanup(func() { _ = k.Close() })
	path := nettest.New(t)
	ns, err := k.Identify(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	boot, err := k.BootID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return k, ipam.Lease{
		IP: netip.MustParseAddr("10.87.1.2"), ContainerID: id, IfName: "eth0",
		NetNS: path, NetNSID: ns, BootID: boot, HostVeth: "fn-abcdef01", AllocatedAt: start,
	}
}

func pool() ipam.Pool {
	return ipam.Pool{
		Subnet: netip.MustParsePrefix("10.87.1.0/24"), Gateway: netip.MustParseAddr("10.87.1.1"),
		RangeStart: netip.MustParseAddr("10.87.1.2"), RangeEnd: netip.MustParseAddr("10.87.1.9"),
		Quarantine: time.Hour,
	}
}

// look judges one lease.
func look(t *testing.T, k kernel.Kernel, p podman.Client, l ipam.Lease) leases.Status {
	t.Helper()
	all, err := leases.Look(t.Context(), sources(t, k, p, l))
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

func sources(t *testing.T, k kernel.Kernel, p podman.Client, held ...ipam.Lease) leases.Sources {
	t.Helper()
	now := func() time.Time { return start.Add(time.Minute) }
	store := ipam.OpenFile(t.TempDir(), ipam.Options{Pool: pool(), Holder: "test", Now: now})
	err := store.Update(t.Context(), func(s *ipam.State) ([]journal.Entry, error) {
		for _, l := range held {
			s.Put(l)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return leases.Sources{Network: "flatnet", Pool: pool(), Store: store, Kernel: k, Podman: p, Now: now}
}

// TestBothWitnesses goes through what the two can say, on real namespaces.
func TestBothWitnesses(t *testing.T) {
	type edit func(*testing.T, *ipam.Lease)
	there := func(*testing.T, *ipam.Lease) {}
	gone := func(_ *testing.T, l *ipam.Lease) { nettest.Delete(l.NetNS) }
	another := func(_ *testing.T, l *ipam.Lease) { l.NetNSID.Inode++ }
	earlier := func(_ *testing.T, l *ipam.Lease) { l.BootID = "another boot" }
	old := func(_ *testing.T, l *ipam.Lease) { *l = ipam.Lease{IP: l.IP, ContainerID: l.ContainerID} }
	noFile := func(t *testing.T, l *ipam.Lease) { l.NetNS = t.TempDir() }

	elsewhere := running(id)
	elsewhere.Networks = map[string]podman.Attachment{"other": {}}
	moved := running(id)
	moved.Networks = map[string]podman.Attachment{"flatnet": {IP: netip.MustParseAddr("10.87.1.9")}}
	bare := running(id)
	bare.Networks = nil

	for _, tt := range []struct {
		name   string
		podman podmanSays
		kernel edit
		want   leases.State
		say    string
	}{
		{"running, there", podmanSays{running(id)}, there, leases.Active, "running"},
		{"running, networks not told", podmanSays{bare}, there, leases.Active, ""},
		{"paused, there", podmanSays{withState(running(id), "paused")}, there, leases.Active, "paused"},
		{"running, old form without veth", podmanSays{running(id)}, old, leases.Unknown, ""},
		{"unknown, gone", podmanSays{}, gone, leases.Stale, "does not know"},
		{"unknown, another in its place", podmanSays{}, another, leases.Stale, "another network namespace"},
		{"unknown, path is no namespace", podmanSays{}, noFile, leases.Stale, "gone"},
		{"unknown, earlier boot", podmanSays{running("other")}, earlier, leases.Stale, "earlier boot"},
		{"unknown, old form", podmanSays{}, old, leases.Stale, "no interface"},
		{"exited, gone", podmanSays{withState(running(id), "exited")}, gone, leases.Stale, "exited"},
		{"exited, earlier boot", podmanSays{withState(running(id), "exited")}, earlier, leases.Stale, ""},
		{"elsewhere, gone", podmanSays{elsewhere}, gone, leases.Stale, "not on network"},
		{"with another address, gone", podmanSays{moved}, gone, leases.Stale, "10.87.1.9"},
		{"unknown, there", podmanSays{}, there, leases.Unknown, "is there"},
		{"exited, there", podmanSays{withState(running(id), "exited")}, there, leases.Unknown, ""},
		{"starting, there", podmanSays{withState(running(id), "created")}, there, leases.Unknown, ""},
		{"running, gone", podmanSays{running(id)}, gone, leases.Unknown, ""},
		{"running, earlier boot", podmanSays{running(id)}, earlier, leases.Unknown, ""},
		{"Podman silent, there", nil, there, leases.Unknown, "could not be asked"},
		{"Podman silent, gone", nil, gone, leases.Unknown, "could not be asked"},
		{"Podman silent, earlier boot", nil, earlier, leases.Unknown, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, l := machine(t)
			tt.kernel(t, &l)
			got := look(t, k, tt.podman, l)
			if got.State != tt.want || !strings.Contains(got.Reason.String(), tt.say) {
				t.Errorf("%s (%s), want %s (%s)", got.State, got.Reason, tt.want, tt.say)
			}
		})
	}
}

func TestKernelThatCannotBeAskedIsNoWitness(t *testing.T) {
	k, l := machine(t)
	broken := kernel.Hooked(k, func(string, string) error { return errors.New("no") })
	if got := look(t, broken, podmanSays{}, l); got.State != leases.Unknown {
		t.Errorf("%s (%s)", got.State, got.Reason)
	}
	l.NetNS, l.BootID = "", ""
	if got := look(t, broken, podmanSays{}, l); got.State != leases.Unknown {
		t.Errorf("by its veth: %s (%s)", got.State, got.Reason)
	}
}

func TestOldFormIsJudgedByItsVeth(t *testing.T) {
	k, l := machine(t)
	ns, err := k.Open(t.Context(), l.NetNS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	const host = "fn-0badcafe"
	old := ipam.Lease{IP: l.IP, ContainerID: host[3:] + "ffff"}
	if err := k.AddVeth(t.Context(), kernel.Veth{Host: host, Peer: "eth0", PeerNS: ns, MTU: 1500}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.DeleteLink(context.Background(), host) })
	if got := look(t, k, podmanSays{}, old); got.State != leases.Unknown || !strings.Contains(got.Reason.String(), host) {
		t.Errorf("with its veth: %s (%s)", got.State, got.Reason)
	}
	if err := k.DeleteLink(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	if got := look(t, k, podmanSays{}, old); got.State != leases.Stale {
		t.Errorf("without: %s (%s)", got.State, got.Reason)
	}
}

func TestNamesAreFilledIn(t *testing.T) {
	k, l := machine(t)
	if got := look(t, k, podmanSays{running(id)}, l); got.Name != "web" {
		t.Errorf("name %q", got.Name)
	}
}

func TestReservedAndQuarantined(t *testing.T) {
	k, l := machine(t)
	s := sources(t, k, podmanSays{}, l)
	s.Pool.Reservations = []config.Reservation{
		{Name: "web", IP: l.IP}, {Name: "db", IP: netip.MustParseAddr("10.87.1.5")},
	}
	err := s.Store.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		for _, ip := range []string{"10.87.1.3", "10.87.1.5", "10.87.1.7"} {
			a := netip.MustParseAddr(ip)
			st.Put(ipam.Lease{IP: a, ContainerID: "gone", Name: "job"})
			freed := start
			if ip == "10.87.1.7" {
				freed = start.Add(-2 * time.Hour) // its quarantine is over
			}
			if _, err := ipam.Release(st, a, "test", freed); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := leases.Look(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, st := range all {
		got = append(got, fmt.Sprintf("%s %s %s", st.IP, st.State, st.Owner()))
	}
	want := "10.87.1.2 unknown abcdef012345, 10.87.1.3 quarantined job, 10.87.1.5 reserved db"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if until := all[1].Until; !until.Equal(start.Add(time.Hour)) {
		t.Errorf("quarantine until %s", until)
	}
}

func TestAStateThatCannotBeReadIsAnError(t *testing.T) {
	k, _ := machine(t)
	s := sources(t, k, podmanSays{})
	s.Store = brokenStore{}
	if _, err := leases.Look(t.Context(), s); !errors.Is(err, ipam.ErrUnreadable) {
		t.Errorf("error %v", err)
	}
}

type brokenStore struct{ ipam.Store }

func (brokenStore) Read(context.Context) (ipam.State, error) { return ipam.State{}, ipam.ErrUnreadable }
