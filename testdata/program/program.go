// Package program builds the module's programs for tests that run the real
// thing: real processes, killed and started in parallel, without the race
// detector in them.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Plugin gives the path of the plugin, built from the sources as they are. Its
// directory holds nothing else, so that it can be a CNI path.
func Plugin(t testing.TB) string { return Build(t, "flatnet/plugin/flatnet") }

type built struct {
	once sync.Once
	path string
	err  error
}

var builds sync.Map // package path to *built

// Build gives the path of the program of a package. It is built once for a
// test binary, and is gone after the tests of the whole run.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	v, _ := builds.LoadOrStore(pkg, &built{})
	b := v.(*built)
	b.once.Do(func() { b.path, b.err = build(pkg) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

// build puts the program below /run, which nettest.Main made this test
// binary's own, so that nothing has to be tidied up.
func build(pkg string) (string, error) {
	dir, err := os.MkdirTemp("/run", "program-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}
