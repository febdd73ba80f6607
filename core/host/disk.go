package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"flatnet/core/config"
	"flatnet/core/say"
)

// Disk is one file system that is written to.
type Disk struct {
	Path       string   `json:"path"` // the directory on it that is ours, or the nearest one above
	Free       uint64   `json:"free"` // bytes that an ordinary user may still write
	Total      uint64   `json:"total"`
	FreeInodes uint64   `json:"free_inodes"` // 0 of 0 where the file system counts none
	Inodes     uint64   `json:"inodes"`
	Err        say.Text `json:"error,omitempty"`
}

// lookDisks looks at each file system that state, log and gateway
// configuration are written to, once.
func lookDisks(c config.Config) []Disk {
	dirs := []string{c.IPAM.StateDir, filepath.Dir(c.Log.File), c.Gateway.ConfigDir}
	seen := map[uint64]bool{}
	var disks []Disk
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := existing(dir)
		d, device := lookDisk(path)
		if d.Err == "" && seen[device] {
			continue
		}
		seen[device] = true
		disks = append(disks, d)
	}
	return disks
}

// existing gives dir, or the nearest directory above that is there.
func existing(dir string) string {
	for dir != "/" {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

func lookDisk(path string) (d Disk, device uint64) {
	d.Path = path
	var fsys unix.Statfs_t
	var st unix.Stat_t
	if err := errors.Join(unix.Statfs(path, &fsys), unix.Stat(path, &st)); err != nil {
		d.Err = say.Of(err)
		return d, 0
	}
	size := uint64(fsys.Bsize)
	d.Free, d.Total = fsys.Bavail*size, fsys.Blocks*size
	d.FreeInodes, d.Inodes = fsys.Ffree, fsys.Files
	return d, st.Dev
}

// Clock compares the clock with what was written by it.
type Clock struct {
	Now    time.Time `json:"now"`
	Newest time.Time `json:"newest,omitzero"` // the latest time that our own files bear
	Of     string    `json:"of,omitempty"`    // the file that bears it
}

// lookClock finds the newest time on the files that plugin and console write.
func lookClock(c config.Config, now time.Time) Clock {
	clock := Clock{Now: now}
	for _, path := range []string{
		filepath.Join(c.IPAM.StateDir, "allocations.json"),
		filepath.Join(c.IPAM.StateDir, "journal.jsonl"),
		c.Log.File,
	} {
		if st, err := os.Stat(path); err == nil && st.ModTime().After(clock.Newest) {
			clock.Newest, clock.Of = st.ModTime(), path
		}
	}
	return clock
}
