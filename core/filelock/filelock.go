// Package filelock is a lock between processes, held on a file by
// flock(2): the kernel frees it when its holder ends, however it ends. The
// file says who holds it, so that whoever waits can tell.
//
// It protects nothing from programs that do not take the lock.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// ErrHeld says that the lock stayed with someone else until the context ended.
var ErrHeld = say.New("the lock is held")

// heldError names the holder. How the wait ended is for programs, not for
// people to read.
type heldError struct {
	holder string
	ended  error
}

func (e heldError) Error() string { return "held by " + e.holder }

func (e heldError) Unwrap() []error { return []error{ErrHeld, e.ended} }

// holderLimit bounds what is read of a holder's name, in bytes.
const holderLimit = 200

// Lock is a held lock.
type Lock struct {
	file   *os.File
	signed bool
	cutOff bool
}

// Acquire takes the lock at path, making the file (mode 0600) if it is
// missing, and writes the holder's name and process id into it. It waits in
// the kernel's queue until ctx ends; the error then wraps ErrHeld and names
// the holder. Other errors are those of opening the file.
func Acquire(ctx context.Context, path, holder string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, file, unix.LOCK_EX); err != nil {
		return nil, err
	}
	l := &Lock{file: file, signed: true, cutOff: isSigned(file)}
	l.sign(fmt.Sprintf("%s (process %d)\n", holder, os.Getpid()))
	return l, nil
}

// Share takes the lock at path together with others who share it, and keeps
// out those who Acquire it. It does not make the file: that the lock is
// missing is an fs.ErrNotExist.
func Share(ctx context.Context, path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, file, unix.LOCK_SH); err != nil {
		return nil, err
	}
	return &Lock{file: file}, nil
}

// Held tells whether somebody holds the lock at path that Acquire takes. An
// fs.ErrNotExist: nobody ever did.
func Held(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	err = flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// CutOff tells of a Lock from Acquire whether its last holder never came to
// Release it: it was killed, or the power went.
func (l *Lock) CutOff() bool { return l.cutOff }

// Release gives the lock back. It may be called more than once, and on nil.
func (l *Lock) Release() {
	if l == nil {
		return
	}
	if l.signed {
		l.sign("")
	}
	_ = l.file.Close()
}

// sign writes who holds the lock. A full disk may prevent it; the lock holds
// all the same.
func (l *Lock) sign(text string) {
	_ = l.file.Truncate(0)
	_, _ = l.file.WriteAt([]byte(text), 0)
}

func isSigned(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Size() > 0
}

// lock takes the lock on file, or closes it.
func lock(ctx context.Context, file *os.File, how int) error {
	fd := int(file.Fd())
	err := flock(fd, how|unix.LOCK_NB)
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return closeUnless(err == nil, file, err)
	}
	taken := make(chan error, 1)
	go func() { taken <- flock(fd, how) }()
	select {
	case err := <-taken:
		return closeUnless(err == nil, file, err)
	case <-ctx.Done():
		// flock cannot be called off: the lock is given back as soon as it is had.
		go func() { _ = closeUnless(false, file, <-taken) }()
		return heldError{holderOf(file), ctx.Err()}
	}
}

func closeUnless(ok bool, file *os.File, err error) error {
	if !ok {
		_ = file.Close()
	}
	return err
}

// flock is flock(2), started again when a signal interrupts it.
func flock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func holderOf(file *os.File) string {
	b, _ := io.ReadAll(io.NewSectionReader(file, 0, holderLimit))
	who := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, string(b)))
	if who == "" {
		return "another program"
	}
	return who
}
