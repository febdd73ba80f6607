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

// Because makes an error that says t alone, whatever it comes from; cause is
// wrapped.
func Because(t Text, cause error) error { return &failure{text: t, causes: []error{cause}} }

// Error gives the English text.
func (f *failure) Error() string { return f.text.String() }

// Say gives the text.
func (f *failure) Say() Text { return f.text }

// Unwrap gives the causes.
func (f *failure) Unwrap() []error { return f.causes }

// Of gives what an error says: of one that cannot say itself its text as it is
// before what it wraps, of joined ones each on a line.
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
	case interface{ Unwrap() error }:
		cause := e.Unwrap()
		if cause == nil {
			break
		}
		if before, ok := strings.CutSuffix(err.Error(), cause.Error()); ok {
			return F("%s%s", before, Of(cause))
		}
	}
	return ofSystem(err.Error())
}

// ofSystem makes a text of what the system says in a few words of its own, so
// that it can be said in another language.
func ofSystem(said string) Text {
	for _, t := range []Text{
		"permission denied", "operation not permitted", "no such file or directory", "file does not exist",
		"file already exists", "file exists", "file already closed", "not a directory", "is a directory", "directory not empty",
		"no space left on device", "read-only file system", "input/output error", "disk quota exceeded",
		"too many open files", "device or resource busy", "resource temporarily unavailable", "invalid argument",
		"connection refused", "connection reset by peer", "broken pipe", "network is unreachable", "no route to host",
		"i/o timeout", "context deadline exceeded", "context canceled", "no such host", "no such device", "no such process",
		"address already in use", "cannot assign requested address", "transport endpoint is not connected", "stale file handle",
		"host is down", "connection timed out", "unexpected EOF", "signal: killed",
		"executable file not found in $PATH", "exec format error", "unexpected end of JSON input",
	} {
		if said == string(t) {
			return t
		}
	}
	return Data(said)
}
