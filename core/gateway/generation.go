package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"flatnet/core/say"
)

// Bounds of files that are read back; people and other programs can write
// there.
const maxFile = 32 << 20 // bytes

// metaName is what describes a generation, in its folder.
const metaName = "generation.json"

// Generation is one deployed configuration that is kept.
type Generation struct {
	Number   int        `json:"number"`
	Mode     string     `json:"mode"`
	MadeAt   time.Time  `json:"made_at"`
	Sites    []Site     `json:"sites"`
	SetAside []SetAside `json:"set_aside,omitempty"`
}

// store keeps generations, each whole in a folder of its own.
type store struct{ dir string }

func (s store) path(number int) string { return filepath.Join(s.dir, fmt.Sprintf("%06d", number)) }

// numbers lists what is kept, oldest first.
func (s store) numbers() ([]int, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 && e.IsDir() {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, err
}

// meta reads what a generation is; ErrNoGeneration if it is not kept whole.
func (s store) meta(number int) (Generation, error) {
	var g Generation
	text, err := readFile(filepath.Join(s.path(number), metaName))
	if errors.Is(err, fs.ErrNotExist) {
		return g, say.Errorf("generation %d: %w", number, ErrNoGeneration)
	}
	if err != nil {
		return g, err
	}
	if err := json.Unmarshal(text, &g); err != nil {
		return g, say.Errorf("generation %d: %w: its description is broken: %w", number, ErrNoGeneration, err)
	}
	return g, nil
}

// files reads a generation's content.
func (s store) files(number int) (Files, error) {
	f := Files{}
	for _, name := range []string{confName, luaName, routesName} {
		text, err := readFile(filepath.Join(s.path(number), name))
		if errors.Is(err, fs.ErrNotExist) && name != confName {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, say.Errorf("generation %d: %w", number, ErrNoGeneration)
		}
		if err != nil {
			return nil, err
		}
		f[name] = text
	}
	return f, nil
}

// write keeps a generation: all of it, or nothing. Its caller holds the lock,
// and has cleaned up after one that was killed.
func (s store) write(g Generation, f Files) (err error) {
	meta, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	temp := filepath.Join(s.dir, ".new")
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temp)
		}
	}()
	if err := os.Chmod(temp, 0o755); err != nil { // nginx may run as another user
		return err
	}
	if err := writeSynced(filepath.Join(temp, metaName), meta); err != nil {
		return err
	}
	for name, text := range f {
		if err := writeSynced(filepath.Join(temp, name), text); err != nil {
			return err
		}
	}
	return os.Rename(temp, s.path(g.Number))
}

// prune keeps the newest ones, and the one that is deployed.
func (s store) prune(keep, deployed int) error {
	all, err := s.numbers()
	if err != nil {
		return err
	}
	var errs []error
	for i, n := range all {
		if i < len(all)-keep && n != deployed {
			errs = append(errs, s.remove(n))
		}
	}
	return errors.Join(errs...)
}

// remove takes a generation away: all of it at once.
func (s store) remove(number int) error {
	temp := filepath.Join(s.dir, ".gone")
	if err := os.Rename(s.path(number), temp); err != nil {
		return err
	}
	return os.RemoveAll(temp)
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// readFile reads a file of sane size.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile || !info.Mode().IsRegular() {
		return nil, say.Errorf("%s: is no file of at most %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}

// A file that Windows holds open cannot be replaced; readers there have it
// open for moments only.
const (
	replaceTries = 10
	replacePause = 50 * time.Millisecond
)

// replaceFile puts text in path's place in one step. temp is a folder on the
// same file system.
func replaceFile(path string, text []byte, temp string) error {
	var err error
	for range replaceTries {
		err = renameio.WriteFile(path, text, 0o644, renameio.WithTempDir(temp), renameio.IgnoreUmask())
		if errors.Is(err, syscall.EXDEV) { // path's folder is a link to another disk
			temp = filepath.Dir(path)
			continue
		}
		if !errors.Is(err, syscall.EBUSY) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.ETXTBSY) {
			return replaceError(path, err)
		}
		time.Sleep(replacePause)
	}
	return say.Errorf("%w; a program may hold it open", replaceError(path, err))
}

// replaceError names the file that was to be replaced, not the temporary one,
// whose name is another each time.
func replaceError(path string, err error) error {
	var code syscall.Errno
	if errors.As(err, &code) {
		return &fs.PathError{Op: "write", Path: path, Err: code}
	}
	return err
}
