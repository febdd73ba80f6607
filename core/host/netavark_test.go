package host

import (
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/config"
)

// made is a network of ours as Podman 5.4.2 keeps it, after "podman network
// create -d flatnet flatnet".
const made = `{"name":"flatnet","id":"4539f5d0","driver":"flatnet","network_interface":"flatnet-br0","created":"2026-11-25T17:57:33Z",
	"subnets":[{"subnet":"10.87.1.0/24","gateway":"10.87.1.1"}],"ipv6_enabled":false,"internal":false,"dns_enabled":false,"ipam_options":{"driver":"none"}}`

func TestNetworkOfNetavark(t *testing.T) {
	t.Setenv("FLATNET_CONFIG", "")
	other := filepath.Join(t.TempDir(), "other.toml")
	write(t, other, "[ipam]\nstate_dir = \"/elsewhere\"\n")
	change := func(old, replacement string) map[string]string {
		return map[string]string{"flatnet": strings.Replace(made, old, replacement, 1)}
	}
	for name, tt := range map[string]struct {
		files map[string]string
		check func(NetworkList) bool
	}{
		"none": {nil, func(l NetworkList) bool {
			return !l.Exists && l.Err == "" && strings.HasSuffix(l.Path, "/flatnet.json")
		}},
		"ours":           {map[string]string{"flatnet": made}, func(l NetworkList) bool { return l.Ours && l.Problem == "" && l.Differs == nil }},
		"another":        {map[string]string{"x": strings.Replace(made, `"flatnet"`, `"x"`, 1)}, func(l NetworkList) bool { return !l.Exists }},
		"of bridge":      {change(`"driver":"flatnet"`, `"driver":"bridge"`), func(l NetworkList) bool { return l.Exists && !l.Ours }},
		"broken":         {map[string]string{"flatnet": "{"}, func(l NetworkList) bool { return l.Exists && l.Problem != "" }},
		"without a name": {map[string]string{"flatnet": "{}"}, func(l NetworkList) bool { return strings.Contains(l.Problem.String(), "no name") }},
		"Podman's IPAM":  {change(`"none"`, `"host-local"`), func(l NetworkList) bool { return strings.Contains(l.Problem.String(), "Podman chooses its addresses") }},
		"another subnet": {change("10.87.1.0/24", "10.87.1.0/25"), func(l NetworkList) bool {
			return strings.Contains(l.Problem.String(), "10.87.1.0/24 in the configuration")
		}},
		"another state":  {change(`"driver":`, `"options":{"config":"`+other+`"},"driver":`), func(l NetworkList) bool { return len(l.Differs) == 1 && strings.Contains(l.Differs[0], "/elsewhere") }},
		"no such config": {change(`"driver":`, `"options":{"config":"/nowhere.toml"},"driver":`), func(l NetworkList) bool { return strings.Contains(l.Problem.String(), "/nowhere.toml") }},
		"there twice":    {map[string]string{"flatnet": made, "copy": made}, func(l NetworkList) bool { return l.Ours && len(l.Others) == 1 }},
	} {
		dir := t.TempDir()
		for file, text := range tt.files {
			write(t, filepath.Join(dir, file+".json"), text)
		}
		if got := lookNetwork(dir, config.Default()); !tt.check(got) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzNetworkOfNetavark(f *testing.F) {
	f.Add([]byte(made))
	dir := f.TempDir()
	f.Setenv("FLATNET_CONFIG", "")
	f.Fuzz(func(t *testing.T, text []byte) {
		write(t, filepath.Join(dir, "flatnet.json"), string(text))
		if l := lookNetwork(dir, config.Default()); !l.Exists && len(l.Others) > 0 {
			t.Errorf("%+v", l)
		}
	})
}
