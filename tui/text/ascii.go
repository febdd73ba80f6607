package text

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// ASCII rewrites a drawn screen for a terminal that has nothing else: signs
// get their nearest, every other character a "?" for each of its cells, so
// that columns stay where they are.
func ASCII(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case nearest(r) != 0:
			b.WriteByte(nearest(r))
		default:
			b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}

func nearest(r rune) byte {
	switch r {
	case '…':
		return '~'
	case '·':
		return '-'
	case '←':
		return '<'
	case '→':
		return '>'
	case '↑':
		return '^'
	case '↓':
		return 'v'
	}
	return 0
}
