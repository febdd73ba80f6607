package tui

import (
	"fmt"
	"strings"

	"flatnet/tui/action"
)

// KeyList gives the documentation's list of keys, made from the same
// declarations as the keys themselves.
func KeyList() string {
	o := Options{Environ: []string{"LANG=C.UTF-8"}}
	o.Config.TUI.Language = "en"
	m := New(o)
	var b strings.Builder
	b.WriteString("# Keys of the console\n\nMade from the declarations in the code; do not edit.\n" +
		"Keys that change something show a plan first and ask. `--read-only` takes them away.\n")
	for _, g := range action.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| key | does | id | changes something |\n|---|---|---|---|\n", m.groupName(g))
		for _, a := range m.actions() {
			if a.Group == g {
				fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", keyNames(a.Keys), a.Name, a.ID, yes(a.Changes))
			}
		}
	}
	return b.String()
}

func keyNames(keys []string) string {
	quoted := make([]string, len(keys))
	for i, k := range keys {
		quoted[i] = "`" + k + "`"
	}
	return strings.Join(quoted, " ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
