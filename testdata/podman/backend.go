package podman

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"flatnet/testdata/podman5"
)

// cni is this machine's Podman, told to use CNI whatever else is installed.
var cni = backend{
	program: "/usr/bin/podman",
	network: func(plugins, dir string) string {
		return fmt.Sprintf("network_backend = \"cni\"\ncni_plugin_dirs = [%q, \"/usr/lib/cni\"]\nnetwork_config_dir = %q\n", plugins, dir)
	},
	addNetwork: addNetworkList,
}

// addNetworkList writes a network list whose first entry is the plugin with
// these keys, and portmap after it.
func addNetworkList(p *Podman, name string, keys map[string]any) {
	p.t.Helper()
	keys["type"], keys["config"], keys["capabilities"] = "flatnet", p.Config, map[string]any{"aliases": true}
	list, err := json.MarshalIndent(map[string]any{
		"cniVersion": "1.0.0", "name": name,
		"plugins": []any{keys, map[string]any{"type": "portmap", "capabilities": map[string]any{"portMappings": true}}},
	}, "", "  ")
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(filepath.Join("net.d", name+".conflist"), string(list))
}

// NewNetavark is New for Podman 5 with its netavark backend (see podman5).
func NewNetavark(t testing.TB, o Options) *Podman {
	t.Helper()
	needRoot(t)
	return start(t, o, backend{
		program: podman5.Enter(t) + " /usr/bin/podman",
		network: func(plugins, dir string) string {
			return fmt.Sprintf("netavark_plugin_dirs = [%q]\nnetwork_config_dir = %q\n", plugins, dir)
		},
		addNetwork: createNetwork,
	})
}

// createNetwork has Podman make the network.
func createNetwork(p *Podman, name string, keys map[string]any) {
	p.t.Helper()
	args := []string{"network", "create", "--driver", "flatnet", "--opt", "config=" + p.Config}
	for key, option := range map[string]string{"subnet": "--subnet", "bridge": "--interface-name"} {
		if v, ok := keys[key].(string); ok {
			args = append(args, option, v)
		}
	}
	p.Run(append(args, name)...)
}
