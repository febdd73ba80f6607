package linefile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// Limits of reading: one line, and what is read at a time, in bytes.
const (
	LineLimit = 64 << 10
	chunkSize = 64 << 10
)

// Backwards gives the lines from the newest to the oldest, through the rotated
// files, without their newline. Lines longer than LineLimit and empty ones
// are left out. A line is valid until the next one. It needs no lock: a
// rotation meanwhile neither hides a line nor shows one twice.
func (f File) Backwards(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var seen []fs.FileInfo
		for n := 0; n <= f.Keep; n++ {
			file, info, err := f.openForReading(n)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				yield(nil, err)
				return
			}
			more := true
			if !slices.ContainsFunc(seen, func(s fs.FileInfo) bool { return os.SameFile(s, info) }) {
				more = backwards(ctx, file, info.Size(), yield)
			}
			seen = append(seen, info)
			_ = file.Close()
			if !more {
				return
			}
		}
	}
}

func (f File) openForReading(n int) (*os.File, fs.FileInfo, error) {
	file, err := os.OpenFile(f.numbered(n), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: file.Name(), Err: say.New("not a regular file")}
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// backwards yields the lines of one file, and tells whether to go on.
func backwards(ctx context.Context, r io.ReaderAt, size int64, yield func([]byte, error) bool) bool {
	var tail []byte // of the line that the last chunk began in the middle of
	skipping := false
	chunk := make([]byte, chunkSize)
	for end := size; end > 0; {
		if err := ctx.Err(); err != nil {
			return yield(nil, err) && false
		}
		start := max(0, end-chunkSize)
		part := chunk[:end-start]
		if _, err := r.ReadAt(part, start); err != nil && !errors.Is(err, io.EOF) {
			return yield(nil, err) && false
		}
		for {
			i := bytes.LastIndexByte(part, '\n')
			if i < 0 {
				break
			}
			line := append(part[i+1:len(part):len(part)], tail...)
			if !skipping && !give(line, yield) {
				return false
			}
			part, tail, skipping = part[:i], nil, false
		}
		tail = append(append([]byte(nil), part...), tail...)
		if len(tail) > LineLimit {
			tail, skipping = nil, true
		}
		end = start
	}
	return skipping || give(tail, yield)
}

func give(line []byte, yield func([]byte, error) bool) bool {
	if len(line) == 0 || len(line) > LineLimit {
		return true
	}
	return yield(line, nil)
}
