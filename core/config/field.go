package config

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"flatnet/core/say"
)

// field is one key, bound to its place in a Config: set checks what a file
// says and stores it, literal gives what is stored as a file would say it.
type field struct {
	name    string
	kind    string   // as in Key.Type
	want    say.Text // what is right, in words
	doc     say.Text
	allowed []string
	set     func(v any) error // v as TOML decodes it; the error is a *mismatch
	literal func() string
}

// mismatch is a value that a key cannot have.
type mismatch struct{ text, want say.Text }

// Error is Say in English.
func (m *mismatch) Error() string { return m.Say().String() }

// Say says what is wrong, and what is right.
func (m *mismatch) Say() say.Text { return withRight(m.text, m.want) }

func withRight(wrong, want say.Text) say.Text {
	if want == "" {
		return wrong
	}
	return say.F("%s; right is %s", wrong, want)
}

// rule says which strings are right for a key.
type rule struct {
	kind  string
	want  say.Text
	check func(string) error // its text says what is wrong
}

// maxString bounds every string of the configuration, in bytes.
const maxString = 4096

func wrongType(v any, want say.Text) error {
	return &mismatch{say.F("this is %s", typeName(v)), want}
}

func typeName(v any) say.Text {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a point"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	case nil:
		return "null"
	}
	return "a date or time"
}

// checked applies r to v.
func (r rule) checked(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", wrongType(v, r.want)
	}
	if len(s) > maxString {
		return "", &mismatch{say.F("%d bytes are too long", len(s)), r.want}
	}
	if err := r.check(s); err != nil {
		return "", &mismatch{say.F("%s %w", shown(s), err), r.want}
	}
	return s, nil
}

// shown quotes what a user wrote, cut to a line's worth.
func shown(s string) string {
	const most = 60
	runes := []rune(s)
	if len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(s)
}

func textField(name string, p *string, r rule, doc say.Text) field {
	return field{
		name: name, kind: r.kind, want: r.want, doc: doc,
		set: func(v any) error {
			s, err := r.checked(v)
			if err == nil {
				*p = s
			}
			return err
		},
		literal: func() string { return Quote(*p) },
	}
}

func choiceField(name string, p *string, allowed []string, doc say.Text) field {
	r := oneOf(allowed)
	f := textField(name, p, r, doc)
	f.allowed = allowed
	return f
}

func boolField(name string, p *bool, doc say.Text) field {
	const want say.Text = "true or false"
	return field{
		name: name, kind: "boolean", want: want, doc: doc,
		set: func(v any) error {
			b, ok := v.(bool)
			if !ok {
				return wrongType(v, want)
			}
			*p = b
			return nil
		},
		literal: func() string { return strconv.FormatBool(*p) },
	}
}

func tristateField(name string, p *Tristate, doc say.Text) field {
	const want say.Text = `"auto", true or false`
	return field{
		name: name, kind: "choice", want: want, doc: doc, allowed: []string{`"auto"`, "true", "false"},
		set: func(v any) error {
			switch v {
			case true:
				*p = On
			case false:
				*p = Off
			case string(Auto):
				*p = Auto
			default:
				if s, ok := v.(string); ok {
					return &mismatch{say.F("%s is none of its values", shown(s)), want}
				}
				return wrongType(v, want)
			}
			return nil
		},
		literal: func() string {
			if *p == Auto {
				return Quote(string(Auto))
			}
			return string(*p)
		},
	}
}

func intField(name string, p *int, low, high int, doc say.Text) field {
	want := say.F("a whole number from %d to %d", low, high)
	return numberField(name, p, want, doc, func(n int64) bool { return n >= int64(low) && n <= int64(high) })
}

func numberField(name string, p *int, want, doc say.Text, fits func(int64) bool) field {
	return field{
		name: name, kind: "integer", want: want, doc: doc,
		set: func(v any) error {
			n, ok := v.(int64)
			if !ok {
				return wrongType(v, want)
			}
			if !fits(n) {
				return &mismatch{say.F("%d is out of range", n), want}
			}
			*p = int(n)
			return nil
		},
		literal: func() string { return strconv.Itoa(*p) },
	}
}

func durationField(name string, p *time.Duration, low, high time.Duration, doc say.Text) field {
	want := say.F(`a duration from %s to %s, such as "10s" or "5m"`, Quote(durationText(low)), Quote(durationText(high)))
	return field{
		name: name, kind: "duration", want: want, doc: doc,
		set: func(v any) error {
			s, ok := v.(string)
			if !ok {
				return wrongType(v, want)
			}
			d, err := time.ParseDuration(s)
			if err != nil {
				return &mismatch{say.F("%s is not a duration", shown(s)), want}
			}
			if d < low || d > high {
				return &mismatch{say.F("%s is out of range", shown(s)), want}
			}
			*p = d
			return nil
		},
		literal: func() string { return Quote(durationText(*p)) },
	}
}

