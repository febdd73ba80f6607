package ipam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBothWaysOfReadingAgree: what encode wrote, and the same laid out anew by
// somebody else, are one state and are written alike.
func TestBothWaysOfReadingAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 50 {
		s := randomState(r, n)
		text := encoded(t, &document{}, &s)
		var foreign bytes.Buffer
		if err := json.Indent(&foreign, text, "", "\t"); err != nil {
			t.Fatal(err)
		}
		own, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		other, err := decode(foreign.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if !sameEntries(&own.state, &s) || !sameEntries(&other.state, &s) {
			t.Fatalf("read from\n%s: %v\nfrom\n%s: %v", text, leasesOf(&own.state), foreign.Bytes(), leasesOf(&other.state))
		}
		if again := encoded(t, &own, &own.state); !bytes.Equal(again, text) {
			t.Fatalf("%s\nbecame\n%s", text, again)
		}
		if again := encoded(t, &other, &other.state); !bytes.Equal(again, text) {
			t.Fatalf("%s\nbecame\n%s", foreign.Bytes(), again)
		}
	}
}

// TestWhatIsCopiedAndWhatIsMadeAnew: leases that were read are copied in long
// pieces; whatever changes between them, each line is as if it had been made
// anew, and those that stay keep their order.
func TestWhatIsCopiedAndWhatIsMadeAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		s := randomState(r, 12)
		before := encoded(t, &document{}, &s)
		d, err := decode(before)
		if err != nil {
			t.Fatal(err)
		}
		for range r.IntN(8) {
			l := randomLease(r)
			if r.IntN(2) == 0 {
				d.state.free(l, l.AllocatedAt)
			} else {
				d.state.Put(l)
			}
		}
		anew := d.state.Clone()
		got, want := encoded(t, &d, &d.state), encoded(t, &document{}, &anew)
		if !slices.Equal(slices.Sorted(leaseLines(got)), slices.Sorted(leaseLines(want))) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		if e, err := decode(got); err != nil || !e.own || !sameEntries(&e.state, &anew) {
			t.Fatalf("%s\nis read as %v, %v", got, leasesOf(&e.state), err)
		}
		was := slices.Collect(leaseLines(before))
		stay := func(line string) bool { return slices.Contains(was, line) }
		if kept := slices.DeleteFunc(slices.Collect(leaseLines(got)), func(l string) bool { return !stay(l) }); !isSubsequence(kept, was) {
			t.Fatalf("%s\nbecame\n%s", before, got)
		}
	}
}

// leaseLines gives the lines of a file's leases.
func leaseLines(text []byte) iter.Seq[string] {
	leases, _, _ := strings.Cut(string(text), recentStart)
	_, leases, _ = strings.Cut(leases, "\n")
	return strings.SplitSeq(leases, ",\n")
}

func isSubsequence(part, all []string) bool {
	for _, v := range all {
		if len(part) > 0 && part[0] == v {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// TestLookups: what is looked for in the text is what the leases say.
func TestLookups(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		s := randomState(r, 12)
		d, err := decode(encoded(t, &document{}, &s))
		if err != nil {
			t.Fatal(err)
		}
		d.state.Put(randomLease(r))
		all := leasesOf(&d.state)
		for _, l := range all {
			for what, c := range map[string]struct {
				got  []Lease
				same func(Lease) bool
			}{
				"id":   {d.state.OfContainer(l.ContainerID), func(o Lease) bool { return o.ContainerID == l.ContainerID }},
				"name": {d.state.OfName(l.Name), func(o Lease) bool { return o.Name != "" && o.Name == l.Name }},
				"veth": {d.state.OfHostVeth(l.HostVeth), func(o Lease) bool { return o.HostVeth == l.HostVeth }},
				"mac":  {d.state.OfMAC(l.MAC), func(o Lease) bool { return o.MAC == l.MAC }},
			} {
				want := slices.DeleteFunc(slices.Clone(all), func(o Lease) bool { return !c.same(o) })
				if !slices.Equal(c.got, want) {
					t.Fatalf("by the %s of %+v: %+v, want %+v", what, l, c.got, want)
				}
			}
		}
	}
}

// TestOwnLinesOutOfOrder: a right checksum over lines that encode would not
// write so, but JSON all the same.
func TestOwnLinesOutOfOrder(t *testing.T) {
	s := bigState(0)
	head, tail, _ := bytes.Cut(encoded(t, &document{}, &s), []byte(recentStart))
	lines := "\n" + `"10.87.0.9":{"container_id":"b"},` + "\n" + `"10.87.0.3":{"container_id":"a"}`
	text := slices.Concat(head, []byte(lines+recentStart), tail[:len(tail)-checksumSize])
	d, err := decode(withChecksum(text))
	if err != nil {
		t.Fatal(err)
	}
	got := leasesOf(&d.state)
	if len(got) != 2 || got[0].ContainerID != "a" || got[1].ContainerID != "b" {
		t.Errorf("%+v", got)
	}
}

func leasesOf(s *State) []Lease { return slices.Collect(s.All()) }

func freedOf(s *State) []Freed { return slices.Collect(s.Recent()) }

func sameEntries(a, b *State) bool {
	return slices.Equal(leasesOf(a), leasesOf(b)) && slices.Equal(freedOf(a), freedOf(b))
}

// randomState has up to n leases and some freed addresses.
func randomState(r *rand.Rand, n int) State {
	s := bigState(0)
	for range n {
		s.Put(randomLease(r))
	}
	for i := range r.IntN(5) {
		l := randomLease(r)
		s.free(l, l.AllocatedAt.Add(time.Duration(i)*time.Second))
	}
	return s
}

// randomLease is one of few addresses, so that many are neighbours.
func randomLease(r *rand.Rand) Lease {
	return Lease{
		IP: netip.AddrFrom4([4]byte{10, 87, 0, byte(2 + r.IntN(20))}), ContainerID: []string{"c", `c"`, `c\`}[r.IntN(3)] + fmt.Sprint(r.IntN(9)),
		Name: []string{"", "web", `"},{`, "テスト\n\x01"}[r.IntN(4)], IfName: "eth0",
		HostVeth: fmt.Sprintf("fn-%d", 1+r.IntN(3)), MAC: fmt.Sprintf("0a:%02d", r.IntN(3)),
		AllocatedAt: time.Unix(r.Int64N(2e9), r.Int64N(1e9)).UTC(),
	}
}
