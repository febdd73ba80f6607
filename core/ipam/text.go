package ipam

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// sizeLimit bounds what is read of a state file: 64 MiB, a /16 full of leases
// twice over.
const sizeLimit = 64 << 20

var (
	// errMissing says that there is no state file (yet).
	errMissing = say.New("no state file")
	// errNotPlain is a state file that is no regular file, or a huge one.
	errNotPlain = say.New("not a regular file of at most 64 MiB")
)

// stateText is the content of a state file. What is mapped ends with close.
type stateText struct {
	bytes  []byte
	mapped *os.File // nil: bytes are a copy
}

// copyText reads a state file.
func copyText(path string) (stateText, error) {
	file, _, err := openPlain(path)
	if err != nil {
		return stateText{}, err
	}
	text, err := readAll(file)
	return stateText{bytes: text}, errors.Join(err, file.Close())
}

// mapFrom is the size from which mapping a file costs less than copying it.
const mapFrom = 64 << 10

// mapText gives a state file and copies only a small one: the pages of a copy
// of 2,000 leases cost a fifth of an ADD. While the kernel's lease on the file
// holds (fcntl(2), File leases) nobody else can open it to write; whoever tries
// waits. After /proc/sys/fs/lease-break-time, 45 s, the kernel takes the lease
// away all the same: see changed and guard. Where there is no lease to be had, as
// on some file systems or while an editor has the file open, it is copied.
func mapText(path string) (stateText, error) {
	file, size, err := openPlain(path)
	if err != nil {
		return stateText{}, err
	}
	if size >= mapFrom && setLease(file, unix.F_RDLCK) == nil {
		if text, err := mapped(file); err == nil {
			return stateText{bytes: text, mapped: file}, nil
		}
		_ = setLease(file, unix.F_UNLCK)
	}
	text, err := readAll(file)
	return stateText{bytes: text}, errors.Join(err, file.Close())
}

func setLease(file *os.File, kind int) error {
	_, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, kind)
	return err
}

// mapped maps a file under a lease. All of it is read at once, so that a disk's
// error is met here.
func mapped(file *os.File) ([]byte, error) {
	info, err := file.Stat() // until now the size could change
	if err != nil {
		return nil, err
	}
	text, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	if err := unix.Madvise(text, unix.MADV_POPULATE_READ); err != nil {
		return nil, errors.Join(err, unix.Munmap(text))
	}
	return text, nil
}

// close ends the lease by name: a program that is being started in another
// goroutine has the descriptor too for a moment, and would keep the lease.
func (t stateText) close() {
	if t.mapped != nil {
		_ = unix.Munmap(t.bytes)
		_ = setLease(t.mapped, unix.F_UNLCK)
		_ = t.mapped.Close()
	}
}

// changed tells whether somebody wrote to what is mapped, whose checksum was
// right. The kernel says the same of one who waits as of one who did not have to.
func (t stateText) changed() bool {
	if t.mapped == nil {
		return false
	}
	kind, err := unix.FcntlInt(t.mapped.Fd(), unix.F_GETLEASE, 0)
	return (err != nil || kind != unix.F_RDLCK) && !isSummed(t.bytes)
}

// errMoved says that the state was changed while it was looked at.
var errMoved = say.New("somebody else wrote to it while this program stood still")

// guard calls f and makes errMoved of the fault that there is where somebody cut
// short what is mapped.
func (t stateText) guard(f func() error) (err error) {
	if t.mapped == nil {
		return f()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		fault := recover()
		if _, at := fault.(interface{ Addr() uintptr }); at {
			err = errMoved
		} else if fault != nil {
			panic(fault)
		}
	}()
	return f()
}

// openPlain opens a file that is one, and not too big.
func openPlain(path string) (file *os.File, size int64, err error) {
	file, err = os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.ELOOP):
		return nil, 0, errNotPlain
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, errMissing
	case err != nil:
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() > sizeLimit) {
		err = errNotPlain
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// readAll reads as much of a file as it says to have.
func readAll(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	text := make([]byte, info.Size())
	n, err := io.ReadFull(file, text)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return text[:n], err
}
