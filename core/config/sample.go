package config

import (
	"fmt"
	"strings"
)

// Sample is a whole configuration file with every key explained and commented
// out, so that it says the same as no file.
func Sample() string {
	var b strings.Builder
	b.WriteString("# Flatnet. Each key stands here with its default; take the # away to change one.\n")
	b.WriteString("# Check the file with: flatnet-tui config check\n")
	for _, s := range Sections() {
		mark, header := "", "["+s.Name+"]"
		if s.Repeated {
			mark, header = "#", "[["+s.Name+"]]"
		}
		fmt.Fprintf(&b, "\n# %s\n%s%s\n", s.Doc, mark, header)
		for _, k := range s.Keys {
			name := k.Name[strings.LastIndexByte(k.Name, '.')+1:]
			value := k.Default
			if value == "" {
				value = placeholder(k.Type)
			}
			fmt.Fprintf(&b, "\n# %s\n# Right: %s.\n#%s = %s\n", k.Doc, k.Want, name, value)
		}
	}
	return b.String()
}

// placeholder is a value of that type for a key without a default.
func placeholder(kind string) string {
	switch kind {
	case "list":
		return "[]"
	case "table":
		return "{}"
	}
	return `""`
}
