package names_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/filelock"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/names"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// text writes addresses down.
func text(all []netip.Addr) string {
	words := make([]string, len(all))
	for i, ip := range all {
		words[i] = ip.String()
	}
	return strings.Join(words, " ")
}

const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestTable(t *testing.T) {
	long := strings.Repeat("a", 64)
	table := names.NewTable([]names.Network{{Subnet: netip.MustParsePrefix("10.87.1.0/24"), Gateway: addr("10.87.1.1"), Leases: []ipam.Lease{
		{IP: addr("10.87.1.2"), ContainerID: id, Name: "Web", Aliases: "shop www", BootID: "now"},
		{IP: addr("10.87.1.3"), ContainerID: "c3", Name: "db", Aliases: "shop", BootID: "now"},
		{IP: addr("10.87.1.4"), ContainerID: "c4", Name: "crashed", BootID: "before"},
		{IP: addr("10.87.1.5"), ContainerID: "c5", Name: "受付"},
		{IP: addr("10.87.1.6"), ContainerID: "c6", Name: "a..b"},
		{IP: addr("10.87.1.7"), ContainerID: "c7", Name: long},
		{IP: addr("10.87.1.8"), ContainerID: "c8", Name: "a.b"},
		{IP: addr("10.99.0.2"), ContainerID: "c9", Name: "elsewhere"},
		{IP: addr("10.87.1.9"), ContainerID: "c10", Name: "same", Aliases: "same"},
	}}}, "now")
	view := table.For(addr("10.87.1.3"))
	for name, want := range map[string]string{
		"web": "10.87.1.2", "WEB": "10.87.1.2", "0123456789ab": "10.87.1.2", "www": "10.87.1.2",
		"shop": "10.87.1.2 10.87.1.3", "a.b": "10.87.1.8", "c5": "10.87.1.5", "same": "10.87.1.9",
		"crashed": "", "受付": "", "a..b": "", long: "", "elsewhere": "", "": "", ".": "", id: "",
	} {
		if got := text(view.Addresses(name)); got != want {
			t.Errorf("%q is at %q, want %q", name, got, want)
		}
	}
	for ip, want := range map[string]string{"10.87.1.2": "web", "10.87.1.5": "", "10.87.1.4": "", "10.87.1.1": "", "10.99.0.2": ""} {
		if got := view.Name(addr(ip)); got != want {
			t.Errorf("%s is %q, want %q", ip, got, want)
		}
	}
	if got := table.For(addr("192.0.2.1")).Addresses("web"); got != nil {
		t.Errorf("somebody elsewhere learns of %v", got)
	}
}

func TestParseServers(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "[] []",
		"nameserver 192.0.2.1\n":                 "[192.0.2.1] []",
		"nameserver 192.0.2.1":                   "[192.0.2.1] []",
		"# nameserver 192.0.2.1":                 "[] []",
		"nameserver\nnameserver x\n; y":          "[] []",
		"nameserver 2001:db8::1":                 "[2001:db8::1] []",
		"nameserver ::ffff:192.0.2.1":            "[192.0.2.1] []",
		"nameserver 1.1.1.1\nnameserver 1.1.1.1": "[1.1.1.1] []",
		"search a.example b.example. (x) C":      "[] [a.example b.example c]",
		"search a\ndomain b.example":             "[] [b.example]",
	} {
		s := names.ParseServers(text)
		if got := fmt.Sprint(s.Addrs, s.Search); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Whatever stands in resolv.conf, what comes out is bounded and can be used.
func FuzzParseServers(f *testing.F) {
	f.Add("search corp.example\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\noptions ndots:1\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := names.ParseServers(text)
		if len(s.Addrs) > 8 || len(s.Search) > 6 {
			t.Errorf("%d servers, %d domains", len(s.Addrs), len(s.Search))
		}
		for _, d := range s.Search {
			if d == "" || strings.ContainsAny(d, " \t\n\\") || strings.ToLower(d) != d {
				t.Errorf("domain %q", d)
			}
		}
	})
}

