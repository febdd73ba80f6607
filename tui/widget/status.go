package widget

import (
	"flatnet/core/health"
	"flatnet/tui/text"
)

// ToneOf gives the tone of a severity.
func ToneOf(s health.Severity) Tone {
	switch s {
	case health.OK:
		return OK
	case health.Warn:
		return Warn
	case health.Fail:
		return Fail
	case health.Unknown:
	}
	return Unknown
}

// Sign gives the sign of a tone that is a state; " " for every other.
func (l *Look) Sign(t Tone) string {
	switch t {
	case OK:
		return l.Glyphs.OK
	case Warn:
		return l.Glyphs.Warn
	case Fail:
		return l.Glyphs.Fail
	case Unknown:
		return l.Glyphs.Unknown
	default:
		return " "
	}
}

// Word gives the word of a severity.
func Word(s health.Severity, t *text.Texts) string {
	switch s {
	case health.OK:
		return t.State.OK
	case health.Warn:
		return t.State.Warn
	case health.Fail:
		return t.State.Fail
	case health.Unknown:
	}
	return t.State.Unknown
}

// Status draws glyph, word and colour: never colour alone. word "" takes the
// severity's own.
func (l *Look) Status(s health.Severity, word string) string {
	if word == "" {
		word = Word(s, l.Text)
	}
	return l.Paint(ToneOf(s), l.Sign(ToneOf(s))+" "+word)
}
