package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flatnet/core/say"
)

// Key is one key of the configuration, as users, the reference, the sample
// file and the console's form see it.
type Key struct {
	Name    string   `json:"name"`              // "network.subnet"; "gateway.site[].host" in a repeated table
	Type    string   `json:"type"`              // "string", "boolean", "integer", "duration", "size", "address", "network", "path", "list", "table", "choice"
	Default string   `json:"default"`           // as it would stand in the file; "" where there is none
	Doc     say.Text `json:"doc"`               // one or two sentences
	Allowed []string `json:"allowed,omitempty"` // the values of a choice
	Want    say.Text `json:"want"`              // what is right, in words: "a whole number from 1 to 100"
}

// Setting is a key with the value that a configuration has for it.
type Setting struct {
	Key
	Value   string `json:"value"`   // as it would stand in the file
	Changed bool   `json:"changed"` // it is not the default
}

// Section is a table of the configuration, [name] or [[name]].
type Section struct {
	Name     string // "network", "gateway.site"
	Doc      say.Text
	Repeated bool // a [[table]]
	Keys     []Key
}

// Sections lists every table with its keys, in the order of the file.
func Sections() []Section {
	c := Default()
	var all []Section
	for _, t := range schema(&c) {
		all = append(all, Section{Name: t.name, Doc: t.doc, Keys: keysOf(t.name+".", t.fields)})
		for _, l := range t.lists {
			name := t.name + "." + l.name
			all = append(all, Section{Name: name, Doc: l.doc, Repeated: true, Keys: keysOf(name+"[].", l.blank)})
		}
	}
	return all
}

// Keys lists every key, in the order of the file.
func Keys() []Key {
	var all []Key
	for _, s := range Sections() {
		all = append(all, s.Keys...)
	}
	return all
}

func keysOf(prefix string, fields []field) []Key {
	keys := make([]Key, len(fields))
	for i, f := range fields {
		keys[i] = f.key(prefix)
	}
	return keys
}

// key describes the field; what it is bound to holds the default.
func (f field) key(prefix string) Key {
	allowed := f.allowed
	if f.kind == "boolean" {
		allowed = []string{"true", "false"}
	}
	return Key{Name: prefix + f.name, Type: f.kind, Default: f.shownLiteral(), Doc: f.doc, Allowed: allowed, Want: f.want}
}

// shownLiteral is the literal, or "" for values that mean "not set".
func (f field) shownLiteral() string {
	switch l := f.literal(); l {
	case `""`, "[]", "{}":
		return ""
	default:
		return l
	}
}

// Settings lists every key of c with its value; repeated tables once an entry,
// "gateway.site[0].host".
func Settings(c Config) []Setting {
	usual := Default()
	defaults := schema(&usual)
	var all []Setting
	for i, t := range schema(&c) {
		all = append(all, settingsOf(t.name+".", t.fields, defaults[i].fields)...)
		for _, l := range t.lists {
			for n, fields := range l.bound() {
				all = append(all, settingsOf(fmt.Sprintf("%s.%s[%d].", t.name, l.name, n), fields, l.blank)...)
			}
		}
	}
	return all
}

func settingsOf(prefix string, fields, defaults []field) []Setting {
	all := make([]Setting, len(fields))
	for i, f := range fields {
		all[i] = Setting{Key: defaults[i].key(prefix), Value: f.shownLiteral()}
		all[i].Changed = all[i].Value != all[i].Default
	}
	return all
}

// Set gives s the value that a container's label has for the key of that name
// in [[gateway.site]] ("max_body"), with the same check as in the file. Lists
// are separated by commas; one header is "headers.NAME". The error says what
// would be right.
func (s *Site) Set(key, text string) error {
	name, header, isHeader := strings.Cut(key, ".")
	fields := siteFields(s)
	for _, f := range fields {
		switch {
		case f.name != name || isHeader != (f.kind == "table"):
		case isHeader:
			headers := map[string]any{header: text}
			for k, v := range s.Headers {
				if k != header {
					headers[k] = v
				}
			}
			return f.set(headers)
		default:
			return f.set(fromText(f.kind, text))
		}
	}
	return unknown(key, names(fields))
}

// fromText gives text the type that a key of that kind has in a file; what
// cannot be converted stays text, and is refused as such.
func fromText(kind, text string) any {
	switch kind {
	case "boolean":
		if text == "true" || text == "false" {
			return text == "true"
		}
	case "integer":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case "list":
		items := []any{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		return items
	}
	return text
}

// CheckValue says what is wrong with a value for the key of that name, as it
// would stand in a file; nil if nothing is. Repeated tables may have an index
// or none. What it cannot see is a conflict with other keys.
func CheckValue(name, literal string) error {
	c := Default()
	f, ok := fieldOf(schema(&c), withoutIndex(name))
	if !ok {
		return &mismatch{"there is no such key", ""}
	}
	raw, problem := decode([]byte("value = " + literal))
	if problem != nil {
		return &mismatch{"this is not one whole value", f.want}
	}
	if len(raw) != 1 {
		return &mismatch{"this is more than a value", f.want}
	}
	return f.set(raw["value"])
}

// fieldOf finds a key by its name without an index; in a repeated table it is
// that of the blank entry.
func fieldOf(tables []table, name string) (field, bool) {
	for _, t := range tables {
		key, ok := strings.CutPrefix(name, t.name+".")
		if !ok {
			continue
		}
		for _, l := range t.lists {
			if inList, ok := strings.CutPrefix(key, l.name+"."); ok {
				return byName(l.blank, inList)
			}
		}
		return byName(t.fields, key)
	}
	return field{}, false
}

func byName(fields []field, name string) (field, bool) {
	at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if at < 0 {
		return field{}, false
	}
	return fields[at], true
}

// withoutIndex takes "[]" and "[3]" out of a key's name.
func withoutIndex(name string) string {
	before, rest, found := strings.Cut(name, "[")
	if !found {
		return name
	}
	_, after, _ := strings.Cut(rest, "]")
	return before + withoutIndex(after)
}
