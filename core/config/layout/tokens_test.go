package layout_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"flatnet/core/config/layout"
)

// TestValues: where a value ends, for every form that TOML has.
func TestValues(t *testing.T) {
	for _, value := range []string{
		`""`, `"a # \" ] b"`, `"\\"`, `''`, `'C:\'`,
		`"""a "quoted" b\""""`, `"""""two""\u00e9"""""`, "\"\"\"\n[x]\n\"\"\"", "''''a'''''", "'''\n# no comment\n'''",
		"+1_000", "-0.5e-3", "0xDEAD", "-inf", "true",
		"1979-05-27", "07:32:00.5", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.25-07:00",
		"[]", "[ 1.5,\r\n 2, # two ]\n ]", "{}", `{ a.b = 1, 'c' = [{}, {d = "}"}] }`,
	} {
		for _, after := range []string{"", " ", "\r", " # more", "\t#"} {
			text := `"k\u0065y" = ` + value + after + "\nnext = 1979-05-27 # day\n"
			var sane map[string]any
			if err := toml.Unmarshal([]byte(text), &sane); err != nil || sane["key"] == nil {
				t.Fatalf("%q is no TOML: %v", text, err)
			}
			items, err := layout.Read([]byte(text))
			if err != nil || items[0].Key != "key" || text[items[0].Value.Start:items[0].Value.End] != value {
				t.Errorf("%q: %+v, %v", text, items, err)
				continue
			}
			if last := items[len(items)-1]; last.Key != "next" || text[last.Value.Start:last.Value.End] != "1979-05-27" {
				t.Errorf("%q ends with %+v", text, last)
			}
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	text := []byte("\ufeff[network]\n")
	items, err := layout.Read(text)
	if err != nil || len(items) != 1 || items[0].Key != "network" {
		t.Fatalf("%+v, %v", items, err)
	}
	if line, column := layout.Position(text, items[0].Start); line != 1 || column != 1 {
		t.Errorf("it stands at %d:%d", line, column)
	}
}

// Whatever the text is, reading ends, and every place is inside it. What a
// parser takes is read to its end, and each value is one for itself.
func FuzzRead(f *testing.F) {
	f.Add([]byte("a.b = [1, {c = 'd'}]\n[[x]]\n\"\\u0041\" = \"\"\"\n\"\"\"\n"))
	f.Add([]byte("\"\\e\\\\e\" = 1\nb.\"\\x41\" = ''\n"))
	f.Add([]byte("\ufeffa=1979-05-27 07:32:00Z\r\nb={c=1,d=[{e='''f'''}]}#g"))
	f.Fuzz(func(t *testing.T, text []byte) {
		items, err := layout.Read(text)
		for _, item := range items {
			if item.Start < 0 || item.Start > len(text) || item.Value.Start > item.Value.End || item.Value.End > len(text) {
				t.Fatalf("%+v is outside of %d bytes", item, len(text))
			}
		}
		if errors.Is(err, layout.ErrDeep) || !utf8.Valid(text) || toml.Unmarshal(text, &map[string]any{}) != nil {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, item := range items {
			value := text[item.Value.Start:item.Value.End]
			if len(value) > 0 && toml.Unmarshal(append([]byte("v = "), value...), &map[string]any{}) != nil {
				t.Fatalf("%q has the value %q", text, value)
			}
		}
	})
}
