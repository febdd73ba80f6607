package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// TestLinks follows every link between our own pages, to the heading.
func TestLinks(t *testing.T) {
	pages := []string{"../../README.md"}
	err := filepath.WalkDir(docs, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			follow(t, page, m[1], target, anchor)
		}
	}
}

func follow(t *testing.T, page, link, target, anchor string) {
	t.Helper()
	if anchor == "" {
		if _, err := os.Stat(target); err != nil {
			t.Errorf("%s: the link %s leads nowhere", page, link)
		}
		return
	}
	text, err := os.ReadFile(target)
	if err != nil {
		t.Errorf("%s: the link %s leads nowhere", page, link)
		return
	}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		if anchorOf(m[1]) == anchor {
			return
		}
	}
	t.Errorf("%s: the link %s leads to no heading", page, link)
}

// anchorOf names a heading as GitHub does.
func anchorOf(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			b.WriteRune(r)
		}
	}
	return b.String()
}
