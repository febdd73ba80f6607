package layout

import (
	"bytes"
	"strings"
)

// token is the smallest piece of a TOML text. Its kind is the character it
// begins with, or one of those below.
type token struct {
	kind byte
	Span
}

const (
	ended = byte(0)   // the text is
	bare  = byte('a') // a key without quotes, a number, a date, true
	long  = byte('3') // a string in three quotes: a value, never a key
)

// space is what separates tokens; a line's end is a token of its own.
const space = " \t\r"

// next gives the token at or after an offset.
func next(text []byte, at int) (token, error) {
	for at < len(text) && strings.IndexByte(space, text[at]) >= 0 {
		at++
	}
	if at == len(text) {
		return token{ended, Span{at, at}}, nil
	}
	switch c := text[at]; c {
	case '\n', '[', ']', '{', '}', '=', ',', '.':
		return token{c, Span{at, at + 1}}, nil
	case '#':
		return token{c, Span{at, until(text, at, "\n")}}, nil
	case '"', '\'':
		return quoted(text, at)
	}
	return token{bare, Span{at, until(text, at, space+"\n[]{}=,.#\"'")}}, nil
}

// until gives the offset of the first of some characters.
func until(text []byte, at int, stop string) int {
	if n := bytes.IndexAny(text[at:], stop); n >= 0 {
		return at + n
	}
	return len(text)
}

// quoted reads a string of any of the four kinds.
func quoted(text []byte, at int) (token, error) {
	kind, quote := text[at], string(text[at:at+1])
	if mark := strings.Repeat(quote, 3); bytes.HasPrefix(text[at:], []byte(mark)) {
		kind, quote = long, mark
	}
	for i := at + len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[at] == '"':
			i++
		case text[i] == '\n' && kind != long:
			return token{}, errSyntax
		case bytes.HasPrefix(text[i:], []byte(quote)):
			end := i + len(quote)
			for n := 0; kind == long && n < 2 && end < len(text) && text[end] == text[at]; n++ {
				end++ // one or two quotes may stand before the three
			}
			return token{kind, Span{at, end}}, nil
		}
	}
	return token{}, errSyntax
}

// whole gives all of a value that begins with a bare token: a dot is part of
// it, and the space between a date and its time.
func whole(text []byte, t token) token {
	const stop = space + "\n,]}#"
	t.End = until(text, t.Start, stop)
	if isDate(text[t.Start:t.End]) && t.End+1 < len(text) && text[t.End] == ' ' && isDigit(text[t.End+1]) {
		t.End = until(text, t.End+1, stop)
	}
	return t
}

// isDate tells whether a value is of the form 2026-11-30.
func isDate(text []byte) bool {
	for i, c := range text {
		if dash := i == 4 || i == 7; dash && c != '-' || !dash && !isDigit(c) {
			return false
		}
	}
	return len(text) == len("2026-11-30")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