func sizeField(name string, p *int64, low, high int64, doc say.Text) field {
	want := say.F(`a size from %s to %s, such as "10MiB" or a number of bytes`, Quote(sizeText(low)), Quote(sizeText(high)))
	return field{
		name: name, kind: "size", want: want, doc: doc,
		set: func(v any) error {
			n, ok := sizeOf(v)
			if !ok {
				if s, is := v.(string); is {
					return &mismatch{say.F("%s is not a size", shown(s)), want}
				}
				return wrongType(v, want)
			}
			if n < low || n > high {
				return &mismatch{say.F("%d bytes are out of range", n), want}
			}
			*p = n
			return nil
		},
		literal: func() string { return Quote(sizeText(*p)) },
	}
}

func addrField(name string, p *netip.Addr, doc say.Text) field {
	const want say.Text = `an IPv4 address such as "10.87.1.1"`
	return field{
		name: name, kind: "address", want: want, doc: doc,
		set: func(v any) error {
			s, ok := v.(string)
			if !ok {
				return wrongType(v, want)
			}
			a, err := netip.ParseAddr(s)
			if err != nil || !a.Is4() {
				return &mismatch{say.F("%s is not an IPv4 address", shown(s)), want}
			}
			if a.IsUnspecified() || a.IsMulticast() {
				return &mismatch{say.F("%s cannot be one machine's address", shown(s)), want}
			}
			*p = a
			return nil
		},
		literal: func() string {
			if !p.IsValid() {
				return ""
			}
			return Quote(p.String())
		},
	}
}

func prefixField(name string, p *netip.Prefix, doc say.Text) field {
	r := subnetRule()
	return field{
		name: name, kind: r.kind, want: r.want, doc: doc,
		set: func(v any) error {
			s, err := r.checked(v)
			if err == nil {
				*p = netip.MustParsePrefix(s)
			}
			return err
		},
		literal: func() string { return Quote(p.String()) },
	}
}

// maxList bounds lists of plain values.
const maxList = 256

// listField is a list of strings, each right by r; add is called for each
// after clear has emptied the place.
func listField(name string, r rule, doc say.Text, put func([]string), get func() []string) field {
	want := say.F("a list, each of it %s", r.want)
	return field{
		name: name, kind: "list", want: want, doc: doc,
		set: func(v any) error {
			items, ok := v.([]any)
			if !ok {
				return wrongType(v, want)
			}
			if len(items) > maxList {
				return &mismatch{say.F("%d entries are too many", len(items)), say.F("at most %d", maxList)}
			}
			texts := make([]string, 0, len(items))
			for _, item := range items {
				s, err := r.checked(item)
				if err != nil {
					return err
				}
				if slices.Contains(texts, s) {
					return &mismatch{say.F("%s stands there twice", shown(s)), want}
				}
				texts = append(texts, s)
			}
			put(texts)
			return nil
		},
		literal: func() string {
			quoted := make([]string, 0, len(get()))
			for _, s := range get() {
				quoted = append(quoted, Quote(s))
			}
			return "[" + strings.Join(quoted, ", ") + "]"
		},
	}
}

// framing are the headers that tell a client, or a proxy on the way, where an
// answer ends and whose connection it is (RFC 9110 and 9112): a second one
// makes the next answer another's.
var framing = map[string]bool{
	"connection": true, "content-length": true, "keep-alive": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
}

// headersField is a table of response headers.
func headersField(name string, p *map[string]string) field {
	r := headerRule()
	const most = 50
	return field{
		name: name, kind: r.kind, want: r.want, doc: "Response headers that are added.",
		set: func(v any) error {
			raw, ok := v.(map[string]any)
			if !ok {
				return wrongType(v, r.want)
			}
			if len(raw) > most {
				return &mismatch{say.F("%d headers are too many", len(raw)), say.F("at most %d", most)}
			}
			headers := make(map[string]string, len(raw))
			for _, name := range slices.Sorted(maps.Keys(raw)) {
				if name == "" || len(name) > 100 || onlyHas(name, "-_") != nil {
					return &mismatch{say.F("%s cannot name a header", shown(name)), "letters, digits and -"}
				}
				if framing[strings.ToLower(name)] {
					return &mismatch{say.F("%s says where an answer ends, which is nginx's to say", shown(name)), "another header"}
				}
				s, err := r.checked(raw[name])
				if err != nil {
					return err
				}
				headers[name] = s
			}
			*p = headers
			return nil
		},
		literal: func() string {
			pairs := make([]string, 0, len(*p))
			for _, name := range slices.Sorted(maps.Keys(*p)) {
				pairs = append(pairs, Quote(name)+" = "+Quote((*p)[name]))
			}
			if len(pairs) == 0 {
				return "{}"
			}
			return "{ " + strings.Join(pairs, ", ") + " }"
		},
	}
}
