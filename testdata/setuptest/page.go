// Package setuptest follows the setup page literally: it takes the commands
// out of the page, runs them in a fresh Debian 12, and compares what they
// print with what the page says.
package setuptest

import (
	"strings"
)

// block is the commands between two fences of the page, and what they are to
// print.
type block struct {
	line     int
	commands string
	want     []string // each is to be in the output
}

// blocks takes the sh blocks out of a page. The next block without a language
// is what the one before prints; "…" stands for anything.
func blocks(page string) []block {
	var all []block
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		language, is := strings.CutPrefix(lines[i], "```")
		if !is {
			continue
		}
		start := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			continue
		}
		body := lines[start:min(i, len(lines))]
		switch {
		case language == "sh":
			all = append(all, block{line: start, commands: strings.Join(body, "\n")})
		case language == "" && len(all) > 0 && !strings.Contains(strings.Join(body, "\n"), "sudo "):
			last := &all[len(all)-1]
			for _, l := range body {
				if l = strings.TrimSpace(l); l != "" && l != "…" {
					last.want = append(last.want, l)
				}
			}
		}
	}
	return all
}

// split takes a block's lines that get packages, which needs a network, apart
// from the others.
func (b block) split() (packages, rest []block) {
	var get, others []string
	for l := range strings.SplitSeq(b.commands, "\n") {
		if strings.Contains(l, "apt-get") {
			get = append(get, l)
		} else {
			others = append(others, l)
		}
	}
	if len(get) > 0 {
		packages = []block{{line: b.line, commands: strings.Join(get, "\n")}}
	}
	if len(others) > 0 {
		rest = []block{{line: b.line, commands: strings.Join(others, "\n"), want: b.want}}
	}
	return packages, rest
}
