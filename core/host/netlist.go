package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"flatnet/core/config"
)

// NetworkList is the CNI network list that Podman uses for the network.
type NetworkList struct {
	Path   string `json:"path"` // the one in use, or where it ought to be
	Exists bool   `json:"exists"`
	Ours   bool   `json:"ours"` // it calls our plugin
	// Problem is why Podman or the plugin cannot use it; "" if they can.
	Problem string `json:"problem,omitempty"`
	// Differs lists what it says otherwise than our configuration.
	Differs []string `json:"differs,omitempty"`
	// Others are further lists for this network, which Podman passes over.
	Others []string `json:"others,omitempty"`
	Err    string   `json:"error,omitempty"` // why it could not be looked at
}

// lookNetworkList finds the list that Podman uses for the network: of the
// *.conflist files in the order of their names the first with its name.
func lookNetworkList(dir string, c config.Config) NetworkList {
	l := NetworkList{Path: filepath.Join(dir, c.Network.Name+".conflist")}
	if _, err := os.ReadDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.Err = err.Error()
		return l
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.conflist"))
	own := l.Path
	for _, file := range files {
		li, err := readList(file)
		if err != nil && errors.Is(err, os.ErrPermission) {
			l.Err = err.Error()
		}
		switch {
		case err != nil && file == own && !l.Exists:
			l.Exists, l.Problem = true, err.Error()
		case err != nil || li.Name != c.Network.Name:
		case l.Exists && l.Problem == "":
			l.Others = append(l.Others, file)
		default:
			l.use(file, li, c)
		}
	}
	return l
}

// list is a CNI network list as far as it matters here (CNI specification,
// section 1, "Configuration objects").
type list struct {
	Name    string            `json:"name"`
	Plugins []json.RawMessage `json:"plugins"`
}

func readList(file string) (list, error) {
	data, err := readBounded(file)
	if err != nil {
		return list{}, err
	}
	var l list
	if err := json.Unmarshal(data, &l); err != nil {
		return list{}, fmt.Errorf("not a JSON network list: %w", err)
	}
	if l.Name == "" || len(l.Plugins) == 0 {
		return list{}, errors.New("not a network list: it needs a name and plugins")
	}
	return l, nil
}

// use makes file the list in use, and looks at what it asks for.
func (l *NetworkList) use(file string, li list, c config.Config) {
	l.Path, l.Exists, l.Problem = file, true, ""
	for _, entry := range li.Plugins {
		var p struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(entry, &p) != nil || p.Type != PluginName {
			continue
		}
		l.Ours = true
		asked, err := configOf(entry)
		if err != nil {
			l.Problem = err.Error()
			return
		}
		l.Differs = differences(asked.Network, c.Network)
		if asked.IPAM.StateDir != c.IPAM.StateDir {
			l.Differs = append(l.Differs, fmt.Sprintf("state_dir is %q there, %q here", asked.IPAM.StateDir, c.IPAM.StateDir))
		}
	}
}

// configOf is what the plugin makes of its entry.
func configOf(entry []byte) (config.Config, error) {
	file, err := config.NetConfFile(entry)
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(file)
	if err != nil {
		return config.Config{}, err
	}
	return config.ApplyNetConf(c, entry)
}

// differences names the keys of [network] that decide where containers are
// and that differ.
func differences(there, here config.Network) []string {
	var out []string
	differ := func(key string, a, b any) {
		if a != b {
			out = append(out, fmt.Sprintf("%s is %v there, %v here", key, a, b))
		}
	}
	differ("bridge", there.Bridge, here.Bridge)
	differ("subnet", there.Subnet, here.Subnet)
	differ("gateway", there.Gateway, here.Gateway)
	differ("range_start", there.RangeStart, here.RangeStart)
	differ("range_end", there.RangeEnd, here.RangeEnd)
	return out
}
