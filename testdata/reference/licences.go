package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// licences gives what is handed on with the programs: our licence, and those of
// all that is built into them.
func licences() ([]byte, error) {
	roots, err := goTool("env", "GOMOD", "GOROOT")
	if err != nil {
		return nil, err
	}
	if len(roots) != 2 {
		return nil, fmt.Errorf("go env: %q", roots)
	}
	modules, err := goTool("list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}",
		"flatnet/plugin/flatnet", "flatnet/tui/flatnet-tui")
	if err != nil {
		return nil, err
	}
	slices.Sort(modules)
	var b bytes.Buffer
	for _, m := range slices.Concat(
		[]string{"Flatnet\t" + filepath.Dir(roots[0]), "Go and its standard library\t" + roots[1]},
		slices.Compact(modules),
	) {
		name, dir, _ := strings.Cut(m, "\t")
		if err := addLicence(&b, name, dir); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// goTool gives the lines that the go command prints, without empty ones.
func goTool(args ...string) ([]string, error) {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	lines := strings.Split(string(out), "\n")
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" }), nil
}

// noLicence stands where there is none beside the sources, as in a Go that a
// distribution packed.
const noLicence = "Its licence is not beside its sources."

// addLicence writes the licence and the notice in dir.
func addLicence(b *bytes.Buffer, name, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "[LCN][IO][CPT]*")) // LICENSE, LICENCE, COPYING, NOTICE
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "%s\n%s\n", name, strings.Repeat("=", len(name)))
	if len(files) == 0 {
		fmt.Fprintf(b, "\n%s\n", noLicence)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\n%s\n", bytes.TrimSpace(text))
	}
	b.WriteString("\n\n")
	return nil
}
