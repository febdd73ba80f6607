// Command reference writes what the declarations in the code say of commands,
// keys of the configuration, findings and the console's keys: pages for docs,
// and the manual pages and shell completions that are installed. Its test says
// whether the pages in docs are current.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	makers := map[string]func() (map[string][]byte, error){"docs": pages, "share": share}
	if len(os.Args) != 3 || makers[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: reference docs|share DIRECTORY")
		os.Exit(2)
	}
	files, err := makers[os.Args[1]]()
	if err == nil {
		err = write(os.Args[2], files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func write(dir string, files map[string][]byte) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
