package command_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/health"
	"flatnet/core/podman"
)

func machineFaults() map[string]fault {
	return map[string]fault{
		"configuration with an unknown key": {
			code: health.ConfigInvalid, severity: health.Fail,
			make: func(r *rig) { r.edit("mtu = 1400", "mtoo = 1400") },
			mend: func(r *rig) { r.edit("mtoo = 1400", "mtu = 1400") },
		},
		"disk full": {
			code: health.DiskFull, severity: health.Fail,
			make: func(r *rig) { r.smallDisk(1<<20, 1<<20) },
			mend: func(r *rig) { r.must(unix.Unmount(filepath.Dir(r.stateDir()), 0)) },
		},
		"disk nearly full": {
			code: health.DiskFull, severity: health.Warn,
			make: func(r *rig) { r.smallDisk(16<<20, 0) },
			mend: func(r *rig) { r.must(unix.Unmount(filepath.Dir(r.stateDir()), 0)) },
		},
		"clock set back": {
			code: health.ClockJumped, severity: health.Warn,
			make: func(r *rig) {
				later := time.Now().Add(time.Hour)
				r.must(os.Chtimes(filepath.Join(r.stateDir(), "allocations.json"), later, later))
			},
			mend: func(r *rig) { r.ahead = 2 * time.Hour },
		},
		"forwarding forgotten at the next boot": {
			code: health.IPForwardNotNextBoot, severity: health.Warn,
			make: func(r *rig) { r.remove("/run/sysctl.d/99-flatnet.conf") },
			mend: func(r *rig) { r.write("/run/sysctl.d/99-flatnet.conf", "net.ipv4.ip_forward=1\n") },
		},
		"forwarding switched off at the next boot": {
			code: health.IPForwardNotNextBoot, severity: health.Warn,
			make: func(r *rig) { r.write("/run/sysctl.d/99-zz.conf", "# ours\n net/ipv4/ip_forward = 0\n") },
			mend: func(r *rig) { r.remove("/run/sysctl.d/99-zz.conf") },
		},
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

// smallDisk puts the state onto a file system of that many bytes, filled but
// for what the state needs.
func (r *rig) smallDisk(size, fill int) {
	r.t.Helper()
	dir := filepath.Dir(r.stateDir())
	state, err := os.ReadFile(filepath.Join(r.stateDir(), "allocations.json"))
	r.must(err)
	r.must(unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)))
	r.t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	r.must(os.Mkdir(r.stateDir(), 0o700))
	r.must(os.WriteFile(filepath.Join(r.stateDir(), "allocations.json"), state, 0o600))
	if fill > 0 {
		r.must(os.WriteFile(filepath.Join(dir, "filler"), make([]byte, fill-(64<<10)), 0o600))
	}
}

func podmanFaults() map[string]fault {
	return map[string]fault{
		"Podman does not answer": {
			code: health.PodmanUnreachable, severity: health.Unknown,
			make: func(r *rig) { r.podman = podman.New(podman.Options{Socket: filepath.Join(r.dir, "nobody.sock")}) },
			mend: func(r *rig) { r.podman = standInPodman{r} },
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
	conf, program := filepath.Join(r.dir, backend+".conf"), filepath.Join(r.dir, "podman-"+backend)
	r.write(conf, fmt.Sprintf("[engine]\ncgroup_manager = \"cgroupfs\"\nruntime = \"runc\"\nhelper_binaries_dir = [%q]\n[network]\nnetwork_backend = %q\n", helpers, backend))
	r.write(program, fmt.Sprintf("#!/bin/sh\nCONTAINERS_CONF=%s exec podman --root %s/root --runroot %s/run --storage-driver vfs \"$@\"\n", conf, store, store))
	r.chmod(program, 0o755)
	return podman.New(podman.Options{Socket: filepath.Join(r.dir, "nobody.sock"), Program: program, Timeout: 30 * time.Second})
}
