package widget

import "flatnet/core/health"

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
func (l *Look) Word(s health.Severity) string {
	switch s {
	case health.OK:
		return l.Text.State.OK
	case health.Warn:
		return l.Text.State.Warn
	case health.Fail:
		return l.Text.State.Fail
	case health.Unknown:
	}
	return l.Text.State.Unknown
}

// Status draws glyph, word and colour: never colour alone. word "" takes the
// severity's own.
func (l *Look) Status(s health.Severity, word string) string {
	if word == "" {
		word = l.Word(s)
	}
	return l.Paint(ToneOf(s), l.Sign(ToneOf(s))+" "+word)
}
