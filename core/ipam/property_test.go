package ipam_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
)

// model is what must be true of a network, as simple as it can be said. It
// does not know how an address is chosen, only which choices are wrong.
type model struct {
	*testing.T
	rand   *rand.Rand
	store  ipam.Store
	pool   ipam.Pool
	now    time.Time
	boot   int
	nextNS uint64

	holds map[netip.Addr]string // address: container
	alive map[string]bool       // container: its namespace is there
	last  map[string]netip.Addr // container: the address it had, while nobody took it
	freed map[netip.Addr]free
}

type free struct {
	by string
	at time.Time
}

const containers = 12

// TestRandomSequences drives policy and file store with random adds, deletes,
// kills, reboots, collections and time, and compares with the model.
func TestRandomSequences(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := pool()
			p.Reservations = []config.Reservation{{Name: "name-c3", IP: addr("10.87.1.4")}, {Name: "name-c4", IP: addr("10.87.1.40")}}
			p.Quarantine = time.Duration(seed%3) * 5 * time.Minute
			m := &model{
				T: t, rand: rand.New(rand.NewPCG(seed, 1)), pool: p, now: start,
				store: ipam.OpenFile(t.TempDir(), ipam.Options{Pool: p, Holder: "test", Now: time.Now}),
				holds: map[netip.Addr]string{}, alive: map[string]bool{}, last: map[string]netip.Addr{}, freed: map[netip.Addr]free{},
			}
			for range 250 {
				m.step()
				m.compare()
			}
		})
	}
}

func (m *model) step() {
	c := fmt.Sprintf("c%d", m.rand.IntN(containers))
	m.now = m.now.Add(time.Duration(m.rand.IntN(120)) * time.Second)
	switch n := m.rand.IntN(100); {
	case n < 45:
		m.add(c, netip.Addr{})
	case n < 55:
		m.add(c, netip.AddrFrom4([4]byte{10, 87, 1, byte(m.rand.IntN(9))}))
	case n < 80:
		m.del(c)
	case n < 92:
		m.alive[c] = false // killed, no DEL
	case n < 95:
		m.boot++
		clear(m.alive)
	default:
		m.collect()
	}
}

func (m *model) update(change func(*ipam.State) ([]journal.Entry, error)) error {
	return m.store.Update(m.Context(), change)
}

func (m *model) add(c string, want netip.Addr) {
	held, has := m.addressOf(c)
	m.nextNS++
	var l ipam.Lease
	err := m.update(func(s *ipam.State) (entries []journal.Entry, err error) {
		l, entries, err = ipam.Allocate(s, m.pool, ipam.Request{
			ContainerID: c, Name: "name-" + c, IfName: "eth0", IP: want, By: "plugin ADD",
			BootID: fmt.Sprint(m.boot), NetNSID: kernel.NamespaceID{Inode: m.nextNS},
			Witness: func(l ipam.Lease) ipam.Testimony {
				if m.alive[l.ContainerID] {
					return ipam.Testimony{Says: ipam.Alive}
				}
				return ipam.Testimony{Says: ipam.Gone, Text: "it is dead"}
			},
		}, m.now)
		return entries, err
	})
	if err != nil {
		m.refused(c, want, err)
		return
	}
	reserved := m.reservedFor(l.IP)
	switch {
	case has && l.IP != held:
		m.Fatalf("%s held %s and was given %s", c, held, l.IP)
	case want.IsValid() && l.IP != want:
		m.Fatalf("%s asked for %s and was given %s", c, want, l.IP)
	case m.pool.Check(l.IP) != nil:
		m.Fatalf("%s was given %s, which no container may have", c, l.IP)
	case reserved != "" && reserved != "name-"+c:
		m.Fatalf("%s was given %s, reserved for %s", c, l.IP, reserved)
	case !has && m.holds[l.IP] != "" && m.alive[m.holds[l.IP]]:
		m.Fatalf("%s was given %s, which %s lives on", c, l.IP, m.holds[l.IP])
	case !has && m.quarantined(l.IP, c):
		m.Fatalf("%s was given %s, which is in quarantine", c, l.IP)
	}
	if old, ok := m.last[c]; ok && !has && !want.IsValid() && m.own(c) == (netip.Addr{}) && m.holds[old] == "" && m.pool.RangeEnd.Compare(old) >= 0 && m.reservedFor(old) == "" && l.IP != old {
		m.Fatalf("%s had %s, which is free, and was given %s", c, old, l.IP)
	}
	for other, ip := range m.last {
		if ip == l.IP {
			delete(m.last, other)
		}
	}
	delete(m.freed, l.IP)
	m.holds[l.IP], m.alive[c] = c, true
}

