package host

import (
	"io"
	"io/fs"
	"os"

	"flatnet/core/say"
)

// maxFile bounds every file that is read whole.
const maxFile = 1 << 20

var (
	errTooLarge = say.New("larger than 1 MiB")
	errNotAFile = say.New("not a regular file")
)

// readBounded reads a regular file of at most maxFile bytes.
func readBounded(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errNotAFile}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: errTooLarge}
	}
	return data, err
}
