package host

import (
	"path/filepath"

	"github.com/BurntSushi/toml"

	"flatnet/core/say"
)

// place is where Podman looks for what one of its network backends needs.
type place struct {
	pluginDirs []string
	networkDir string
}

// settings are those of Podman's settings that matter here.
type settings struct {
	cni, netavark place
	backend       Backend
	problem       say.Text // of the last file that has a mistake; "": none has
}

// Backend is the network backend that Podman's settings ask for.
type Backend struct {
	Name string `json:"name,omitempty"` // "cni", "netavark"; "": Podman chooses
	File string `json:"file,omitempty"` // the file that says so
}

// defaults of Podman 4.3 and 5.4 for root (containers/common, pkg/config).
func defaults() settings {
	return settings{
		cni: place{
			pluginDirs: []string{
				"/usr/local/libexec/cni", "/usr/libexec/cni", "/usr/local/lib/cni", "/usr/lib/cni", "/opt/cni/bin",
			},
			networkDir: "/etc/cni/net.d",
		},
		netavark: place{
			pluginDirs: []string{
				"/usr/local/libexec/netavark", "/usr/libexec/netavark", "/usr/local/lib/netavark", "/usr/lib/netavark",
			},
			networkDir: "/etc/containers/networks",
		},
	}
}

// settings reads containers.conf as Podman does: only the named file if
// there is one, else the distribution's, then the administrator's. A file that
// is missing changes nothing; with one that has a mistake Podman does nothing.
func (o Options) settings() settings {
	s := defaults()
	s.cni.networkDir = filepath.Join(o.Root, s.cni.networkDir)
	s.netavark.networkDir = filepath.Join(o.Root, s.netavark.networkDir)
	for _, dirs := range [][]string{s.cni.pluginDirs, s.netavark.pluginDirs} {
		for i := range dirs {
			dirs[i] = filepath.Join(o.Root, dirs[i])
		}
	}
	files := []string{o.ContainersConf}
	if o.ContainersConf == "" {
		files = []string{filepath.Join(o.Root, "/usr/share/containers/containers.conf"), filepath.Join(o.Root, "/etc/containers/containers.conf")}
		more, _ := filepath.Glob(filepath.Join(o.Root, "/etc/containers/containers.conf.d/*.conf"))
		files = append(files, more...)
	}
	for _, f := range files {
		if data, err := readBounded(f); err == nil {
			s.apply(f, data)
		}
	}
	return s
}

func (s *settings) apply(path string, data []byte) {
	var file struct {
		Network struct {
			CNI       []any  `toml:"cni_plugin_dirs"`
			Netavark  []any  `toml:"netavark_plugin_dirs"`
			ConfigDir string `toml:"network_config_dir"`
			Backend   string `toml:"network_backend"`
		} `toml:"network"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		s.problem = say.F("%s: %w", path, err)
		return
	}
	n := file.Network
	s.cni.pluginDirs = dirs(s.cni.pluginDirs, n.CNI)
	s.netavark.pluginDirs = dirs(s.netavark.pluginDirs, n.Netavark)
	if filepath.IsAbs(n.ConfigDir) { // whichever backend it is
		s.cni.networkDir, s.netavark.networkDir = n.ConfigDir, n.ConfigDir
	}
	if n.Backend != "" {
		s.backend = Backend{Name: n.Backend, File: path}
	}
}

// dirs gives what a list of directories makes of those before it. A list takes
// their place, or comes after them if it holds {append=true} (containers.conf(5)).
func dirs(before []string, list []any) []string {
	var named []string
	var more bool
	for _, item := range list {
		switch item := item.(type) {
		case string:
			if filepath.IsAbs(item) {
				named = append(named, item)
			}
		case map[string]any:
			more = item["append"] == true
		}
	}
	switch {
	case more:
		return append(before[:len(before):len(before)], named...)
	case len(named) == 0:
		return before
	}
	return named
}
