package repair_test

import (
	"testing"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/podman"
	"flatnet/core/repair"
)

// nameless makes a running container whose lease has no name, as one has that
// was rebuilt from the kernel or comes from an older program.
func (h *leasehold) nameless(name string) ipam.Lease {
	h.Helper()
	l := h.start(name)
	err := h.Store.Update(h.Context(), func(s *ipam.State) ([]journal.Entry, error) {
		l.Name = ""
		s.Put(l)
		return nil, nil
	})
	if err != nil {
		h.Fatal(err)
	}
	return l
}

func (h *leasehold) del(l ipam.Lease) {
	h.Helper()
	err := h.Store.Update(h.Context(), func(s *ipam.State) ([]journal.Entry, error) {
		return ipam.Release(s, l.IP, "plugin DEL", h.now())
	})
	if err != nil {
		h.Fatal(err)
	}
}

// again runs a container of that name with a new id and gives its address.
func (h *leasehold) again(name string) string {
	h.Helper()
	var l ipam.Lease
	err := h.Store.Update(h.Context(), func(s *ipam.State) (entries []journal.Entry, err error) {
		l, entries, err = ipam.Allocate(s, h.Sources.Pool, ipam.Request{
			ContainerID: name + "-new", Name: name, IfName: "eth0", By: "plugin ADD",
		}, h.now())
		return entries, err
	})
	if err != nil {
		h.Fatal(err)
	}
	return l.IP.String()
}

// TestNames: a name that Podman knows is written into a lease that has none, so
// that the container made anew under it gets its address back.
func TestNames(t *testing.T) {
	h := newLeasehold(t)
	h.start("other")
	web := h.nameless("web")
	h.podman["web"] = podman.Container{ID: web.ContainerID, Name: "web", State: "running"}
	h.nameless("secret")
	delete(h.podman, "secret")

	p := h.plan(repair.Names)
	if len(p.Steps) != 1 {
		t.Fatalf("steps: %+v", p.Steps)
	}
	if err := h.apply(p); err != nil {
		t.Fatal(err)
	}
	if got := h.held(); got != "10.87.1.2 other, 10.87.1.3 web, 10.87.1.4 " {
		t.Errorf("held: %s", got)
	}
	entries, err := h.Journal.Recent(t.Context(), 1, nil)
	if err != nil || entries[0].Action != repair.NamesID || entries[0].By != "key r" || entries[0].Name != "web" {
		t.Errorf("journal: %+v, %v", entries, err)
	}
	if again := h.plan(repair.Names); len(again.Steps) != 0 {
		t.Errorf("a second time: %+v", again.Steps)
	}
	h.del(web)
	if got := h.again("web"); got != web.IP.String() {
		t.Errorf("web, made anew, has %s and not %s", got, web.IP)
	}
}

// TestNamesOfWhatHasChanged: a container that took the address meanwhile does
// not get the other's name.
func TestNamesOfWhatHasChanged(t *testing.T) {
	h := newLeasehold(t)
	web := h.nameless("web")
	p := h.plan(repair.Names)
	err := h.Store.Update(t.Context(), func(s *ipam.State) ([]journal.Entry, error) {
		s.Put(ipam.Lease{IP: web.IP, ContainerID: "new", IfName: "eth0", AllocatedAt: h.now()})
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.apply(p); err != nil {
		t.Fatal(err)
	}
	if got := h.held(); got != "10.87.1.2 " {
		t.Errorf("held: %s", got)
	}
}

// TestReleaseKeepsTheName that was only seen.
func TestReleaseKeepsTheName(t *testing.T) {
	h := newLeasehold(t)
	web := h.nameless("web")
	h.crash("web", web)
	h.podman["web"] = podman.Container{ID: web.ContainerID, Name: "web", State: "exited"}
	if err := h.apply(h.plan(repair.ReleaseStale)); err != nil {
		t.Fatal(err)
	}
	h.start("other")
	if got := h.again("web"); got != web.IP.String() {
		t.Errorf("web, made anew, has %s and not %s", got, web.IP)
	}
}