func TestWithFallback(t *testing.T) {
	told := names.Told{Server: addr("10.87.1.1"), Domain: "flatnet"}
	got := told.WithFallback(names.Servers{Addrs: []netip.Addr{addr("10.87.1.1"), addr("192.0.2.1"), addr("192.0.2.2")}, Search: []string{"flatnet", "corp.example"}})
	if s := fmt.Sprint(got.Addrs, got.Search); s != "[10.87.1.1 192.0.2.1] [flatnet corp.example]" {
		t.Error(s)
	}
}

// A container is told while somebody answers, of whatever kind the network is.
func TestTell(t *testing.T) {
	c := config.Default()
	c.IPAM.StateDir = t.TempDir()
	second := filepath.Join(c.IPAM.StateDir, "networks", "second")
	if err := os.MkdirAll(second, 0o700); err != nil {
		t.Fatal(err)
	}
	told := func(enabled config.Tristate, dir string) bool {
		c.DNS.Enabled = enabled
		return names.Tell(c, dir).Server.IsValid()
	}
	check := func(when string, want ...bool) {
		t.Helper()
		got := []bool{
			told(config.Auto, c.IPAM.StateDir), told(config.Auto, second),
			told(config.On, second), told(config.Off, c.IPAM.StateDir),
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: told %v, want %v", when, got, want)
		}
	}
	take := func(dir string) *filelock.Lock {
		t.Helper()
		l, err := filelock.Acquire(t.Context(), filepath.Join(dir, names.LockName), "test")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	check("nobody ever answered", false, false, true, false)
	first := take(c.IPAM.StateDir)
	check("the first network is answered, the second is new", true, true, true, false)
	other := take(second)
	check("both are answered", true, true, true, false)
	other.Release()
	check("the second cannot be", true, false, true, false)
	first.Release()
	check("nobody answers any more", false, false, true, false)
}

// BenchmarkTell is what it costs a start of a container.
func BenchmarkTell(b *testing.B) {
	c := config.Default()
	c.IPAM.StateDir = b.TempDir()
	lock, err := filelock.Acquire(b.Context(), filepath.Join(c.IPAM.StateDir, names.LockName), "test")
	if err != nil {
		b.Fatal(err)
	}
	defer lock.Release()
	for b.Loop() {
		names.Tell(c, c.IPAM.StateDir)
	}
}

// The source follows its files: a lease that is written is there at the next
// question, a file that became unreadable leaves what was known, with an
// error.
func TestSource(t *testing.T) {
	c := config.Default()
	c.IPAM.StateDir = filepath.Join(t.TempDir(), "ipam")
	s := names.NewSource(c, "now")
	if places := s.Places(t.Context()); len(places) != 1 || places[0].Gateway != c.Network.Gateway {
		t.Fatalf("before the first container: %v", places)
	}
	store := ipam.OpenFile(c.IPAM.StateDir, ipam.Options{Pool: ipam.PoolOf(c), Holder: "test", Now: time.Now})
	put := func(ip, name string) {
		t.Helper()
		err := store.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
			st.Put(ipam.Lease{IP: addr(ip), ContainerID: "c" + name, Name: name, BootID: "now"})
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) (string, error) {
		table, err := s.Table(context.Background())
		return text(table.For(c.Network.Gateway).Addresses(name)), err
	}
	for i := range 20 {
		name, ip := fmt.Sprintf("web%d", i), fmt.Sprintf("10.87.1.%d", i+2)
		put(ip, name)
		if got, err := at(name); got != ip || err != nil {
			t.Fatalf("%s is at %q (%v), want %s", name, got, err, ip)
		}
	}
	file := filepath.Join(c.IPAM.StateDir, ipam.FileName)
	if err := os.WriteFile(file, []byte(`{"version":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := at("web0"); got != "10.87.1.2" || err == nil {
		t.Errorf("with a torn file: %q, error %v", got, err)
	}
}
