package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"
)

// Bounds of foreign text. A name is drawn in a column, a block in a dialog.
const (
	maxLine  = 1 << 10 // bytes of one line that are looked at
	maxBlock = 1 << 18 // bytes of a text of several lines
	maxMarks = 2       // combining marks kept on one letter
)

// Line makes text from outside fit for one line of a terminal. Escape
// sequences, control, format and direction characters go, line breaks and
// tabs become spaces, and every character that is left has a width on which
// terminals agree. Text beyond 1 KiB is cut off with "…".
func Line(s string) string {
	if plain(s) {
		return s
	}
	s, cut := bound(s, maxLine)
	s = filter(strings.Map(space, ansi.Strip(s)))
	if cut {
		s += "…"
	}
	return s
}

// Block is Line for text of several lines: line breaks stay, tabs become four
// spaces. Text beyond 256 KiB is cut off with "…".
func Block(s string) string {
	s, cut := bound(s, maxBlock)
	s = strings.ReplaceAll(ansi.Strip(s), "\r\n", "\n")
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = filter(strings.ReplaceAll(l, "\t", "    "))
	}
	if cut {
		lines = append(lines, "…")
	}
	return strings.Join(lines, "\n")
}

// plain tells whether s is short printable ASCII, which nearly all names are.
func plain(s string) bool {
	if len(s) > maxLine {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// bound cuts s to at most n bytes, between two characters.
func bound(s string, n int) (string, bool) {
	if len(s) <= n {
		return s, false
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}

func space(r rune) rune {
	if r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// filter drops what a terminal would obey instead of showing it, and what
// terminals measure differently. Composed form first, so that a Japanese
// letter and its voicing mark are one character.
func filter(s string) string {
	marks := 0
	return agreed(strings.Map(func(r rune) rune {
		if !shown(r) {
			return -1
		}
		if !unicode.Is(unicode.M, r) {
			marks = 0
			return r
		}
		marks++
		if marks > maxMarks {
			return -1
		}
		return r
	}, norm.NFC.String(s)))
}

// shown tells whether r is a character that a terminal draws. Skin tones and
// the halves of flags are not: only some terminals join them with their
// neighbours.
func shown(r rune) bool {
	switch {
	case r == utf8.RuneError, !unicode.IsPrint(r), unicode.Is(unicode.Variation_Selector, r):
		return false
	case r >= 0x1f3fb && r <= 0x1f3ff, r >= 0x1f1e6 && r <= 0x1f1ff:
		return false
	}
	return true
}

// agreed keeps of each character, marks and all, what terminals that count
// letter by letter and those that count whole characters measure alike.
func agreed(s string) string {
	var b strings.Builder
	for s != "" {
		whole, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if whole == "" {
			break
		}
		s = s[len(whole):]
		first, _ := utf8.DecodeRuneInString(whole)
		switch {
		case alike(whole):
			b.WriteString(whole)
		case alike(string(first)):
			b.WriteRune(first)
		}
	}
	return b.String()
}

func alike(s string) bool { return ansi.StringWidth(s) == ansi.StringWidthWc(s) }
