package windows_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
)

const captures = "../../testdata/windows/captures"

var (
	subnet  = netip.MustParsePrefix("10.87.1.0/24")
	wslAddr = netip.MustParseAddr("172.27.224.53")
)

// byValue lets cmp look into netip's types.
var byValue = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func entry(dst, gateway, iface string, metric int) windows.Entry {
	e := windows.Entry{Destination: netip.MustParsePrefix(dst), Metric: metric}
	if gateway != "" {
		e.Gateway = netip.MustParseAddr(gateway)
	}
	if iface != "" {
		e.Interface = netip.MustParseAddr(iface)
	}
	return e
}

func TestParseTableReadsEveryLanguage(t *testing.T) {
	standins := windows.Table{
		Active: []windows.Entry{
			entry("0.0.0.0/0", "192.168.10.1", "192.168.10.23", 35),
			entry("10.87.1.0/24", "172.27.224.53", "172.27.224.1", 16),
			entry("127.0.0.0/8", "", "127.0.0.1", 331),
			entry("172.27.224.0/20", "", "172.27.224.1", 5256),
			entry("172.27.224.1/32", "", "172.27.224.1", 5256),
			entry("192.168.10.0/24", "", "192.168.10.23", 291),
			entry("224.0.0.0/4", "", "127.0.0.1", 331),
		},
		Persistent: []windows.Entry{
			entry("10.87.1.0/24", "172.27.224.53", "", 1),
			entry("0.0.0.0/0", "192.168.10.1", "", -1),
		},
	}
	for _, name := range []string{"de.cp850", "es.cp850", "fr.cp850", "zh.cp936", "ko.cp949", "ru.cp866"} {
		got, err := windows.ParseTable(capture(t, "route-print-"+name+".txt"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(standins, got, byValue, prefixes); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestParseTableReadsTheCaptures(t *testing.T) {
	for name, want := range map[string]struct {
		active     int
		ours       windows.Entry
		persistent []windows.Entry
	}{
		"route-print-en.txt": {
			13, entry("10.87.1.0/24", "172.27.224.53", "172.27.224.1", 16),
			[]windows.Entry{entry("10.87.1.0/24", "172.27.224.53", "", 1)},
		},
		"route-print-ja.cp932.txt": {8, entry("10.87.1.0/24", "172.20.199.202", "172.20.192.1", 16), nil},
	} {
		got, err := windows.ParseTable(capture(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Active) != want.active || got.Active[1] != want.ours {
			t.Errorf("%s: %d active routes, the second %+v; want %d and %+v", name, len(got.Active), got.Active[1], want.active, want.ours)
		}
		if d := cmp.Diff(want.persistent, got.Persistent, byValue, prefixes); d != "" {
			t.Errorf("%s: persistent routes: %s", name, d)
		}
	}
}

// A table that ends early would make a route look missing that is not.
func TestParseTableRefusesACutTable(t *testing.T) {
	for _, name := range []string{"route-print-en.txt", "route-print-ja.cp932.txt"} {
		whole := capture(t, name)
		// From here on only persistent routes follow.
		complete := strings.LastIndex(strings.TrimRight(string(whole), "=\r\n"), "\r\n")
		for n := range complete - 200 {
			if table, err := windows.ParseTable(whole[:n]); err == nil {
				t.Fatalf("%s: the first %d of %d bytes were read as a whole table of %d routes", name, n, len(whole), len(table.Active))
			}
		}
	}
}

func TestParseTableRefusesWhatIsNoTable(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":    "",
		"a message":  "The requested operation requires elevation.\r\n",
		"only ruler": strings.Repeat("=", 75),
		"too long":   strings.Repeat("=", 1<<20+1),
		"IPv6 only":  strings.Repeat("=", 75) + "\r\n 1 331 ::1/128 On-link\r\n" + strings.Repeat("=", 75) + "\r\nPersistent Routes:\r\n  None\r\n",
	} {
		if _, err := windows.ParseTable([]byte(text)); !errors.Is(err, windows.ErrNoTable) {
			t.Errorf("%s: error %v, want ErrNoTable", name, err)
		}
	}
}

// A line that cannot be read may be the route that is looked for, or the one
// that wins over it.
func TestParseTableRefusesAGarbledLine(t *testing.T) {
	whole := string(capture(t, "route-print-en.txt"))
	const ours = "10.87.1.0    255.255.255.0    172.27.224.53    172.27.224.1     16"
	for _, line := range []string{
		"10.87.1.0    255.255.255.0    172.27.224.53    172.27.224.1     ??", "10.87.1.0    255.255.255.0    172.27.2", "\xfe\xff", "10.87.1.0",
	} {
		if table, err := windows.ParseTable([]byte(strings.Replace(whole, ours, line, 1))); !errors.Is(err, windows.ErrNoTable) {
			t.Errorf("%q: error %v, %d routes", line, err, len(table.Active))
		}
	}
	first := strings.Replace(whole, "192.168.10.1   192.168.10.23     35", "192.168.10.1", 1)
	if _, err := windows.ParseTable([]byte(first)); !errors.Is(err, windows.ErrNoTable) {
		t.Errorf("the first line: error %v", err)
	}
}

func capture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(captures, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Whatever is printed, what is read is possible; and each entry that is read,
// printed and read again, is the same.
func FuzzParseTable(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(captures, "*.txt"))
	for _, name := range files {
		f.Add(capture(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := windows.ParseTable(data)
		if err != nil {
			if len(table.Active)+len(table.Persistent) > 0 {
				t.Fatalf("entries beside the error %v", err)
			}
			return
		}
		var s standin.State
		for _, e := range table.Active {
			if e.Metric < 0 || !e.Interface.Is4() || e.Destination != e.Destination.Masked() {
				t.Fatalf("impossible entry %+v", e)
			}
			s.Active = append(s.Active, standin.Route(e))
		}
		for _, e := range table.Persistent {
			s.Persistent = append(s.Persistent, standin.Route(e))
		}
		again, err := windows.ParseTable(standin.Print(s))
		if err != nil {
			t.Fatalf("printed anew: %v", err)
		}
		if d := cmp.Diff(table, again, byValue, prefixes); d != "" {
			t.Fatal(d)
		}
	})
}
