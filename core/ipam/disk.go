package ipam

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"flatnet/core"
)

// tempName is where the next state is written before it takes the place of the
// old one. It is always the same, so that a killed call leaves at most one.
const tempName = "." + FileName + ".new"

// prepareDir makes the state directory, or checks the one that is there: it
// must be a directory of ours, not a link to one, that nobody else can write to.
func (f *FileStore) prepareDir() error {
	info, err := os.Lstat(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(f.dir, 0o700); err != nil {
			return f.fileError("make", "", err)
		}
		return nil
	}
	if err != nil {
		return f.fileError("use", "", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return f.dirProblem("it is not a directory", "give the directory itself, not a link, as ipam.state_dir")
	case !ok || int(owner.Uid) != os.Geteuid():
		return f.dirProblem("it belongs to another user", "run as its owner (root), or correct the owner")
	case info.Mode().Perm() != 0o700:
		if err := os.Chmod(f.dir, 0o700); err != nil {
			return f.fileError("close to others", "", err)
		}
	}
	return nil
}

func (f *FileStore) dirProblem(what, hint string) error {
	return &core.OpError{
		Op: "keep leases in", Target: f.dir,
		Err: fmt.Errorf("%w: %s", ErrNotReadable, what), Hint: hint,
	}
}

// fileError says which file operation failed, as one of our sentinels.
func (f *FileStore) fileError(op, name string, err error) error {
	e := &core.OpError{Op: op, Target: filepath.Join(f.dir, name), Err: err}
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		e.Err = fmt.Errorf("%w: %w", ErrNoSpace, err)
		e.Hint = "make room on the disk of " + f.dir
	case errors.Is(err, unix.EROFS):
		e.Err = fmt.Errorf("%w: %w", ErrNotReadable, err)
		e.Hint = "mount the disk of " + f.dir + " writable"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENOTDIR):
		e.Err = fmt.Errorf("%w: %w", ErrNotReadable, err)
		e.Hint = "run as root"
	}
	return e
}

// writeSynced writes text to a file of mode 0600 and waits until the disk has it.
func writeSynced(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
