package host

import (
	"encoding/json"
	"path/filepath"

	"flatnet/core/config"
)

// List is a CNI network list that calls our plugin.
type List struct {
	Name, Path string
	Asked      config.Config // what the plugin makes of it
	File       config.Config // what the configuration file says without it
	Config     string        // the file that it names; "": the usual one
	Err        error         // why the plugin would refuse it
}

// Lists gives the CNI network lists that call our plugin, and the names of
// those that do not. Of several with one name the first counts, as Podman has
// it. Files that are no network lists are passed over.
func Lists(o Options) (ours []List, others []string) {
	files, _ := filepath.Glob(filepath.Join(o.settings().cni.networkDir, "*.conflist"))
	seen := map[string]bool{}
	for _, file := range files {
		li, err := readList(file)
		if err != nil || seen[li.Name] {
			continue
		}
		seen[li.Name] = true
		entry, ok := li.ours()
		if !ok {
			others = append(others, li.Name)
			continue
		}
		l := List{Name: li.Name, Path: file}
		l.Asked, l.File, l.Err = config.LoadNetConf(entry)
		var names struct {
			Config string `json:"config"`
		}
		if json.Unmarshal(entry, &names) == nil { // else LoadNetConf has refused it
			l.Config = names.Config
		}
		ours = append(ours, l)
	}
	return ours, others
}
