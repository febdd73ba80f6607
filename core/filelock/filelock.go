// Package filelock is an exclusive lock between processes, held on a file by
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
)

// ErrHeld says that the lock stayed with someone else until the context ended.
var ErrHeld = errors.New("locked")

// holderLimit bounds what is read of a holder's name, in bytes.
const holderLimit = 200

// Lock is a held lock.
type Lock struct{ file *os.File }

// Acquire takes the lock at path, making the file (mode 0600) if it is
// missing, and writes the holder's name and process id into it. It waits in
// the kernel's queue until ctx ends; the error then wraps ErrHeld and names
// the holder. Other errors are those of opening the file.
func Acquire(ctx context.Context, path, holder string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, file); err != nil {
		return nil, err
	}
	l := &Lock{file: file}
	l.sign(fmt.Sprintf("%s (process %d)\n", holder, os.Getpid()))
	return l, nil
}

// Release gives the lock back. It may be called more than once.
func (l *Lock) Release() {
	l.sign("")
	_ = l.file.Close()
}

// sign writes who holds the lock. A full disk may prevent it; the lock holds
// all the same.
func (l *Lock) sign(text string) {
	_ = l.file.Truncate(0)
	_, _ = l.file.WriteAt([]byte(text), 0)
}

// lock takes the lock on file, or closes it.
func lock(ctx context.Context, file *os.File) error {
	fd := int(file.Fd())
	err := flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return closeUnless(err == nil, file, err)
	}
	taken := make(chan error, 1)
	go func() { taken <- flock(fd, unix.LOCK_EX) }()
	select {
	case err := <-taken:
		return closeUnless(err == nil, file, err)
	case <-ctx.Done():
		// flock cannot be called off: it is given back as soon as it is had.
		go func() { <-taken; _ = file.Close() }()
		return fmt.Errorf("%w by %s: %w", ErrHeld, holderOf(file), ctx.Err())
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
