package say

import "strings"

// failure is an error that can say itself.
type failure struct {
	text   Text
	causes []error
}

// New makes an error of a constant text, as errors.New does: each is another.
func New(t Text) error { return &failure{text: t} }

// Errorf makes an error as fmt.Errorf does; what %w names is wrapped.
func Errorf(format Text, args ...any) error {
	f := &failure{text: F(format, args...)}
	wrapped := strings.Count(string(format), "%w") > 0
	for _, a := range args {
		if err, ok := a.(error); ok && wrapped {
			f.causes = append(f.causes, err)
		}
	}
	return f
}

// Error gives the English text.
func (f *failure) Error() string { return f.text.String() }

// Say gives the text.
func (f *failure) Say() Text { return f.text }

// Unwrap gives the causes.
func (f *failure) Unwrap() []error { return f.causes }

// Of gives what an error says: of one that cannot say itself its text as it
// is, of joined ones each on a line.
func Of(err error) Text {
	switch e := err.(type) { //nolint:errorlint // what it wraps says only a part
	case nil:
		return ""
	case Speaker:
		return e.Say()
	case interface{ Unwrap() []error }:
		var all []Text
		for _, one := range e.Unwrap() {
			all = append(all, Of(one))
		}
		if t := Join("\n", all...); t.String() == err.Error() {
			return t
		}
	}
	return Data(err.Error())
}
