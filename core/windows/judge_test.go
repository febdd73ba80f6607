package windows_test

import (
	"net/netip"
	"strings"
	"testing"

	"flatnet/core/windows"
)

// base is Windows' table without any route to the subnet.
func base() []windows.Entry {
	return []windows.Entry{
		entry("0.0.0.0/0", "192.168.10.1", "192.168.10.23", 35),
		entry("127.0.0.0/8", "", "127.0.0.1", 331),
		entry("172.27.224.0/20", "", "172.27.224.1", 5256),
		entry("172.27.224.1/32", "", "172.27.224.1", 5256),
		entry("192.168.10.0/24", "", "192.168.10.23", 291),
	}
}

func TestJudge(t *testing.T) {
	ours := entry("10.87.1.0/24", "172.27.224.53", "172.27.224.1", 16)
	vpn := entry("10.0.0.0/8", "10.8.0.1", "10.8.0.2", 1)
	type e = []windows.Entry
	for name, c := range map[string]struct {
		active     e
		persistent e
		mode       windows.Mode
		noWSL      bool
		kind       windows.Kind
		says       string // part of the text
	}{
		"good":                       {active: e{ours}, kind: windows.Good},
		"good in bridged mode":       {active: e{ours}, mode: windows.ModeBridged, kind: windows.Good},
		"good beside a VPN":          {active: e{ours, vpn}, kind: windows.Good},
		"good by a wider route":      {active: e{entry("10.87.0.0/16", "172.27.224.53", "172.27.224.1", 16)}, kind: windows.Good, says: "10.87.0.0/16"},
		"a host route by WSL":        {active: e{ours, entry("10.87.1.9/32", "172.27.224.53", "172.27.224.1", 16)}, kind: windows.Good},
		"persistent agrees":          {active: e{ours}, persistent: e{entry("10.87.1.0/24", "172.27.224.53", "", 1)}, kind: windows.Good},
		"missing":                    {kind: windows.Missing},
		"missing, WSL unknown":       {noWSL: true, kind: windows.Missing},
		"missing, persistent waits":  {persistent: e{entry("10.87.1.0/24", "172.27.9.9", "", 1)}, kind: windows.Missing, says: "172.27.9.9"},
		"old, on the same network":   {active: e{entry("10.87.1.0/24", "172.27.230.7", "172.27.224.1", 16)}, kind: windows.OldAddress, says: "172.27.230.7"},
		"old, its network is gone":   {active: e{entry("10.87.1.0/24", "172.19.0.5", "192.168.10.23", 36)}, kind: windows.OldAddress, says: "172.19.0.5"},
		"VPN took 10/8":              {active: e{vpn}, kind: windows.OtherGateway, says: "10.8.0.2"},
		"VPN took 10/8, on-link":     {active: e{entry("10.0.0.0/8", "", "10.8.0.2", 1)}, kind: windows.OtherGateway, says: "the interface 10.8.0.2"},
		"another gateway":            {active: e{entry("10.87.1.0/24", "192.168.10.7", "192.168.10.23", 20)}, kind: windows.OtherGateway, says: "192.168.10.7"},
		"Windows' own network":       {active: e{ours, entry("10.87.1.0/24", "", "10.87.1.77", 291)}, kind: windows.OtherGateway, says: "10.87.1.77"},
		"left over without next hop": {active: e{entry("10.87.1.0/24", "", "172.27.224.1", 16)}, kind: windows.OtherGateway, says: "the interface 172.27.224.1"},
		"a cheaper one wins":         {active: e{ours, entry("10.87.1.0/24", "192.168.10.7", "192.168.10.23", 2)}, kind: windows.Shadowed, says: "metric 16"},
		"an equal one may win":       {active: e{ours, entry("10.87.1.0/24", "192.168.10.7", "192.168.10.23", 16)}, kind: windows.Shadowed, says: "may win"},
		"a more specific one wins":   {active: e{ours, entry("10.87.1.128/25", "10.8.0.1", "10.8.0.2", 300)}, kind: windows.Shadowed, says: "10.87.1.128/25"},
		"only a part is taken":       {active: e{entry("10.87.1.0/25", "10.8.0.1", "10.8.0.2", 1)}, kind: windows.OtherGateway, says: "10.87.1.0/25"},
		"a dearer one is left":       {active: e{ours, entry("10.87.1.0/24", "172.27.230.7", "172.27.224.1", 17)}, kind: windows.Duplicate, says: "172.27.230.7"},
		"ours twice":                 {active: e{ours, ours}, kind: windows.Duplicate},
		"persistent disagrees":       {active: e{ours}, persistent: e{entry("10.87.1.0/24", "172.27.9.9", "", 1)}, kind: windows.PersistentDisagrees, says: "172.27.9.9"},
		"mirrored":                   {active: e{ours}, mode: windows.ModeMirrored, kind: windows.Mirrored, says: "mirrored"},
		"mirrored, guessed":          {active: e{entry("172.27.224.53/32", "", "172.27.224.53", 1)}, mode: "-", kind: windows.Mirrored, says: "172.27.224.53"},
		"unknown mode is like NAT":   {active: e{ours}, mode: "-", kind: windows.Good},
		"WSL 1":                      {active: e{ours}, mode: windows.ModeWSL1, kind: windows.Undecided},
		"a mode of the future":       {active: e{ours}, mode: "virtioproxy", kind: windows.Undecided, says: "virtioproxy"},
		"WSL's address is not known": {active: e{ours}, noWSL: true, kind: windows.Undecided, says: "172.27.224.53"},

		"a wider one, WSL unknown":       {active: e{vpn}, noWSL: true, kind: windows.Undecided, says: "10.8.0.1"},
		"a part, WSL unknown":            {active: e{entry("10.87.1.9/32", "172.27.224.53", "172.27.224.1", 16)}, noWSL: true, kind: windows.Undecided},
		"wider, an equal one may win":    {active: e{entry("10.0.0.0/8", "172.27.224.53", "172.27.224.1", 1), vpn}, kind: windows.OtherGateway, says: "10.8.0.1"},
		"wider, persistent disagrees":    {active: e{entry("10.87.0.0/16", "172.27.224.53", "172.27.224.1", 16)}, persistent: e{entry("10.87.1.0/24", "172.27.9.9", "", 1)}, kind: windows.PersistentDisagrees},
		"a part, ours to it is cheaper":  {active: e{ours, entry("10.87.1.0/25", "10.8.0.1", "10.8.0.2", 90), entry("10.87.1.0/25", "172.27.224.53", "172.27.224.1", 16)}, kind: windows.Good},
		"a part, ours to it is as cheap": {active: e{ours, entry("10.87.1.0/25", "10.8.0.1", "10.8.0.2", 16), entry("10.87.1.0/25", "172.27.224.53", "172.27.224.1", 16)}, kind: windows.Shadowed},
	} {
		t.Run(name, func(t *testing.T) {
			table := windows.Table{Active: append(base(), c.active...), Persistent: c.persistent}
			to := wslAddr
			if c.noWSL {
				to = netip.Addr{}
			}
			mode := windows.ModeNAT
			if c.mode != "" {
				mode = windows.Mode(strings.Trim(string(c.mode), "-"))
			}
			v := windows.Judge(table, subnet, to, mode)
			if v.Kind != c.kind || !strings.Contains(v.Text.String(), c.says) || v.Text.String() == "" {
				t.Fatalf("judged %s: %q; want %s with %q", v.Kind, v.Text, c.kind, c.says)
			}
			if c.noWSL && !strings.Contains(v.Remedy.String(), "default route") {
				t.Errorf("WSL's address is what is needed, and not %q", v.Remedy)
			}
			if (v.Remedy == "") != (v.Kind == windows.Good) {
				t.Errorf("remedy %q for %s", v.Remedy, v.Kind)
			}
			// Whoever is on the other side of the mask, or later in the table, changes nothing.
			for i, j := 0, len(table.Active)-1; i < j; i, j = i+1, j-1 {
				table.Active[i], table.Active[j] = table.Active[j], table.Active[i]
			}
			if again := windows.Judge(table, subnet, to, mode); again.Kind != v.Kind {
				t.Errorf("the same table in another order is judged %s", again.Kind)
			}
		})
	}
}

func TestOnlyGoodIsOK(t *testing.T) {
	for _, k := range []windows.Kind{
		windows.Mirrored, windows.Undecided, windows.Missing, windows.OldAddress, windows.OtherGateway,
		windows.Shadowed, windows.Duplicate, windows.PersistentDisagrees, "", "something new",
	} {
		if k.State() == windows.OK {
			t.Errorf("%q is ok", k)
		}
	}
	if windows.Good.State() != windows.OK {
		t.Error("good is not ok")
	}
}
