package widget

import (
	"strings"

	"flatnet/tui/text"
)

// FrameOptions are what a frame says besides its content.
type FrameOptions struct {
	Width, Height int    // outer size in cells
	Title         string // plain text
	Status        string // painted, beside the title
	Note          string // painted, at the right of the upper edge
	Footer        string // painted, at the right of the lower edge
	Focused       bool
}

// FrameInner gives the size that a frame of that outer size leaves for its
// content.
func FrameInner(width, height int) (int, int) { return max(0, width-4), max(0, height-2) }

// Framed draws lines in a frame. Lines are cut or filled to fit. The focused
// frame differs in its signs too, not only in colour.
func (l *Look) Framed(o FrameOptions, lines []string) string {
	if o.Width < 4 || o.Height < 2 {
		return ""
	}
	box, tone := l.Glyphs.Thin, Frame
	if o.Focused {
		box, tone = l.Glyphs.Thick, Accent
	}
	width, height := FrameInner(o.Width, o.Height)
	out := make([]string, 0, o.Height)
	out = append(out, l.upperEdge(o, box, tone))
	for i := range height {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out = append(out, l.Paint(tone, box.V)+" "+text.Fit(line, width)+" "+l.Paint(tone, box.V))
	}
	return strings.Join(append(out, l.edge(box.BL, box.BR, box.H, tone, "", o.Footer, o.Width)), "\n")
}

func (l *Look) upperEdge(o FrameOptions, box Box, tone Tone) string {
	titleTone := Title
	if o.Focused {
		titleTone = Accent
	}
	left := l.Paint(titleTone, o.Title)
	if o.Status != "" {
		left += " " + o.Status
	}
	return l.edge(box.TL, box.TR, box.H, tone, left, o.Note, o.Width)
}

// edge draws a horizontal edge with text let into it. What does not fit is
// cut: the right text goes first.
func (l *Look) edge(from, to, h string, tone Tone, left, right string, width int) string {
	room := width - 2
	left = label(left, room-2)
	right = label(right, room-2-text.Width(left))
	bar := room - text.Width(left) - text.Width(right)
	head := min(1, bar)
	tail := 0
	if right != "" && bar-head > 0 {
		tail = 1
	}
	return l.Paint(tone, from+strings.Repeat(h, head)) + left +
		l.Paint(tone, strings.Repeat(h, max(0, bar-head-tail))) + right +
		l.Paint(tone, strings.Repeat(h, tail)+to)
}

// label puts a space on each side of s and cuts it to room; too little room
// for anything readable gives "".
func label(s string, room int) string {
	if s == "" || room < 5 {
		return ""
	}
	return " " + text.Cut(s, room-2) + " "
}
