package text

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is the number of terminal cells that s takes; escape sequences take
// none, a Japanese character two.
func Width(s string) int { return ansi.StringWidth(s) }

// Fit makes s exactly width cells wide: cut off with "…", or filled with
// spaces on the right. A width of 0 or less gives "".
func Fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	w := Width(s)
	if w > width {
		s = ansi.Truncate(s, width, "…")
		w = Width(s)
	}
	return s + strings.Repeat(" ", max(0, width-w))
}

// FitRight is Fit with the spaces on the left, for numbers.
func FitRight(s string, width int) string {
	if w := Width(s); w < width {
		return strings.Repeat(" ", width-w) + s
	}
	return Fit(s, width)
}

// Cut is s with at most width cells, with "…" at the end where something is
// missing, and not filled up.
func Cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(s, width, "…")
}
