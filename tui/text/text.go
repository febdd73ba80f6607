// Package text is every text of the console: its own in one catalogue a
// language, and foreign text (container names, replies, what Windows says)
// made safe to draw and measured in cells.
package text

import (
	"strings"

	"flatnet/core/say"
)

// Texts is a catalogue: every text of the interface, in one language. Fields
// with % are formats; both languages have the same verbs in the same order.
type Texts struct {
	Panes    Panes
	State    State
	Ages     Ages
	Bridge   Bridge
	Leases   Leases
	Windows  Windows
	Sites    Sites
	Findings Findings
	Screen   Screen
	Editor   Editor
	Confirm  Confirm
	Actions  Actions
	Groups   Groups
	Why      Why

	// Said are what core says, by its English text or format (core/say); nil:
	// in English.
	Said map[string]string
	// forms are the texts and formats of Said that can be read back; nil: none.
	forms func() []say.Text
}

// For gives the catalogue for a configured language: "en", "ja", or "auto"
// for the locale of the environment, which getenv reads.
func For(language string, getenv func(string) string) *Texts {
	if language == "ja" || language != "en" && strings.HasPrefix(locale(getenv), "ja") {
		return Japanese()
	}
	return English()
}

// UTF8 tells whether the locale's text is UTF-8, and so whether the terminal
// can be expected to draw more than ASCII.
func UTF8(getenv func(string) string) bool {
	l := strings.ToLower(locale(getenv))
	return strings.Contains(l, "utf-8") || strings.Contains(l, "utf8")
}

// locale is the one that governs characters, as POSIX orders the variables.
func locale(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			return v
		}
	}
	return ""
}
