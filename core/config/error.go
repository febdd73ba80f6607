package config

import (
	"fmt"
	"strings"

	"flatnet/core/say"
)

// ErrMissing says that a configuration file that was asked for by name is not
// there. The default one may be missing.
var ErrMissing = say.New("there is no such configuration file")

// ErrNotReadable says that a configuration file is there and its text is not
// to be had.
var ErrNotReadable = say.New("the file cannot be read")

// Problem is one thing wrong with a configuration, with its place.
type Problem struct {
	File   string `json:"file"`             // the file, or "network list"
	Line   int    `json:"line,omitempty"`   // from 1; 0: not known (JSON has none)
	Column int    `json:"column,omitempty"` // from 1, in bytes; 0: not known
	Key    string `json:"key,omitempty"`    // "gateway.site[0].host"; "" for a syntax error
	Text   string `json:"text"`             // what is wrong
	Want   string `json:"want,omitempty"`   // what would be right; may be empty
}

// String gives the problem on one line, its place first, as compilers do.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	if p.Want != "" {
		b.WriteString("; right is " + p.Want)
	}
	return b.String()
}

// Error is everything that is wrong with a configuration, in the order of the
// file.
type Error struct{ Problems []Problem }

// Error gives one problem a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
