package ipam

import (
	"errors"
	"io"
	"io/fs"
	"os"

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
// of 2,000 leases cost a fifth of an ADD. What is mapped is as good as a copy,
// since the kernel keeps everyone from opening the file to write until close
// (fcntl(2), File leases). Where it cannot, as on some file systems or while an
// editor has the file open, it is copied.
func mapText(path string) (stateText, error) {
	file, size, err := openPlain(path)
	if err != nil {
		return stateText{}, err
	}
	if size >= mapFrom {
		if text, err := mapped(file); err == nil {
			return stateText{bytes: text, mapped: file}, nil
		}
	}
	text, err := readAll(file)
	return stateText{bytes: text}, errors.Join(err, file.Close())
}

// mapped maps a file that nobody else can change. All of it is read at
// once, so that a disk's error is met here.
func mapped(file *os.File) ([]byte, error) {
	if _, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
		return nil, err
	}
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

func (t stateText) close() {
	if t.mapped != nil {
		_ = unix.Munmap(t.bytes)
		_ = t.mapped.Close() // and with it the lease ends
	}
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