// refused looks whether an address could have been given.
func (m *model) refused(c string, want netip.Addr, err error) {
	if want.IsValid() {
		held, has := m.addressOf(c)
		switch {
		case has && held != want, m.pool.Check(want) != nil, m.quarantined(want, c):
			return
		}
		if r := m.reservedFor(want); r != "" && r != "name-"+c {
			return
		}
		if by := m.holds[want]; by != "" && m.alive[by] {
			return
		}
		m.Fatalf("%s was refused %s: %v", c, want, err)
	}
	if own := m.own(c); own.IsValid() && (m.holds[own] != "" || m.quarantined(own, c)) {
		return
	}
	if !errors.Is(err, ipam.ErrExhausted) {
		m.Fatalf("%s: %v", c, err)
	}
	for ip := m.pool.RangeStart; ip.Compare(m.pool.RangeEnd) <= 0; ip = ip.Next() {
		if (m.holds[ip] == "" || !m.alive[m.holds[ip]]) && m.reservedFor(ip) == "" && !m.quarantined(ip, c) {
			m.Fatalf("%s: %v, and %s could be given", c, err, ip)
		}
	}
}

func (m *model) del(c string) {
	ip, has := m.addressOf(c)
	err := m.update(func(s *ipam.State) ([]journal.Entry, error) {
		return ipam.ReleaseAttachment(s, c, "eth0", "plugin DEL", m.now), nil
	})
	if err != nil {
		m.Fatal(err)
	}
	if has {
		m.release(ip)
	}
	m.alive[c] = false
}

// collect is a GC: every dead container's lease goes.
func (m *model) collect() {
	for ip, c := range m.holds {
		if m.alive[c] {
			continue
		}
		err := m.update(func(s *ipam.State) ([]journal.Entry, error) { return ipam.Release(s, ip, "plugin GC", m.now) })
		if err != nil {
			m.Fatal(err)
		}
		m.release(ip)
	}
}

func (m *model) release(ip netip.Addr) {
	c := m.holds[ip]
	delete(m.holds, ip)
	m.last[c], m.freed[ip] = ip, free{c, m.now}
}

func (m *model) addressOf(c string) (netip.Addr, bool) {
	for ip, by := range m.holds {
		if by == c {
			return ip, true
		}
	}
	return netip.Addr{}, false
}

func (m *model) reservedFor(ip netip.Addr) string {
	for _, r := range m.pool.Reservations {
		if r.IP == ip {
			return r.Name
		}
	}
	return ""
}

// own gives the address reserved for a container.
func (m *model) own(c string) netip.Addr {
	for _, r := range m.pool.Reservations {
		if r.Name == "name-"+c {
			return r.IP
		}
	}
	return netip.Addr{}
}

func (m *model) quarantined(ip netip.Addr, c string) bool {
	f, ok := m.freed[ip]
	return ok && f.by != c && m.now.Sub(f.at) < m.pool.Quarantine
}

// compare looks that the file says what the model says.
func (m *model) compare() {
	s, err := m.store.Read(m.Context())
	if err != nil {
		m.Fatal(err)
	}
	if s.Len() != len(m.holds) {
		m.Fatalf("%d leases, the model has %d", s.Len(), len(m.holds))
	}
	for l := range s.All() {
		if m.holds[l.IP] != l.ContainerID {
			m.Fatalf("%s is held by %q, in the model by %q", l.IP, l.ContainerID, m.holds[l.IP])
		}
	}
}
