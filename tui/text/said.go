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

// translate gives the catalogue's form of a text or format of core's. A text
// that lost its form is read; one that is not known stays as it is.
func (t *Texts) translate(english string) string {
	if _, ok := t.Said[english]; ok || t.forms == nil || len(say.Verbs(english)) > 0 || !strings.Contains(english, " ") {
		return t.found(english)
	}
	if x, ok := t.read(english); ok {
		return x.In(t.found)
	}
	return english
}

// found gives the catalogue's form, or the English one.
func (t *Texts) found(english string) string {
	if other, ok := t.Said[english]; ok {
		return other
	}
	return english
}
