package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/health"
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
			mend: func(r *rig) { r.ownDisk() },
		},
		"disk nearly full": {
			code: health.DiskFull, severity: health.Warn,
			make: func(r *rig) { r.smallDisk(16<<20, 0) },
			mend: func(r *rig) { r.ownDisk() },
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
	}
}

// smallDisk puts the state onto a file system of that many bytes, filled but
// for what the state needs.
func (r *rig) smallDisk(size, fill int) {
	r.t.Helper()
	dir := filepath.Dir(r.stateDir())
	state, err := os.ReadFile(filepath.Join(r.stateDir(), "allocations.json"))
	r.must(err)
	r.stopNames() // its lock is on the disk
	r.must(unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)))
	r.t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	r.must(os.Mkdir(r.stateDir(), 0o700))
	r.must(os.WriteFile(filepath.Join(r.stateDir(), "allocations.json"), state, 0o600))
	r.answerNames()
	if fill > 0 {
		r.must(os.WriteFile(filepath.Join(dir, "filler"), make([]byte, fill-(64<<10)), 0o600))
	}
}

// ownDisk ends smallDisk.
func (r *rig) ownDisk() {
	r.t.Helper()
	r.stopNames()
	r.must(unix.Unmount(filepath.Dir(r.stateDir()), 0))
	r.answerNames()
}
