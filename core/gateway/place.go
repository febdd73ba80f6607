package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// put puts a generation in place: what the configuration refers to first, so
// that the last rename is the only moment of change. It gives what takes it
// back, also where it failed.
func (g *Gateway) put(c Change) (undo []func() error, err error) {
	temp := filepath.Join(g.layout.local, ownDir)
	replace := func(file string, before, after []byte) error {
		if bytes.Equal(before, after) && before != nil {
			return nil
		}
		if err := replaceFile(file, after, temp); err != nil {
			return err
		}
		undo = append(undo, func() error {
			if before == nil {
				return os.Remove(file)
			}
			return replaceFile(file, before, temp)
		})
		return nil
	}
	if c.rollback { // first: the watcher must not undo what it sees in place
		if err := replace(g.layout.held(), c.held, g.holdText(c)); err != nil {
			return undo, err
		}
	}
	if sum := luaSum(c.Files.Conf()); sum != "" {
		if err := g.putLua(c, sum, replace); err != nil {
			return undo, err
		}
	}
	if err := replace(g.layout.live(), c.live.have.Conf(), c.Files.Conf()); err != nil {
		return undo, err
	}
	if c.Main == nil {
		return undo, nil
	}
	if c.mainNow != nil {
		if err := g.backupMain(c.mainNow); err != nil {
			return undo, err
		}
	}
	main := g.layout.main()
	if target, err := filepath.EvalSymlinks(main); err == nil {
		main = target // kept elsewhere, with a link here, which stays
	}
	return undo, replace(main, c.mainNow, c.Main)
}

// putLua writes what the configuration of that sum reads: the table last.
func (g *Gateway) putLua(c Change, sum string, replace func(file string, before, after []byte) error) error {
	if err := os.MkdirAll(g.layout.lua(sum), 0o755); err != nil {
		return err
	}
	var before Files
	if luaSum(c.live.have.Conf()) == sum {
		before = c.live.have
	}
	for _, name := range []string{luaName, routesName} {
		if err := replace(g.layout.place(name, sum), before[name], c.Files[name]); err != nil {
			return err
		}
	}
	return nil
}

// backupMain keeps nginx.conf as it was, beside it.
func (g *Gateway) backupMain(text []byte) error {
	file := g.layout.main() + ".before-flatnet"
	if _, err := os.Stat(file); err == nil {
		file = g.dated(file)
	}
	return replaceFile(file, text, filepath.Join(g.layout.local, ownDir))
}

// keepAside copies a file that was edited by hand, and says where to; "" where
// it is gone.
func (g *Gateway) keepAside(file string) (string, error) {
	text, err := readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(g.layout.kept(), 0o755); err != nil {
		return "", err
	}
	kept := g.dated(filepath.Join(g.layout.kept(), filepath.Base(file)))
	return kept, replaceFile(kept, text, filepath.Join(g.layout.local, ownDir))
}

// dated gives a name that no file has yet, with the time in it.
func (g *Gateway) dated(file string) string {
	dated := file + g.o.Now().UTC().Format("-20060102-150405")
	name := dated
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s-%d", dated, n)
	}
}

// clean removes what a killed deployment may have left behind.
func (g *Gateway) clean() {
	own := filepath.Join(g.layout.local, ownDir)
	for _, pattern := range []string{filepath.Join(own, ".*"), filepath.Join(g.store.dir, ".*"), filepath.Join(own, "test.conf"), filepath.Join(g.layout.local, testRun)} {
		left, _ := filepath.Glob(pattern)
		for _, f := range left {
			_ = os.RemoveAll(f)
		}
	}
}

// pruneLua removes the folders of configurations of lua mode that nothing
// refers to any more.
func (g *Gateway) pruneLua(c Change) error {
	dir := filepath.Dir(g.layout.lua("x"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // there never was one
	}
	var errs []error
	for _, e := range entries {
		if name := e.Name(); name != luaSum(c.Files.Conf()) && name != luaSum(c.live.have.Conf()) {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return errors.Join(errs...)
}
