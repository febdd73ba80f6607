// Package say is how core speaks to people without knowing their language: a
// Text is an English text, or a format with what fills it in, kept apart so
// that a catalogue (tui/text) can put another language's format in its place.
// Its String, its JSON and every log have the English text. Choosing a language
// and holding its texts is not its job.
package say

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is something said to a person. A constant is a Text by itself; one with
// something filled in is made by F. It is plain data: comparable, and the same
// after JSON except that its English text is all that is left of its form.
//
// Never convert a string that is not constant: say.Data is for those.
type Text string

// A Text that was made here is, behind mark, its kind, its format and its
// arguments, each with its length; any other is a text as it stands.
const mark = "\x00"

// The kinds of what follows mark.
const (
	formatted = 'f'
	joined    = 'j' // the format is what stands between the arguments
	sentence  = 's' // the format is what stands at the end
)

// The kinds of arguments.
const (
	data = 'd' // as it is
	text = 't' // a Text
)

// Speaker is what can say itself in any language: an error, mostly.
type Speaker interface{ Say() Text }

// F fills in a format as fmt.Sprintf does. Arguments that are a Text, a
// Speaker or an error stay translatable where the verb is %s, %v or %w; all
// others are written down now. The format is an English constant with one verb
// for each argument, without width from arguments and without indexes.
func F(format Text, args ...any) Text {
	b := begin(formatted, string(format))
	for i, v := range verbs(string(format)) {
		if i >= len(args) {
			break
		}
		if t, ok := said(v, args[i]); ok {
			b = add(b, text, string(t))
			continue
		}
		b = add(b, data, fmt.Sprintf(v.spec, args[i]))
	}
	return Text(b)
}

// Data is text from outside, or in no language: names, commands, what another
// program said.
func Data(s string) Text {
	if s == "" {
		return ""
	}
	return Text(add(begin(formatted, "%s"), data, s))
}

// Join puts texts one after the other with separator between them, as
// strings.Join does; empty ones are left out.
func Join(separator Text, texts ...Text) Text {
	b, n := begin(joined, string(separator)), 0
	var last Text
	for _, t := range texts {
		if t != "" {
			b, last = add(b, text, string(t)), t
			n++
		}
	}
	if n < 2 {
		return last
	}
	return Text(b)
}

// stop ends a sentence.
const stop Text = "."

// Sentence makes a sentence of a text: with a capital, where it begins with a
// word of its own, and a full stop, where it has none.
func Sentence(t Text) Text {
	if t == "" {
		return ""
	}
	return Text(add(begin(sentence, string(stop)), text, string(t)))
}

// Capital begins a text with a capital, where it begins with a word of its own.
func Capital(t Text) Text {
	if t == "" {
		return ""
	}
	return Text(add(begin(sentence, ""), text, string(t)))
}

// Count fills n in: into one where it is 1, into many otherwise.
func Count(n int, one, many Text) Text {
	if n == 1 {
		return F(one, n)
	}
	return F(many, n)
}

// said gives what an argument says, where a translation may take its place.
func said(v verb, arg any) (Text, bool) {
	if !v.plain {
		return "", false
	}
	switch a := arg.(type) {
	case Text:
		return a, true
	case Speaker:
		return a.Say(), true
	case error:
		return Of(a), true
	}
	return "", false
}

// String gives the English text.
func (t Text) String() string { return t.In(func(english string) string { return english }) }

// In gives the text in another language: translate gives that language's form
// of an English text or format, with the same verbs, or with their numbers
// where their order differs: %[2]s.
func (t Text) In(translate func(english string) string) string {
	n, ok := parse(t)
	if !ok {
		return translate(string(t))
	}
	format := n.format
	if format != "" {
		format = translate(format)
	}
	args := make([]string, len(n.args))
	for i, a := range n.args {
		args[i] = a.content
		if a.kind == text {
			args[i] = Text(a.content).In(translate)
		}
	}
	switch n.kind {
	case joined:
		return strings.Join(args, format)
	case sentence:
		return ended(args[0], format, beginsItself(Text(n.args[0].content)))
	}
	return fill(format, args)
}

// ended makes s end with stop.
func ended(s, stop string, capital bool) string {
	if capital {
		r, size := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(r)) + s[size:]
	}
	if stop == "" || strings.HasSuffix(s, stop) || strings.HasSuffix(s, ".") {
		return s
	}
	return s + stop
}

// beginsItself tells whether a text begins with a word of its own rather than
// with something filled in.
func beginsItself(t Text) bool {
	n, ok := parse(t)
	switch {
	case !ok:
		return true
	case n.kind != formatted:
		return len(n.args) > 0 && beginsItself(Text(n.args[0].content))
	}
	return !strings.HasPrefix(n.format, "%")
}

// MarshalText gives the English text.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText takes any text as it stands.
func (t *Text) UnmarshalText(b []byte) error {
	if *t = Text(b); strings.HasPrefix(string(b), mark) {
		*t = Data(string(b))
	}
	return nil
}

// node is a Text taken apart.
type node struct {
	kind   byte
	format string
	args   []arg
}

type arg struct {
	kind    byte
	content string
}

func begin(kind byte, format string) string { return add(mark, kind, format) }

func add(b string, kind byte, s string) string {
	return b + string(kind) + strconv.Itoa(len(s)) + ":" + s
}

// parse takes a Text apart; false: it is one as it stands.
func parse(t Text) (node, bool) {
	rest, ok := strings.CutPrefix(string(t), mark)
	if !ok {
		return node{}, false
	}
	var n node
	for first := true; rest != ""; first = false {
		var a arg
		if a, rest, ok = cut(rest); !ok {
			return node{}, false
		}
		if first {
			n.kind, n.format = a.kind, a.content
		} else {
			n.args = append(n.args, a)
		}
	}
	return n, n.kind != sentence || len(n.args) == 1
}

// cut takes one part off the beginning.
func cut(s string) (a arg, rest string, ok bool) {
	size, rest, found := strings.Cut(s[1:], ":")
	n, err := strconv.Atoi(size)
	if !found || err != nil || n < 0 || n > len(rest) {
		return arg{}, "", false
	}
	return arg{kind: s[0], content: rest[:n]}, rest[n:], true
}
