package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const docs = "../../docs"

// TestCurrent holds the generated pages to the code.
func TestCurrent(t *testing.T) {
	want, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("docs/%s is not what the code says (%v): run make reference", name, err)
		}
	}
	there, err := filepath.Glob(filepath.Join(docs, "reference", "*"))
	if err != nil || len(there) != len(want) {
		t.Errorf("docs/reference has %v (%v), and the code makes %d pages", there, err, len(want))
	}
}
