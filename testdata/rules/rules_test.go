// Package rules_test holds the directions between packages that the design rests
// on, each with its reason.
package rules_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rule forbids packages below from to reach any package below one of never.
type rule struct {
	from   string
	except []string // below from, and allowed
	never  []string
	direct bool // only what it imports itself
	why    string
}

var directions = []rule{
	{
		from:  "flatnet/core",
		never: []string{"flatnet/tui", "flatnet/plugin", "flatnet/probes", "flatnet/themes"},
		why:   "core is under both programs and serves either",
	},
	{
		from:  "flatnet/core",
		never: []string{"charm.land/", "github.com/charmbracelet/", "github.com/spf13/cobra", "github.com/containernetworking/cni/pkg/skel"},
		why:   "core decides what is so, not how it is shown or asked for",
	},
	{
		from:  "flatnet/probes",
		never: []string{"flatnet/core", "flatnet/tui", "flatnet/plugin", "flatnet/themes"},
		why:   "probes stand alone: they measure what they are told to",
	},
	{
		from:  "flatnet/themes",
		never: []string{"flatnet/core", "flatnet/tui", "flatnet/plugin", "flatnet/probes"},
		why:   "a theme is a file of colours",
	},
	{
		from:  "flatnet/plugin",
		never: []string{"flatnet/tui", "charm.land/", "github.com/charmbracelet/", "github.com/spf13/cobra", "net/http", "github.com/miekg/dns"},
		why:   "Podman starts the plugin several times for each container: it must start in milliseconds",
	},
	{
		from:  "flatnet/core/attach",
		never: []string{"flatnet/core/podman", "flatnet/core/gateway", "flatnet/core/health"},
		why:   "a plugin that asks Podman waits for its own caller",
	},
	{
		from:  "flatnet/core/ipam",
		never: []string{"flatnet/core/podman", "flatnet/core/gateway", "flatnet/core/health"},
		why:   "who gets which address does not hang on what runs",
	},
	{
		from:  "flatnet/core/repair",
		never: []string{"flatnet/core/health"},
		why:   "a repair is told how to verify; findings name repairs, not the other way round",
	},
	{
		from:   "flatnet/tui",
		except: []string{"flatnet/tui/flatnet-tui"},
		never:  []string{"github.com/vishvananda/netlink", "golang.org/x/sys/unix"},
		direct: true,
		why:    "the console changes nothing by itself; core/kernel is the only caller of netlink",
	},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestDirections(t *testing.T) {
	packages := list(t)
	for _, r := range directions {
		seen := 0
		for _, p := range packages {
			if !below(p.ImportPath, r.from) || anyBelow(r.except, p.ImportPath) {
				continue
			}
			seen++
			reached := p.Deps
			if r.direct {
				reached = p.Imports
			}
			for _, d := range reached {
				if anyBelow(r.never, d) {
					t.Errorf("%s reaches %s, and must not: %s", p.ImportPath, d, r.why)
				}
			}
		}
		if seen == 0 {
			t.Errorf("no package below %s: the rule holds nothing", r.from)
		}
	}
}

// list gives every package of the module with all that it reaches.
func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "flatnet/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// below tells whether path is root or in it. A root that ends in a slash is a
// plain prefix.
func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

func anyBelow(roots []string, path string) bool {
	for _, r := range roots {
		if below(path, r) {
			return true
		}
	}
	return false
}
