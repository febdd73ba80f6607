// Package linefile appends lines to a file in one piece each, rotates it by
// size, and reads such files backwards from the newest line. The journal and
// the plugin's log are such files. What a line holds is not its business.
//
// A line that was cut short (a crash, a full disk) loses only itself: the next
// one starts on a line of its own.
package linefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// File is a file of lines and its rotated predecessors: Path, Path.1 (newer)
// to Path.<Keep> (oldest).
type File struct {
	Path    string
	Mode    fs.FileMode
	MaxSize int64 // bytes from which it is rotated before the next line; 0: never
	Keep    int   // rotated files kept; 0: a full file is dropped
}

// Append writes text, which ends in a newline, with a single write(2).
// Rotation is the caller's: see Rotate. It makes the file if it is missing.
func (f File) Append(text []byte) error {
	file, err := f.open()
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// AppendWhole is Append for a caller that holds a lock which all writers take:
// it rotates first where that is due, and starts a new line if the last one
// was cut short. With durable it waits until the disk has it.
func (f File) AppendWhole(text []byte, durable bool) error {
	if err := f.rotateIfDue(); err != nil {
		return err
	}
	file, err := f.open()
	if err != nil {
		return err
	}
	cut, err := endsCut(file)
	if err == nil {
		if cut {
			text = append([]byte{'\n'}, text...)
		}
		_, err = file.Write(text)
	}
	if err == nil && durable {
		err = unix.Fdatasync(int(file.Fd()))
	}
	return errors.Join(err, file.Close())
}

func (f File) open() (*os.File, error) {
	return os.OpenFile(f.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, f.Mode)
}

// endsCut tells whether the last line has no newline.
func endsCut(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return last[0] != '\n', err
}

// RotateShared rotates, where that is due, a file whose writers take no lock.
// The lock is on the file itself: whoever finds it held, or finds that Path is
// another file by now, leaves the work to the other.
func (f File) RotateShared() error {
	info, err := os.Lstat(f.Path)
	if err != nil || !f.due(info) {
		return ignoreMissing(err)
	}
	file, err := os.OpenFile(f.Path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return ignoreMissing(err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil
		}
		return err
	}
	locked, err := file.Stat()
	if err != nil {
		return err
	}
	now, err := os.Lstat(f.Path)
	if err != nil || !os.SameFile(locked, now) {
		return ignoreMissing(err)
	}
	return f.shift()
}

func (f File) rotateIfDue() error {
	info, err := os.Lstat(f.Path)
	if err != nil || !f.due(info) {
		return ignoreMissing(err)
	}
	return f.shift()
}

func (f File) due(info fs.FileInfo) bool {
	return f.MaxSize > 0 && info.Size() >= f.MaxSize
}

// shift moves each file one further. It starts at the first free place, so
// that a shift which was broken off loses nothing when it is done again; only
// where all places are taken does the oldest go.
func (f File) shift() error {
	if f.Keep == 0 {
		return os.Remove(f.Path)
	}
	free := 1
	for free < f.Keep && exists(f.numbered(free)) {
		free++
	}
	for n := free; n >= 1; n-- {
		if err := os.Rename(f.numbered(n-1), f.numbered(n)); err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// numbered gives the path of the n-th older file; 0 is the newest.
func (f File) numbered(n int) string {
	if n == 0 {
		return f.Path
	}
	return fmt.Sprintf("%s.%d", f.Path, n)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
