// Package edit changes the configuration file and leaves the rest of it as it
// is: comments, order, indentation, every byte. It saves only what the check
// in core/config accepts, whole or not at all, and not over somebody else's
// change. What the keys mean is core/config's.
package edit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aymanbagabas/go-udiff"
	"github.com/google/renameio/v2"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/say"
)

// Why a change was not made.
var (
	// ErrChanged says that the file is not what was opened: somebody else
	// has written it meanwhile.
	ErrChanged = say.New("somebody else has changed the file meanwhile")
	// ErrConflict says that somebody else has changed the same lines.
	ErrConflict = say.New("somebody else has changed the same lines meanwhile")
	// ErrShape says that the text is written in a way that only a person can
	// change well.
	ErrShape = say.New("the text is written in a way that only an editor can change")
	// ErrNoKey says that the text does not have the key.
	ErrNoKey = say.New("the file does not set this key")
)

// File is a configuration file that is being edited.
type File struct {
	path string      // with links followed: a link stays a link
	disk []byte      // what the file held when it was opened or last saved
	text []byte      // what it is to hold
	info fs.FileInfo // nil: there is no file yet
}

// Open reads the file at path. One that does not exist is empty, and made by
// Save.
func Open(path string) (*File, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f := &File{path: path}
	data, info, err := read(path)
	if err != nil {
		return nil, opError("read the configuration", path, err)
	}
	f.disk, f.text, f.info = data, bytes.Clone(data), info
	return f, nil
}

func opError(op say.Text, path string, err error) error {
	var hint say.Text
	if errors.Is(err, fs.ErrPermission) {
		hint = say.F("run as a user who may write %s, such as root", path)
	}
	return &core.OpError{Op: op, Target: path, Err: err, Hint: hint}
}

// read gives the contents of a regular file; info is nil where there is none.
func read(path string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, say.New("it is not a regular file")
	case info.Size() > config.MaxFile:
		return nil, nil, errTooLong()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, config.MaxFile+1))
	return data, info, err
}

func errTooLong() error {
	return say.Errorf("it has more than %d bytes", config.MaxFile)
}

// Path gives the file that Save writes.
func (f *File) Path() string { return f.path }

// Text gives the text with the changes.
func (f *File) Text() string { return string(f.text) }

// Saved gives what the file held when it was opened or last saved.
func (f *File) Saved() string { return string(f.disk) }

// SetText replaces the whole text. It need not be right until it is saved.
func (f *File) SetText(text string) error {
	if len(text) > config.MaxFile {
		return errTooLong()
	}
	f.text = []byte(text)
	return nil
}

// Changed tells whether there is anything to save.
func (f *File) Changed() bool { return !bytes.Equal(f.disk, f.text) }

// Check says what is wrong with the text: nil or a *config.Error.
func (f *File) Check() error {
	_, err := config.Parse(f.path, f.text)
	return err
}

// Diff gives the change as a unified diff, "" if there is none.
func (f *File) Diff() string {
	return udiff.Unified(f.path, f.path, string(f.disk), string(f.text))
}

// Moved tells whether the file on the disk is another than was opened, and
// Save would refuse.
func (f *File) Moved() (bool, error) {
	now, info, err := read(f.path)
	if err != nil {
		return false, opError("read the configuration", f.path, err)
	}
	return (info == nil) != (f.info == nil) || !bytes.Equal(now, f.disk), nil
}

// Rebase gives f where the file on the disk is still the one that was opened.
// Otherwise it gives the file as it is now with the change made there too;
// ErrConflict says that both changed the same lines. f stays as it is.
func (f *File) Rebase() (*File, error) {
	now, err := Open(f.path)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(now.disk, f.disk) && (now.info == nil) == (f.info == nil) {
		return f, nil
	}
	base := string(f.disk)
	both, ok := udiff.Merge(udiff.Lines(base, now.Text()), udiff.Lines(base, f.Text()))
	if !ok {
		return nil, ErrConflict
	}
	text, err := udiff.Apply(base, both)
	if err != nil {
		return nil, err
	}
	return now, now.SetText(text)
}

// Save writes the text, whole or not at all, with the file's owner and mode.
// It refuses a text that Check refuses, and is ErrChanged where the file is
// not the one that was opened.
func (f *File) Save(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return err
	}
	moved, err := f.Moved()
	if err != nil {
		return err
	}
	if moved {
		return &core.OpError{Op: "save the configuration", Target: f.path, Err: ErrChanged, Hint: "open it again, then make the change once more"}
	}
	if err := f.write(); err != nil {
		return opError("save the configuration", f.path, err)
	}
	f.disk = bytes.Clone(f.text)
	f.info, err = os.Stat(f.path)
	return err
}

// write puts the text in place of the file.
func (f *File) write() error {
	mode := fs.FileMode(0o644)
	if f.info == nil {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return err
		}
	} else {
		mode = f.info.Mode().Perm()
	}
	pending, err := renameio.NewPendingFile(f.path, renameio.WithPermissions(mode), renameio.IgnoreUmask(), renameio.WithTempDir(filepath.Dir(f.path)))
	if err != nil {
		return err
	}
	defer func() { _ = pending.Cleanup() }()
	if err := keepOwner(pending.File, f.info); err != nil {
		return err
	}
	if _, err := pending.Write(f.text); err != nil {
		return err
	}
	return pending.CloseAtomicallyReplace()
}
