package command_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"flatnet/core/health"
	"flatnet/core/podman"
	podman5tree "flatnet/testdata/podman5"
)

// installedFaults are of what Podman needs to call the plugin through CNI.
func installedFaults() map[string]fault {
	return map[string]fault{
		"plugin missing": {
			code: health.PluginMissing, severity: health.Fail,
			make: func(r *rig) { r.remove(r.plugin()) },
			mend: (*rig).installPlugin,
		},
		"plugin not executable": {
			code: health.PluginNotExecutable, severity: health.Fail,
			make: func(r *rig) { r.chmod(r.plugin(), 0o644) },
			mend: (*rig).installPlugin,
		},
		"plugin of another version": {
			code: health.PluginOtherVersion, severity: health.Warn,
			make: func(r *rig) {
				r.write(r.plugin(), "#!/bin/sh\necho flatnet v0.0.1 puts containers on a bridge >&2\nexit 2\n")
			},
			mend: func(r *rig) { r.remove(r.plugin()); r.installPlugin() },
		},
		"plugin that says nothing": {
			code: health.PluginOtherVersion, severity: health.Warn,
			make: func(r *rig) { r.write(r.plugin(), "#!/bin/sh\nexit 0\n") },
			mend: func(r *rig) { r.remove(r.plugin()); r.installPlugin() },
		},
		"plugin that was cut off": {
			code: health.PluginNotExecutable, severity: health.Fail,
			make: func(r *rig) { r.write(r.plugin(), "\x7fELF\x02\x01\x01") },
			mend: func(r *rig) { r.remove(r.plugin()); r.installPlugin() },
		},
		"plugin that hangs": {
			code: health.PluginOtherVersion, severity: health.Unknown,
			make: func(r *rig) { r.write(r.plugin(), "#!/bin/sh\nexec sleep 60\n") },
			mend: func(r *rig) { r.remove(r.plugin()); r.installPlugin() },
		},
		"no network list": {
			code: health.NetworkListMissing, severity: health.Fail,
			make: func(r *rig) { r.remove(r.list("flatnet")) },
			mend: (*rig).installList,
		},
		"network list that is not JSON": {
			code: health.NetworkListInvalid, severity: health.Fail,
			make: func(r *rig) { r.write(r.list("flatnet"), `{"name": "flatnet",`) },
			mend: (*rig).installList,
		},
		"network list with a wrong key": {
			code: health.NetworkListInvalid, severity: health.Fail,
			make: func(r *rig) {
				r.write(r.list("flatnet"), `{"cniVersion":"1.0.0","name":"flatnet","plugins":[{"type":"flatnet","subnet":"everything"}]}`)
			},
			mend: (*rig).installList,
		},
		"network list of a CNI version that is not spoken": {
			code: health.NetworkListInvalid, severity: health.Fail,
			make: func(r *rig) { r.replace(r.list("flatnet"), `"1.0.0"`, `"0.3.1"`) },
			mend: (*rig).installList,
		},
		"network list shadowed by a foreign one": {
			code: health.NetworkListShadowed, severity: health.Fail,
			make: func(r *rig) {
				r.write(r.list("00-other"), `{"cniVersion":"1.0.0","name":"flatnet","plugins":[{"type":"bridge"}]}`)
			},
			mend: func(r *rig) { r.remove(r.list("00-other")) },
		},
		"network list there twice": {
			code: health.NetworkListShadowed, severity: health.Warn,
			make: func(r *rig) {
				text, err := os.ReadFile(r.list("flatnet"))
				r.must(err)
				r.write(r.list("zz-copy"), string(text))
			},
			mend: func(r *rig) { r.remove(r.list("zz-copy")) },
		},
		"network list for another subnet": {
			code: health.NetworkListDiffers, severity: health.Warn,
			make: func(r *rig) {
				r.replace(r.list("flatnet"), `"type":"flatnet"`, `"type":"flatnet","subnet":"10.99.0.0/24","gateway":"10.99.0.1","range_start":"10.99.0.2","range_end":"10.99.0.254"`)
			},
			mend: (*rig).installList,
		},
	}
}

