// Package handbook reads README and the pages of docs as a person does who
// types what stands there: it finds the commands, and what they are to print.
// It runs none of them, and judges no page.
package handbook

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Page is one page written by hand.
type Page struct {
	Name string // below the project, "docs/setup/phase-2-setup.md"
	Text string
}

// Pages gives README and all pages of docs below the project's directory,
// apart from those that are made from the code.
func Pages(project string) ([]Page, error) {
	names := []string{"README.md"}
	docs := os.DirFS(project)
	err := fs.WalkDir(docs, "docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") && !strings.HasPrefix(path, "docs/reference/") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var pages []Page
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			return nil, err
		}
		pages = append(pages, Page{name, string(text)})
	}
	return pages, nil
}

// Place is where on a page a command stands.
type Place int

// Places.
const (
	InBlock Place = iota // a fenced or indented block
	InText               // a code span in a sentence or table
)

// Command is one command line of a page.
type Command struct {
	Line  int // of the page, from 1
	Place Place
	// Language is that of the fence; "" : an indented block, a span, or a fence
	// that says none.
	Language string
	Text     string // in one line, without "sudo" and comment
}

// programs begin a command. A line of a block, or a span, that begins with
// none of them is output, a file or a name.
var programs = strings.Fields(`apt-get cat cp curl dpkg echo flatnet-tui flock hwclock ip iptables iptables-save jq journalctl kill
	ls make mkdir mount nginx podman rm sysctl systemctl tail timedatectl
	wsl ping route start cd powershell.exe curl.exe cmd.exe route.exe New-NetFirewallRule`)

var (
	comment = regexp.MustCompile(`\s+#\s.*$`)
	span    = regexp.MustCompile("`([^`]+)`")
	indent  = regexp.MustCompile(`^(?:    |\t)\s*(\S.*)$`)
)

// Commands finds all commands of the page, from top to bottom.
func (p Page) Commands() []Command {
	var all []Command
	add := func(line int, place Place, language, text string) {
		c, is := command(text, place)
		if language == "sh" || language == "powershell" || is && language == "" {
			all = append(all, Command{line, place, language, c})
		}
	}
	lines := strings.Split(p.Text, "\n")
	before := "" // the language of the fence before: output follows sh
	for i := 0; i < len(lines); i++ {
		start := i + 1
		switch language, fenced := strings.CutPrefix(lines[i], "```"); {
		case fenced:
			output := before == "sh" && language == ""
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				at := i + 1
				if text := joined(lines, &i); text != "" && !output {
					add(at, InBlock, language, text)
				}
			}
			before = language
		case indent.MatchString(lines[i]):
			add(start, InBlock, "", joined(lines, &i))
		default:
			for _, m := range span.FindAllStringSubmatch(lines[i], -1) {
				add(start, InText, "", m[1])
			}
		}
	}
	return all
}

// joined gives line i with those that continue it, and moves i to the last of
// them.
func joined(lines []string, i *int) string {
	text := strings.TrimSpace(lines[*i])
	for strings.HasSuffix(text, `\`) && *i+1 < len(lines) {
		*i++
		text = strings.TrimSpace(strings.TrimSuffix(text, `\`)) + " " + strings.TrimSpace(lines[*i])
	}
	return text
}

// command tells whether text is one, and gives it without what does not count.
// A single word in a sentence is a program's name.
func command(text string, place Place) (string, bool) {
	text = comment.ReplaceAllString(strings.TrimSpace(text), "")
	bare := strings.TrimPrefix(text, "sudo ")
	first, _, more := strings.Cut(bare, " ")
	is := slices.Contains(programs, first) || strings.HasSuffix(first, ".ps1") && more
	return bare, is && (place == InBlock || more || bare != text)
}
