package handbook

import "strings"

// Block is the commands between two fences of a page, and what they are to
// print.
type Block struct {
	Line     int // of its first command, from 1
	Section  string
	Commands string
	Want     []string // each is to be in the output; "…" in it stands for anything
}

// Blocks takes the sh blocks out of the page. The next block without a
// language is what the one before prints.
func (p Page) Blocks() []Block {
	var all []Block
	section, before := "", ""
	lines := strings.Split(p.Text, "\n")
	for i := 0; i < len(lines); i++ {
		if title, is := strings.CutPrefix(lines[i], "## "); is {
			section = title
		}
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
			all = append(all, Block{Line: start + 1, Section: section, Commands: strings.Join(body, "\n")})
		case language == "" && before == "sh":
			last := &all[len(all)-1]
			for _, l := range body {
				if l = strings.TrimSpace(l); l != "" && l != "…" {
					last.Want = append(last.Want, l)
				}
			}
		}
		before = language
	}
	return all
}
