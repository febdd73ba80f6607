package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/config"
)

func TestApplyNetConf(t *testing.T) {
	file, err := config.Parse("f", []byte("[network]\nrange_end = \"10.87.1.99\"\nmtu = 1400\n[[ipam.reservation]]\nname = \"db\"\nip = \"10.87.1.9\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, entry, want string }{
		{"plain", `{"cniVersion":"1.0.0","name":"flatnet","type":"flatnet","capabilities":{"ips":true},"runtimeConfig":{},"args":{},"dns":{},"prevResult":{},"cni.dev/valid-attachments":[]}`, "flatnet 10.87.1.0/24 10.87.1.1 10.87.1.2-10.87.1.99 1400 true [{db 10.87.1.9}]"},
		{"name", `{"name":"lab"}`, "lab 10.87.1.0/24 10.87.1.1 10.87.1.2-10.87.1.99 1400 true [{db 10.87.1.9}]"},
		{"subnet", `{"subnet":"10.88.0.0/24","mtu":0}`, "flatnet 10.88.0.0/24 10.88.0.1 10.88.0.2-10.88.0.254 0 true []"},
		{"same subnet", `{"subnet":"10.87.1.0/24"}`, "flatnet 10.87.1.0/24 10.87.1.1 10.87.1.2-10.87.1.99 1400 true [{db 10.87.1.9}]"},
		{"ipam", `{"ipam":{"sticky":false,"reservation":[{"name":"x","ip":"10.87.1.4"}]}}`, "flatnet 10.87.1.0/24 10.87.1.1 10.87.1.2-10.87.1.99 1400 false [{x 10.87.1.4}]"},
	} {
		c, err := config.ApplyNetConf(file, []byte(test.entry))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		n := c.Network
		got := fmt.Sprintf("%s %s %s %s-%s %d %v %v", n.Name, n.Subnet, n.Gateway, n.RangeStart, n.RangeEnd, n.MTU, c.IPAM.Sticky, c.IPAM.Reservations)
		if got != test.want {
			t.Errorf("%s: got  %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestApplyNetConfProblems(t *testing.T) {
	for _, test := range []struct{ entry, want string }{
		{``, `network list: EOF; right is one JSON object`},
		{`[1]`, `network list: `},
		{`null`, `network list: it is null`},
		{`{} {}`, `network list: something follows the object`},
		{`{"subnett":"x"}`, `network list: subnett: there is no such key; right is subnet`},
		{`{"sticky":true}`, `network list: sticky: there is no such key here; right is sticky under [ipam]`},
		{`{"mtu":1400.5}`, `network list: mtu: this is a number with a point`},
		{`{"mtu":1e400}`, `network list: mtu: this is a number with a point`},
		{`{"ipam":"host-local"}`, `network list: ipam: this is a string; right is an object`},
		{`{"ipam":{"stikcy":true}}`, `network list: ipam.stikcy: there is no such key; right is sticky`},
		{`{"subnet":null}`, `network list: subnet: this is null`},
		{`{"subnet":"10.0.0.0/24","gateway":"10.0.1.1"}`, `network list: gateway: 10.0.1.1 is no host's address in 10.0.0.0/24`},
		{`{"name":"a b"}`, `network list: name: "a b" has the character ' '`},
	} {
		_, err := config.ApplyNetConf(config.Default(), []byte(test.entry))
		var problems *config.Error
		if !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", test.entry, err, test.want)
		}
	}
}

func TestLoadNetConf(t *testing.T) {
	usual, other := filepath.Join(t.TempDir(), "usual.toml"), filepath.Join(t.TempDir(), "other.toml")
	for path, name := range map[string]string{usual: "usual", other: "other"} {
		if err := os.WriteFile(path, []byte("[network]\nname = \""+name+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FLATNET_CONFIG", usual)
	for entry, want := range map[string]string{
		`{"type":"flatnet"}`:                         "usual usual",
		`{"name":"own"}`:                             "own usual",
		`{"config":"` + other + `"}`:                 "other other",
		`{"config":"` + other + `","name":"own"}`:    "own other",
		`{"config":"other.toml"}`:                    "error",
		`{"config":"/nowhere.toml"}`:                 "error",
		`{"config":3}`:                               "error",
		`{"config":"` + other + `","no such": true}`: "error",
	} {
		c, file, err := config.LoadNetConf([]byte(entry))
		got := c.Network.Name + " " + file.Network.Name
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s gives %q, want %q", entry, got, want)
		}
	}
}

// A mistake that only the console meets keeps no container from starting.
func TestLoadNetConfSparesTheConsolesTables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flatnet.toml")
	t.Setenv("FLATNET_CONFIG", file)
	for text, good := range map[string]bool{
		"[[gateway.site]]\nhots = \"a.local\"":                                true,
		"[gateway]\nlisten = 3\n[probes]\ninterval = \"never\"\n[tui]\nx = 1": true,
		"[gateway]\nlisten = 3\n[network]\nmtu = \"big\"":                     false,
		"[gatway]\nlisten = \"0.0.0.0:80\"":                                   false,
		"mtu = 1400\n[gateway]\nlisten = 3":                                   false,
		"[gateway]\nlisten = ":                                                false,
	} {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := config.LoadNetConf([]byte(`{"mtu":1300}`)); (err == nil) != good {
			t.Errorf("for the plugin %q is %v", text, err)
		}
		if _, err := config.Load(""); err == nil {
			t.Errorf("for the console %q is good", text)
		}
	}
}

func FuzzApplyNetConf(f *testing.F) {
	f.Add([]byte(`{"cniVersion":"1.0.0","name":"flatnet","type":"flatnet","subnet":"10.1.0.0/16","ipam":{"sticky":false}}`))
	f.Add([]byte(`{"gateway":"10.87.1.3","range_start":"10.87.1.4","mtu":1}`))
	f.Fuzz(func(t *testing.T, entry []byte) {
		c, err := config.ApplyNetConf(config.Default(), entry)
		if err != nil {
			var problems *config.Error
			if !errors.As(err, &problems) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		n := c.Network
		if !n.Subnet.Contains(n.Gateway) || !n.Subnet.Contains(n.RangeStart) || !n.Subnet.Contains(n.RangeEnd) || n.RangeEnd.Less(n.RangeStart) {
			t.Errorf("impossible network %+v", n)
		}
	})
}
