package text

import (
	"strings"

	"flatnet/core/say"
)

// Say gives what core says in the catalogue's language, on one line, made safe
// to draw.
func (t *Texts) Say(x say.Text) string { return Line(x.In(t.translate)) }

// SayAll is Say with the text's lines kept apart.
func (t *Texts) SayAll(x say.Text) string { return Block(x.In(t.translate)) }

// translate gives the catalogue's form of a text or format of core's: itself,
// where the catalogue has none. A text that lost its form is read.
func (t *Texts) translate(english string) string {
	if other, ok := t.Said[english]; ok {
		return other
	}
	if t.forms == nil || len(say.Verbs(english)) > 0 || !strings.Contains(english, " ") {
		return english
	}
	if x, ok := t.read(english); ok {
		return x.In(t.translate)
	}
	return english
}
