package ipam

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"flatnet/core"
	"flatnet/core/say"
)

// spareName is the file that the next state is written to before it takes the
// place of the present one, which then becomes the spare: the two take turns.
// The disk finds room for neither each time, which halves the time of a change
// of a large state.
const spareName = "." + FileName + ".spare"

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

func (f *FileStore) dirProblem(what, hint say.Text) error {
	return &core.OpError{
		Op: "keep leases in", Target: f.dir,
		Err: say.Errorf("%w: %s", ErrNotReadable, what), Hint: hint,
	}
}

// fileError says which file operation failed, as one of our sentinels.
func (f *FileStore) fileError(op say.Text, name string, err error) error {
	e := &core.OpError{Op: op, Target: filepath.Join(f.dir, name), Err: err}
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		e.Err = say.Errorf("%w: %w", ErrNoSpace, err)
		e.Hint = say.F("make room on the disk of %s", f.dir)
	case errors.Is(err, unix.EROFS):
		e.Err = say.Errorf("%w: %w", ErrNotReadable, err)
		e.Hint = say.F("mount the disk of %s writable", f.dir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENOTDIR):
		e.Err = say.Errorf("%w: %w", ErrNotReadable, err)
		e.Hint = "run as root"
	default:
		e.Err = say.Errorf("%w: %w", ErrNotReadable, err)
		e.Hint = say.F("see whether the disk of %s is in order (dmesg)", f.dir)
	}
	return e
}

// writeSpare writes the next state beside the present one, and waits until the
// disk has it.
func (f *FileStore) writeSpare(write func(io.Writer) error) error {
	path := filepath.Join(f.dir, spareName)
	file, err := openSpare(path)
	if err != nil {
		return err
	}
	if err := fill(file, write); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := unix.Fdatasync(int(file.Fd())); err != nil {
		// What is in it may never reach the disk: nobody is to build on it.
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	return file.Close()
}

// fill gives the file its new content. Where the disk has no room for it, the
// file keeps the room that it had: a DEL needs no more.
func fill(file *os.File, write func(io.Writer) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	over := overwriter{file: file, there: make([]byte, 16<<10)}
	if err := write(&over); err != nil {
		return errors.Join(err, file.Truncate(info.Size()))
	}
	return file.Truncate(over.at)
}

// overwriter writes a file from where it becomes another one. The spare is the
// state before the present one: mostly the two begin alike, and what is not
// written does not have to go to the disk.
type overwriter struct {
	file  *os.File
	at    int64
	there []byte // what is compared next; nil: they differed
}

func (o *overwriter) Write(p []byte) (int, error) {
	begin := o.at
	for o.there != nil && o.at < begin+int64(len(p)) {
		rest := p[o.at-begin:]
		part := o.there[:min(len(o.there), len(rest))]
		if _, err := o.file.ReadAt(part, o.at); err != nil || !bytes.Equal(part, rest[:len(part)]) {
			o.there = nil
			break
		}
		o.at += int64(len(part))
	}
	same := int(o.at - begin)
	n, err := o.file.WriteAt(p[same:], o.at)
	o.at += int64(n)
	return same + n, err
}

// tryWriting writes as much as a change needs at most that needs more room: a
// block each for state and journal. The file has no name and goes with its
// descriptor. Where the file system has no such files nothing is tried.
func (f *FileStore) tryWriting() error {
	const blocks = 2 * 4096
	file, err := os.OpenFile(f.dir, os.O_WRONLY|unix.O_TMPFILE, 0o600)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, blocks))
	return errors.Join(err, file.Close())
}

// openSpare opens the spare file to be written from its beginning, or makes a
// new one in its place.
func openSpare(path string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | unix.O_NOFOLLOW | unix.O_NONBLOCK
	file, err := os.OpenFile(path, flags, 0o600)
	if err == nil {
		if isOurs(file) {
			return file, nil
		}
		_ = file.Close()
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, flags|os.O_EXCL, 0o600)
}

// isOurs tells whether the spare may be overwritten: it has our rights, no
// second name (a bad file set aside has one, or somebody's copy), and nobody
// else has it open, such as an editor that opened it while it was the state.
// The kernel gives a lease to write only to one who is alone (fcntl(2)); on a
// file system without leases that cannot be told.
func isOurs(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || info.Mode() != 0o600 || st.Nlink != 1 {
		return false
	}
	if err := setLease(file, unix.F_WRLCK); err != nil {
		return !errors.Is(err, unix.EAGAIN)
	}
	return setLease(file, unix.F_UNLCK) == nil
}

// swap puts the spare file in the place of the present one, in one step, and
// waits until the disk has that too.
func (f *FileStore) swap() error {
	spare, present := filepath.Join(f.dir, spareName), f.path()
	err := unix.Renameat2(unix.AT_FDCWD, spare, unix.AT_FDCWD, present, unix.RENAME_EXCHANGE)
	if err != nil { // nothing to exchange with yet, or a file system that cannot
		err = os.Rename(spare, present)
	}
	if err != nil {
		return err
	}
	return f.syncDir()
}

func (f *FileStore) syncDir() error {
	dir, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
