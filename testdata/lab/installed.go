package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// containersConf is Podman's configuration file in the lab.
var containersConf = filepath.Join(labDir, "containers.conf")

// install puts what make install would into the lab's own places: the plugin,
// the network list, and forwarding for the next boot.
func install(plugin, configPath string) error {
	cni, lists, sysctls := filepath.Join(labDir, "cni"), filepath.Join(labDir, "net.d"), "/run/sysctl.d"
	for _, dir := range []string{cni, lists, sysctls} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink(plugin, filepath.Join(cni, "flatnet")); err != nil {
		return err
	}
	list, err := json.MarshalIndent(map[string]any{
		"cniVersion": "1.0.0", "name": "flatnet",
		"plugins": []any{map[string]any{"type": "flatnet", "config": configPath}},
	}, "", "  ")
	if err != nil {
		return err
	}
	files := map[string]string{
		filepath.Join(lists, "flatnet.conflist"):  string(list),
		filepath.Join(sysctls, "99-flatnet.conf"): "net.ipv4.ip_forward=1\n",
		containersConf: "[network]\nnetwork_backend = \"cni\"\ncni_plugin_dirs = [\"" + cni + "\"]\nnetwork_config_dir = \"" + lists + "\"\n",
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
