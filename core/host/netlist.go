package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flatnet/core/config"
	"flatnet/core/say"
)

// NetworkList is what Podman knows the network by: a CNI network list, or
// netavark's file of the network.
type NetworkList struct {
	Path   string `json:"path"` // the one in use, or where it ought to be
	Exists bool   `json:"exists"`
	Ours   bool   `json:"ours"` // it calls our plugin
	// Problem is why Podman or the plugin cannot use it; "" if they can.
	Problem say.Text `json:"problem,omitempty"`
	// Differs lists what it says otherwise than our configuration.
	Differs []string `json:"differs,omitempty"`
	// Others are further ones for this network, which Podman passes over.
	Others []string `json:"others,omitempty"`
	Err    say.Text `json:"error,omitempty"` // why it could not be looked at
}

// described is a file that describes a network: its name, and how NetworkList
// takes it when it is the one in use.
type described struct {
	name string
	use  func(l *NetworkList)
}

// lookNetworkList finds the list that Podman uses for the network: of the
// *.conflist files in the order of their names the first with its name.
func lookNetworkList(dir string, c config.Config) NetworkList {
	return findNetwork(filepath.Join(dir, c.Network.Name+".conflist"), c.Network.Name, func(file string) (described, error) {
		li, err := readList(file)
		return described{li.Name, func(l *NetworkList) { l.useList(li, c) }}, err
	})
}

// findNetwork looks through the files of own's kind in its directory for the
// first that describes the network of that name. own is where it ought to be.
func findNetwork(own, name string, read func(file string) (described, error)) NetworkList {
	l := NetworkList{Path: own}
	dir := filepath.Dir(own)
	if _, err := os.ReadDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.Err = say.Of(err)
		return l
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"+filepath.Ext(own)))
	for _, file := range files {
		d, err := read(file)
		if err != nil && errors.Is(err, os.ErrPermission) {
			l.Err = say.Of(err)
		}
		switch {
		case err != nil && file == own && !l.Exists:
			l.Exists, l.Problem = true, say.Of(err)
		case err != nil || d.name != name:
		case l.Exists && l.Problem == "":
			l.Others = append(l.Others, file)
		default:
			l.Path, l.Exists, l.Problem = file, true, ""
			d.use(&l)
		}
	}
	return l
}

// list is a CNI network list as far as it matters here (CNI specification,
// section 1, "Configuration objects").
type list struct {
	Name     string            `json:"name"`
	Version  string            `json:"cniVersion"`
	Versions []string          `json:"cniVersions"` // since 1.1: the caller picks one
	Plugins  []json.RawMessage `json:"plugins"`
}

func readList(file string) (list, error) {
	data, err := readBounded(file)
	if err != nil {
		return list{}, err
	}
	var l list
	if err := json.Unmarshal(data, &l); err != nil {
		return list{}, say.Errorf("not a JSON network list: %w", err)
	}
	if l.Name == "" || len(l.Plugins) == 0 {
		return list{}, say.New("not a network list: it needs a name and plugins")
	}
	return l, nil
}

// useList looks at what a network list asks for.
func (l *NetworkList) useList(li list, c config.Config) {
	entry, ok := li.ours()
	if !ok {
		return
	}
	l.Ours = true
	if spoken := config.CNIVersions(); len(li.Versions) == 0 && !slices.Contains(spoken, li.Version) {
		l.Problem = say.F("its cniVersion is %q, and the plugin speaks %s", li.Version, strings.Join(spoken, ", "))
		return
	}
	asked, _, err := config.LoadNetConf(entry)
	if err != nil {
		l.Problem = say.Of(err)
		return
	}
	l.Differs = differences(asked, c)
}

// ours gives the last entry that calls our plugin, as the plugin gets it: with
// the list's name in it.
func (li list) ours() (entry []byte, ok bool) {
	for _, e := range li.Plugins {
		var keys map[string]any
		if json.Unmarshal(e, &keys) != nil || keys["type"] != PluginName {
			continue
		}
		keys["name"] = li.Name
		if text, err := json.Marshal(keys); err == nil {
			entry, ok = text, true
		}
	}
	return entry, ok
}

// differences names the keys that decide where containers are and who gets
// which address, and that differ.
func differences(there, here config.Config) []string {
	var out []string
	differ := func(key string, a, b any) {
		if a != b {
			out = append(out, fmt.Sprintf("%s is %v there, %v here", key, a, b))
		}
	}
	differ("bridge", there.Network.Bridge, here.Network.Bridge)
	differ("subnet", there.Network.Subnet, here.Network.Subnet)
	differ("gateway", there.Network.Gateway, here.Network.Gateway)
	differ("range_start", there.Network.RangeStart, here.Network.RangeStart)
	differ("range_end", there.Network.RangeEnd, here.Network.RangeEnd)
	differ("state_dir", there.IPAM.StateDir, here.IPAM.StateDir)
	return out
}
