package widget

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"flatnet/tui/text"
)

// Overlay puts top in the middle of base, which has width by height cells.
func Overlay(base, top string, width, height int) string {
	under := strings.Split(base, "\n")
	over := strings.Split(top, "\n")
	w := 0
	for _, l := range over {
		w = max(w, text.Width(l))
	}
	x, y := max(0, (width-w)/2), max(0, (height-len(over))/2)
	for i, l := range over {
		if y+i >= len(under) {
			break
		}
		u := under[y+i]
		left := text.Fit(ansi.Cut(u, 0, x), x)
		right := text.FitRight(ansi.Cut(u, x+w, width), max(0, width-x-w))
		under[y+i] = left + text.Fit(l, w) + right
	}
	return strings.Join(under, "\n")
}

// dialogSize is how large a dialog with so many lines is: no wider than is
// good to read, and never as large as the screen if it need not be.
func dialogSize(lines, width, height int) (int, int) {
	return min(width, 100), max(3, min(height-2, lines+2))
}

// DialogWidth is the number of cells for text in a dialog on a screen of that
// width.
func DialogWidth(width int) int {
	w, _ := FrameInner(min(width, 100), 0)
	return w
}

// Pager is a dialog of text that can be scrolled.
type Pager struct {
	Title  string
	Lines  func(l *Look, width int) []string // painted
	Footer string
	offset int
}

// Key takes a key and tells whether the pager is to be closed.
func (p *Pager) Key(key string, page int) (closed bool) {
	switch key {
	case "esc", "q", "enter", "?", "ctrl+c":
		return true
	default:
		p.offset = scrolled(p.offset, key, page)
	}
	return false
}

// scrolled is an offset after a key; what is too far is put right in View,
// which knows how much there is.
func scrolled(offset int, key string, page int) int {
	switch key {
	case "up", "k":
		offset--
	case "down", "j":
		offset++
	case "pgup", "ctrl+b":
		offset -= page
	case "pgdown", "ctrl+f", "space":
		offset += page
	case "home", "g":
		offset = 0
	case "end", "G":
		offset = 1 << 20
	}
	return max(0, offset)
}

// View draws the pager for a screen of that size.
func (p *Pager) View(l *Look, width, height int) string {
	lines := p.Lines(l, DialogWidth(width))
	w, h := dialogSize(len(lines), width, height)
	all := len(lines)
	lines, p.offset = window(lines, p.offset, h-2)
	return l.Framed(FrameOptions{
		Width: w, Height: h, Title: p.Title, Focused: true, Note: l.progress(p.offset, h-2, all), Footer: l.Paint(Muted, p.Footer),
	}, lines)
}

// window gives the n lines from offset on, and the offset put right.
func window(lines []string, offset, n int) ([]string, int) {
	offset = min(max(0, offset), max(0, len(lines)-n))
	return lines[offset:min(len(lines), offset+max(0, n))], offset
}

// progress says how far down a dialog shows its lines, "" where there is room
// for all of them.
func (l *Look) progress(offset, room, all int) string {
	if all <= room {
		return ""
	}
	return l.Paint(Muted, fmt.Sprintf("%d/%d", min(all, offset+room), all))
}

// Paragraph wraps s and paints each line.
func (l *Look) Paragraph(t Tone, s string, width int) []string {
	var out []string
	for _, part := range strings.Split(s, "\n") {
		for _, line := range text.Wrap(part, width) {
			out = append(out, l.Paint(t, line))
		}
	}
	return out
}

// Within wraps s into at most n lines and paints each; what has no room ends
// in a sign of that.
func (l *Look) Within(t Tone, s string, width, n int) []string {
	lines := text.Wrap(s, width)
	if len(lines) > n {
		lines = append(lines[:n-1:n-1], text.Cut(strings.Join(lines[n-1:], " "), width))
	}
	for i := range lines {
		lines[i] = l.Paint(t, lines[i])
	}
	return lines
}

// Indented wraps s after a painted lead that stands on its first line.
func (l *Look) Indented(lead string, t Tone, s string, width int) []string {
	w := text.Width(lead)
	lines := l.Paragraph(t, s, width-w)
	for i := range lines {
		if i == 0 {
			lines[i] = lead + lines[i]
			continue
		}
		lines[i] = strings.Repeat(" ", w) + lines[i]
	}
	return lines
}

// Diff paints a unified diff; long lines are cut, not wrapped, so that it
// keeps its shape.
func (l *Look) Diff(diff string, width int) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimRight(text.Block(diff), "\n"), "\n") {
		tone := Muted
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
			tone = Heading
		case strings.HasPrefix(line, "+"):
			tone = Added
		case strings.HasPrefix(line, "-"):
			tone = Removed
		case strings.HasPrefix(line, "@@"):
			tone = Accent
		}
		out = append(out, l.Paint(tone, text.Cut(line, width)))
	}
	return out
}
