package config

import (
	"fmt"

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
	File   string   `json:"file"`             // the file, or "network list"
	Line   int      `json:"line,omitempty"`   // from 1; 0: not known (JSON has none)
	Column int      `json:"column,omitempty"` // from 1, in bytes; 0: not known
	Key    string   `json:"key,omitempty"`    // "gateway.site[0].host"; "" for a syntax error
	Text   say.Text `json:"text"`             // what is wrong
	Want   say.Text `json:"want,omitempty"`   // what would be right; may be empty
}

// String is Say in English.
func (p Problem) String() string { return p.Say().String() }

// Say gives the problem on one line, its place first, as compilers do.
func (p Problem) Say() say.Text {
	where := p.File
	if p.Line > 0 {
		where += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	where += ": "
	if p.Key != "" {
		where += p.Key + ": "
	}
	return say.F("%s%s", where, withRight(p.Text, p.Want))
}

// Error is everything that is wrong with a configuration, in the order of the
// file.
type Error struct{ Problems []Problem }

// Error is Say in English.
func (e *Error) Error() string { return e.Say().String() }

// Say gives one problem a line.
func (e *Error) Say() say.Text {
	lines := make([]say.Text, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Say()
	}
	return say.Join("\n", lines...)
}
