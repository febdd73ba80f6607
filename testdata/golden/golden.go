// Package golden compares drawn screens with the files that hold them.
package golden

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Update asks for the files to be written anew.
var Update = flag.Bool("update", false, "write the golden files anew")

// Compare holds the screens to those in a file, or writes them there.
func Compare(t *testing.T, path string, drawn *txtar.Archive) {
	t.Helper()
	got := txtar.Format(drawn)
	if *Update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the screen differs from %s (write it anew with -update):\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

// Shorten writes runs of one line once, and how often it comes.
func Shorten(screen string) string {
	var out strings.Builder
	lines := strings.Split(screen, "\n")
	for i := 0; i < len(lines); {
		n := 1
		for i+n < len(lines) && lines[i+n] == lines[i] {
			n++
		}
		out.WriteString(strings.TrimRight(lines[i], " "))
		if n > 1 {
			fmt.Fprintf(&out, " ×%d", n)
		}
		out.WriteByte('\n')
		i += n
	}
	return out.String()
}
