package text

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"flatnet/core/say"
)

// fewLetters is how many letters of its own a format needs that fills something
// in, to be known again in a text: one with fewer would fit too much.
const fewLetters = 6

// longest is the most bytes of a text that is read: ours are shorter, and a
// bundle comes from anybody.
const longest = 500

// formsOf gives the texts of a catalogue that can be read back, those that say
// most first, as soon as they are needed.
func formsOf(said map[string]string) func() []say.Text {
	return sync.OnceValue(func() []say.Text {
		var all []say.Text
		weight := map[say.Text]int{}
		for english := range said {
			var form say.Text
			n := letters(english)
			if (n >= fewLetters || len(say.Verbs(english)) == 0) && form.UnmarshalText([]byte(english)) == nil {
				all, weight[form] = append(all, form), n
			}
		}
		slices.SortFunc(all, func(a, b say.Text) int {
			return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b))
		})
		return all
	})
}

// letters counts what a format says itself.
func letters(format string) int {
	for _, v := range say.Verbs(format) {
		format = strings.Replace(format, v, "", 1)
	}
	n := 0
	for _, r := range format {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// read gives a text back its form that was written down in English, as in a
// bundle: a whole one, a sentence, or several of either. false: none is known.
func (t *Texts) read(english string) (say.Text, bool) {
	if len(english) > longest {
		return "", false
	}
	if x, ok := t.readFailure(english); ok {
		return x, true
	}
	if x := say.Read(english, t.forms()...); x != say.Data(english) {
		return x, true
	}
	if first, ok := strings.CutSuffix(english, "."); ok {
		for _, s := range []string{first, lowered(first)} {
			if x := say.Read(s, t.forms()...); x != say.Data(s) {
				return say.Sentence(x), true
			}
		}
	}
	for _, between := range []say.Text{"\n", ". ", "; ", ": "} {
		before, after, ok := strings.Cut(english, between.String())
		if !ok || before == "" || after == "" {
			continue
		}
		if between == ". " {
			before, between = before+".", " "
		}
		a, known := t.read(before)
		b, more := t.read(after)
		return say.Join(between, orData(a, before), orData(b, after)), known || more
	}
	return "", false
}

// readFailure reads what a core.OpError says: what was attempted, on what, and
// the cause behind a colon.
func (t *Texts) readFailure(english string) (say.Text, bool) {
	failed, cause, more := strings.Cut(english, ": ")
	what, ok := strings.CutPrefix(failed, "cannot ")
	if !ok || more && cause == "" {
		return "", false
	}
	why, _ := t.read(cause)
	why = orData(why, cause)
	if op := say.Read(what, t.forms()...); op != say.Data(what) {
		return say.Join(": ", say.F("cannot %s", op), why), true
	}
	for at := strings.LastIndexByte(what, ' '); at > 0; at = strings.LastIndexByte(what[:at], ' ') {
		if op := say.Read(what[:at], t.forms()...); op != say.Data(what[:at]) {
			return say.Join(": ", say.F("cannot %s %s", op, what[at+1:]), why), true
		}
	}
	return "", false
}

func orData(x say.Text, english string) say.Text { return cmp.Or(x, say.Data(english)) }

func lowered(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}
