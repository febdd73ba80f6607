package text

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Wrap breaks s into lines of at most width cells, between words where it
// can, and between Japanese characters: a word that is longer is broken where
// the line ends.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if Width(line) > width && strings.IndexFunc(line, wide) >= 0 {
			line = wrapJapanese(line, width)
		}
		lines = append(lines, wrapWords(line, width)...)
	}
	return lines
}

func wrapWords(s string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(ansi.Wrap(s, width, "/,"), "\n") {
		if strings.TrimSpace(line) == "" && strings.TrimSpace(s) != "" { // a space that just did not fit
			continue
		}
		if Width(line) > width { // a comma that just did not fit
			line = ansi.Hardwrap(line, width, true)
		}
		lines = append(lines, strings.Split(line, "\n")...)
	}
	return lines
}

// What no line of Japanese begins and ends with.
const (
	neverFirst = "。、，．・：；！？）」』】〕〉》ー…ゃゅょっァィゥェォャュョッ)],.:;!?"
	neverLast  = "（「『【〔〈《(["
)

func wide(r rune) bool { return r >= 0x1100 && ansi.StringWidth(string(r)) > 1 }

func katakana(r rune) bool { return r == 'ー' || unicode.Is(unicode.Katakana, r) }

// wrapJapanese breaks a line where it may be broken: at spaces, and on either
// side of a wide character. What is between two such places and wider than a
// line stays whole.
func wrapJapanese(line string, width int) string {
	var b strings.Builder
	filled := 0
	for _, piece := range pieces(line) {
		w := Width(piece)
		if filled > 0 && filled+Width(strings.TrimRight(piece, " ")) > width {
			b.WriteByte('\n')
			filled = 0
		}
		b.WriteString(piece)
		filled += w
	}
	out := strings.Split(b.String(), "\n")
	for i := range out[:len(out)-1] {
		out[i] = strings.TrimRight(out[i], " ")
	}
	return strings.Join(out, "\n")
}

// pieces cuts a line at every place where it may be broken: not within a word
// in Katakana.
func pieces(line string) []string {
	var all []string
	start, last := 0, rune(-1)
	for at, r := range line {
		between := last == ' ' && r != ' ' || wide(last) && r != ' ' || wide(r) && last != ' '
		loanword := katakana(last) && katakana(r)
		if at > 0 && between && !loanword && !strings.ContainsRune(neverFirst, r) && !strings.ContainsRune(neverLast, last) && ansi.StringWidth(string(r)) > 0 {
			all = append(all, line[start:at])
			start = at
		}
		last = r
	}
	return append(all, line[start:])
}
