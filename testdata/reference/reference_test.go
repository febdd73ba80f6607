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
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := "reference/" + filepath.Base(path)
		if _, is := want[name]; !is && bytes.HasPrefix(text, []byte(generated)) {
			t.Errorf("docs/%s is made from nothing: remove it", name)
		}
	}
}

// TestLicences: what is built into the programs may be handed on, and says so.
func TestLicences(t *testing.T) {
	all, err := licences()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"MIT License", "github.com/spf13/cobra", "The Go Authors"} {
		if !bytes.Contains(all, []byte(part)) {
			t.Errorf("%q is missing", part)
		}
	}
	if at := bytes.Index(all, []byte(noLicence)); at >= 0 {
		t.Errorf("there is a part without a licence: …%s", all[max(0, at-80):at])
	}
}
