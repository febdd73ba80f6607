package text

import "flatnet/core/say"

// Say gives what core says in the catalogue's language, on one line, made safe
// to draw.
func (t *Texts) Say(x say.Text) string { return Line(x.In(t.translate)) }

// SayAll is Say with the text's lines kept apart.
func (t *Texts) SayAll(x say.Text) string { return Block(x.In(t.translate)) }

// translate gives the catalogue's form of a text or format of core's: itself,
// where the catalogue has none.
func (t *Texts) translate(english string) string {
	if other, ok := t.Said[english]; ok {
		return other
	}
	return english
}
