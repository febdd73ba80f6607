package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flatnet/core/health"
	"flatnet/testdata/handbook"
)

const project = "../.."

func handwritten(t *testing.T) []handbook.Page {
	t.Helper()
	pages, err := handbook.Pages(project)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// named gives a page by its name below the project.
func named(t *testing.T, name string) handbook.Page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(project, name))
	if err != nil {
		t.Fatal(err)
	}
	return handbook.Page{Name: name, Text: string(text)}
}

// TestNoConflictMarkers: a page went out with both sides of a merge in it.
func TestNoConflictMarkers(t *testing.T) {
	marker := regexp.MustCompile(`(?m)^(<{7}|={7}|>{7})( .*)?$`)
	for _, p := range handwritten(t) {
		if found := marker.FindString(p.Text); found != "" {
			t.Errorf("%s has the line %q", p.Name, found)
		}
	}
}

// TestJapaneseHasTheSame holds each page of docs/ja to the English one: the
// same headings' levels, the same commands in the same order, and in sentences
// the same commands, whatever their order.
func TestJapaneseHasTheSame(t *testing.T) {
	compared := 0
	for _, japanese := range handwritten(t) {
		rest, is := strings.CutPrefix(japanese.Name, "docs/ja/")
		if !is {
			continue
		}
		compared++
		english := named(t, "docs/"+rest)
		if diff := cmp.Diff(levels(english), levels(japanese)); diff != "" {
			t.Errorf("%s has other headings than the English page (-), by level:\n%s", japanese.Name, diff)
		}
		for place, what := range map[handbook.Place]string{handbook.InBlock: "blocks", handbook.InText: "sentences"} {
			if diff := cmp.Diff(commandsIn(english, place), commandsIn(japanese, place)); diff != "" {
				t.Errorf("%s has other commands in %s than the English page (-):\n%s", japanese.Name, what, diff)
			}
		}
	}
	if compared < 7 {
		t.Errorf("only %d Japanese pages were found", compared)
	}
}

// TestPagesStayInTheirLanguage: a reader of Japanese is led to an English page
// only where there is no Japanese one, and either page leads to the other.
func TestPagesStayInTheirLanguage(t *testing.T) {
	for _, japanese := range handwritten(t) {
		rest, is := strings.CutPrefix(japanese.Name, "docs/ja/")
		if !is {
			continue
		}
		dir := filepath.Dir(japanese.Name)
		for i, m := range link.FindAllStringSubmatch(japanese.Text, -1) {
			file, _, _ := strings.Cut(m[1], "#")
			target := filepath.Join(dir, file)
			if i == 0 && target != "docs/"+rest {
				t.Errorf("%s does not begin with a link to the English page, but to %s", japanese.Name, m[1])
			}
			translated := strings.Replace(target, "docs/", "docs/ja/", 1)
			if _, err := os.Stat(filepath.Join(project, translated)); i > 0 && err == nil && !strings.HasPrefix(target, "docs/ja/") {
				t.Errorf("%s leads to the English %s; there is %s", japanese.Name, m[1], translated)
			}
		}
		english := link.FindStringSubmatch(named(t, "docs/"+rest).Text)
		if english == nil || filepath.Join(filepath.Dir("docs/"+rest), english[1]) != japanese.Name {
			t.Errorf("docs/%s does not begin with a link to the Japanese page", rest)
		}
	}
}

func levels(p handbook.Page) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(p.Text, ""), -1) {
		level, _, _ := strings.Cut(m[0], " ")
		all = append(all, level)
	}
	return all
}

func commandsIn(p handbook.Page, place handbook.Place) []string {
	var all []string
	for _, c := range p.Commands() {
		if c.Place == place {
			all = append(all, c.Text)
		}
	}
	if place == handbook.InText {
		slices.Sort(all)
	}
	return all
}

// TestTroubleshootingHasEveryCode, in both languages.
func TestTroubleshootingHasEveryCode(t *testing.T) {
	for _, name := range []string{"docs/operations/troubleshooting.md", "docs/ja/operations/troubleshooting.md"} {
		page := named(t, name)
		for _, c := range health.Checks() {
			if !strings.Contains(page.Text, "reference/findings.md#"+string(c.Code)+")") {
				t.Errorf("%s never leads to %s: %s", name, c.Code, c.Meaning)
			}
		}
	}
}

// TestTroubleshootingHasTheSeedsSymptoms, in both languages.
func TestTroubleshootingHasTheSeedsSymptoms(t *testing.T) {
	for name, titles := range map[string][]string{
		"docs/operations/troubleshooting.md": {
			"Windows does not reach 10.87.1.x", "502 Bad Gateway", "The route is gone after a restart", "The name is not found",
		},
		"docs/ja/operations/troubleshooting.md": {
			"Windows から 10.87.1.x に届かない", "502 Bad Gateway", "再起動後に経路が消える", "名前が見つからない",
		},
	} {
		page := named(t, name)
		for _, title := range titles {
			if !regexp.MustCompile(`(?m)^##+ ` + regexp.QuoteMeta(title) + `$`).MatchString(page.Text) {
				t.Errorf("%s has no section %q", name, title)
			}
		}
	}
}

var (
	packagePath = regexp.MustCompile("`((?:core|tui|plugin|probes|themes|testdata)/[a-z0-9/._-]+)`")
	symbol      = regexp.MustCompile("`([a-z]+)\\.([A-Z]\\w+)(?:\\.([A-Z]\\w+))?`")
)

// TestArchitectureNamesWhatIs: the folders, files and interfaces on the page,
// above all those where phase 3 attaches, are in the code.
func TestArchitectureNamesWhatIs(t *testing.T) {
	for _, name := range []string{"docs/architecture.md", "docs/ja/architecture.md"} {
		page := named(t, name)
		for _, m := range packagePath.FindAllStringSubmatch(page.Text, -1) {
			if _, err := os.Stat(filepath.Join(project, m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		symbols := symbol.FindAllStringSubmatch(page.Text, -1)
		if len(symbols) < 5 {
			t.Errorf("%s names only %d interfaces", name, len(symbols))
		}
		for _, m := range symbols {
			if !declares(t, "core/"+m[1], m[2], m[3]) {
				t.Errorf("%s: there is no %s", name, m[0])
			}
		}
	}
}

// declares tells whether a package has a type, with this field or method.
func declares(t *testing.T, dir, name, member string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(project, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	is := regexp.MustCompile(`(?m)^type ` + name + ` [^}]*\b` + member)
	return slices.ContainsFunc(files, func(path string) bool {
		text, err := os.ReadFile(path)
		return err == nil && is.Match(text)
	})
}
