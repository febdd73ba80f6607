package host

import (
	"path/filepath"
	"slices"

	"github.com/BurntSushi/toml"
)

// settings are where Podman looks for plugins and network lists.
type settings struct {
	pluginDirs []string
	networkDir string
}

// defaults of Podman 4.3 for root (containers/common, pkg/config).
func defaults() settings {
	return settings{
		pluginDirs: []string{
			"/usr/local/libexec/cni", "/usr/libexec/cni", "/usr/local/lib/cni", "/usr/lib/cni", "/opt/cni/bin",
		},
		networkDir: "/etc/cni/net.d",
	}
}

// readSettings reads containers.conf as Podman does: only the named file if
// there is one, else the distribution's, then the administrator's. A
// file that is missing or wrong changes nothing here; Podman complains of it.
func readSettings(only string) settings {
	s := defaults()
	files := []string{only}
	if only == "" {
		files = []string{"/usr/share/containers/containers.conf", "/etc/containers/containers.conf"}
		more, _ := filepath.Glob("/etc/containers/containers.conf.d/*.conf")
		files = append(files, more...)
	}
	for _, f := range files {
		if data, err := readBounded(f); err == nil {
			s.apply(data)
		}
	}
	return s
}

func (s *settings) apply(data []byte) {
	var file struct {
		Network struct {
			PluginDirs []string `toml:"cni_plugin_dirs"`
			ConfigDir  string   `toml:"network_config_dir"`
		} `toml:"network"`
	}
	if toml.Unmarshal(data, &file) != nil {
		return
	}
	if dirs := slices.DeleteFunc(file.Network.PluginDirs, relative); len(dirs) > 0 {
		s.pluginDirs = dirs
	}
	if !relative(file.Network.ConfigDir) {
		s.networkDir = file.Network.ConfigDir
	}
}

func relative(path string) bool { return !filepath.IsAbs(path) }