// netavarkFaults are of what Podman needs to call it through netavark.
func netavarkFaults() map[string]fault {
	all := map[string]fault{
		"netavark: plugin missing": {
			code: health.PluginMissing, severity: health.Fail,
			make: func(r *rig) { r.move(r.plugin(), filepath.Join(r.pluginDir("cni"), "flatnet")) },
			mend: (*rig).installPlugin,
		},
		"netavark: plugin not executable": {
			code: health.PluginNotExecutable, severity: health.Fail,
			make: func(r *rig) { r.chmod(r.plugin(), 0o644) },
			mend: (*rig).installPlugin,
		},
		"netavark: plugin of another version": {
			code: health.PluginOtherVersion, severity: health.Warn,
			make: func(r *rig) {
				r.write(r.plugin(), "#!/bin/sh\necho flatnet v0.0.1 puts containers on a bridge >&2\nexit 2\n")
			},
			mend: func(r *rig) { r.remove(r.plugin()); r.installPlugin() },
		},
		"netavark: no network": {
			code: health.NetworkListMissing, severity: health.Fail,
			make: func(r *rig) { r.remove(r.network("flatnet")) },
			mend: (*rig).installNetwork,
		},
		"netavark: network of another driver": {
			code: health.NetworkListShadowed, severity: health.Fail,
			make: func(r *rig) { r.replace(r.network("flatnet"), `"driver":"flatnet"`, `"driver":"bridge"`) },
			mend: (*rig).installNetwork,
		},
		"netavark: network there twice": {
			code: health.NetworkListShadowed, severity: health.Warn,
			make: func(r *rig) {
				text, err := os.ReadFile(r.network("flatnet"))
				r.must(err)
				r.write(r.network("zz-copy"), string(text))
			},
			mend: func(r *rig) { r.remove(r.network("zz-copy")) },
		},
		"netavark: network with Podman's addresses": {
			code: health.NetworkListInvalid, severity: health.Fail,
			make: func(r *rig) { r.replace(r.network("flatnet"), `"none"`, `"host-local"`) },
			mend: (*rig).installNetwork,
		},
		"netavark: network of another subnet": {
			code: health.NetworkListInvalid, severity: health.Fail,
			make: func(r *rig) { r.replace(r.network("flatnet"), "10.87.1.0/24", "10.87.1.0/25") },
			mend: (*rig).installNetwork,
		},
		"netavark: network that is not JSON": {
			code: health.NetworkListInvalid, severity: health.Fail,
			make: func(r *rig) { r.write(r.network("flatnet"), `{"name":`) },
			mend: (*rig).installNetwork,
		},
		"netavark: network with another configuration": {
			code: health.NetworkListDiffers, severity: health.Warn,
			make: func(r *rig) {
				other := filepath.Join(r.dir, "other.toml")
				r.write(other, "[ipam]\nstate_dir = \"/elsewhere\"\n")
				r.replace(r.network("flatnet"), r.conf, other)
			},
			mend: (*rig).installNetwork,
		},
	}
	for name, f := range all {
		f.on = podman5
		all[name] = f
	}
	return all
}

func podmanFaults() map[string]fault {
	return map[string]fault{
		"Podman does not answer": {
			code: health.PodmanUnreachable, severity: health.Unknown,
			make: func(r *rig) { r.podman = podman.New(podman.Options{Socket: filepath.Join(r.dir, "nobody.sock")}) },
			mend: func(r *rig) { r.podman = standInPodman{r} },
		},
		"Podman's settings with a mistake": {
			code: health.PodmanSettings, severity: health.Fail,
			make: func(r *rig) { r.replace(r.containersConf(), "[network]\n", "[network\n") },
			mend: func(r *rig) { r.replace(r.containersConf(), "[network\n", "[network]\n") },
		},
		"Podman 5 that is to use CNI": {
			code: health.PodmanWithoutCNI, severity: health.Fail, on: podman5,
			make: func(r *rig) {
				r.podman = realInfo{standInPodman{r}, r.realPodman5()}
				r.replace(r.containersConf(), "[network]\n", "[network]\nnetwork_backend = \"cni\"\n")
			},
			mend: func(r *rig) { r.replace(r.containersConf(), "network_backend = \"cni\"\n", "") },
		},
		"Podman with netavark": {
			code: health.PodmanNotCNI, severity: health.Fail,
			make: func(r *rig) { r.podman = realInfo{standInPodman{r}, r.realPodman("netavark")} },
			mend: func(r *rig) { r.podman = realInfo{standInPodman{r}, r.realPodman("cni")} },
		},
	}
}

// realInfo is the stand-in's containers with what the real Podman says of
// itself.
type realInfo struct {
	standInPodman
	real podman.Client
}

func (p realInfo) Info(ctx context.Context) (podman.Info, error) { return p.real.Info(ctx) }

// realPodman is Debian's Podman with an empty store and that network backend.
// It only asks whether there is a program netavark.
func (r *rig) realPodman(backend string) podman.Client {
	r.t.Helper()
	helpers := filepath.Join(r.dir, "helpers")
	r.must(os.MkdirAll(helpers, 0o755))
	r.write(filepath.Join(helpers, "netavark"), "#!/bin/sh\n")
	r.chmod(filepath.Join(helpers, "netavark"), 0o755)
	store, err := os.MkdirTemp("/run", "podman-") // Podman wants a short path
	r.must(err)
	conf := filepath.Join(r.dir, backend+".conf")
	r.write(conf, fmt.Sprintf("[engine]\ncgroup_manager = \"cgroupfs\"\nruntime = \"runc\"\nhelper_binaries_dir = [%q]\n[network]\nnetwork_backend = %q\n", helpers, backend))
	return r.askPodman("podman-"+backend, "CONTAINERS_CONF="+conf+" exec podman", store)
}

// realPodman5 is Debian 13's Podman with an empty store and the rig's settings.
// It sees /run alone of this machine.
func (r *rig) realPodman5() podman.Client {
	r.t.Helper()
	store, err := os.MkdirTemp("/run", "podman5-")
	r.must(err)
	enter := podman5tree.Enter(r.t)
	shared := filepath.Join(store, "containers.conf")
	return r.askPodman("podman5", fmt.Sprintf("cp %s %s; CONTAINERS_CONF=%[2]s exec %s podman", r.containersConf(), shared, enter), store)
}

// askPodman gives a client of the Podman that a shell command starts.
func (r *rig) askPodman(name, start, store string) podman.Client {
	program := filepath.Join(r.dir, name)
	r.write(program, fmt.Sprintf("#!/bin/sh\n%s --root %s/root --runroot %s/run --storage-driver vfs \"$@\"\n", start, store, store))
	r.chmod(program, 0o755)
	return podman.New(podman.Options{Socket: filepath.Join(r.dir, "nobody.sock"), Program: program, Timeout: 30 * time.Second})
}
