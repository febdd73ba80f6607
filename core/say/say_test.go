package say_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"flatnet/core/say"
)

// reversed stands in for another language.
func reversed(english string) string {
	return map[string]string{
		"%s is missing": "nai: %s", "the bridge": "hashi", "%s goes to %s": "%[2]s e %[1]s", "%d port": "%d ko",
		"%d ports": "%d ko", ", ": "; ", ".": "!", "cannot look: %w": "mirarenai: %w", "it is gone": "kieta", "100 %% of %s": "%s no 100 %%",
		"%.1f ms": "%.1f byou", "permission denied": "kobamareta", "file already exists": "mou aru",
	}[english]
}

func translated(english string) string {
	if o := reversed(english); o != "" {
		return o
	}
	return english
}

func TestTextsInEnglishAndAnother(t *testing.T) {
	gone := say.New("it is gone")
	for _, c := range []struct {
		text           say.Text
		english, other string
	}{
		{"", "", ""},
		{"the bridge", "the bridge", "hashi"},
		{say.F("%s is missing", "the bridge"), "the bridge is missing", "nai: the bridge"},
		{say.F("%s is missing", say.Text("the bridge")), "the bridge is missing", "nai: hashi"},
		{say.F("%s goes to %s", "a", say.F("%s is missing", "b")), "a goes to b is missing", "nai: b e a"},
		{say.F("100 %% of %s", "x"), "100 % of x", "x no 100 %"},
		{say.F("%.1f ms", 3.14), "3.1 ms", "3.1 byou"},
		{say.Count(1, "%d port", "%d ports"), "1 port", "1 ko"},
		{say.Count(2, "%d port", "%d ports"), "2 ports", "2 ko"},
		{say.Join(", ", "the bridge", "", say.Data("eth0")), "the bridge, eth0", "hashi; eth0"},
		{say.Join(", ", "", "the bridge"), "the bridge", "hashi"},
		{say.Sentence("the bridge"), "The bridge.", "Hashi!"},
		{say.Sentence(say.F("%s is missing", "br0")), "br0 is missing.", "nai: br0!"},
		{say.Sentence(say.Data("it ended.")), "it ended.", "it ended."},
		{say.Of(say.Errorf("cannot look: %w", gone)), "cannot look: it is gone", "mirarenai: kieta"},
		{say.Of(errors.Join(gone, fs.ErrExist)), "it is gone\nfile already exists", "kieta\nmou aru"},
		{say.Of(fmt.Errorf("why: %w", gone)), "why: it is gone", "why: kieta"},
		{say.Of(fmt.Errorf("%w, why?", gone)), "it is gone, why?", "it is gone, why?"},
		{say.Of(&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}), "open /x: permission denied", "open /x: kobamareta"},
		{say.Of(nil), "", ""},
		{say.Data("\x00f1:x"), "\x00f1:x", "\x00f1:x"},
	} {
		other := c.text.In(translated)
		if c.text.String() != c.english || other != c.other {
			t.Errorf("%q, %q; want %q, %q", c.text.String(), other, c.english, c.other)
		}
		if got := fmt.Sprintf("%s|%v", c.text, c.text); got != c.english+"|"+c.english {
			t.Errorf("printed as %q", got)
		}
	}
}

func TestErrorsAreWrapped(t *testing.T) {
	gone := say.New("it is gone")
	err := say.Errorf("cannot look: %w", gone)
	if !errors.Is(err, gone) || errors.Is(say.New("it is gone"), gone) {
		t.Error("an error is found where it is not, or not where it is")
	}
	if errors.Is(say.Errorf("cannot look: %v", gone), gone) {
		t.Error("a cause that is only named is wrapped")
	}
	if both := say.Errorf("%w: %w", gone, fs.ErrExist); !errors.Is(both, gone) || !errors.Is(both, fs.ErrExist) {
		t.Error("one of two causes is lost")
	}
}

// JSON holds the English text, and whatever stands there can be read.
func TestJSONIsEnglish(t *testing.T) {
	for _, text := range []say.Text{say.F("%s is missing", "br0"), "plain", ""} {
		out, err := json.Marshal(text)
		if want, _ := json.Marshal(text.String()); err != nil || string(out) != string(want) {
			t.Errorf("%s, %v", out, err)
		}
	}
	var back say.Text
	if err := json.Unmarshal([]byte(`"\u0000f99:x"`), &back); err != nil || back.String() != "\x00f99:x" {
		t.Errorf("%q, %v", back, err)
	}
	one, other := say.F("%s is missing", "a"), say.F("%s is missing", "a")
	if one != other {
		t.Error("two texts that say the same are not equal")
	}
}

// What was written down and read again can be said as before.
func TestReadGivesTheFormBack(t *testing.T) {
	formats := []say.Text{"%s goes to %s", "%s is missing", "%d ports", "100 %% of %s", "the bridge"}
	for english, other := range map[string]string{
		"br0 is missing":               "nai: br0",
		"the bridge is missing":        "nai: hashi",
		"a goes to b is missing":       "nai: b e a",
		"2 ports":                      "2 ko",
		"two ports":                    "two ports",
		"100 % of x":                   "x no 100 %",
		"the bridge":                   "hashi",
		"open /x: permission denied":   "open /x: kobamareta",
		"permission denied":            "kobamareta",
		"it is another thing, is this": "it is another thing, is this",
		" is missing":                  " is missing",
		"":                             "",
	} {
		got := say.Read(english, formats...)
		if o := got.In(translated); got.String() != english || o != other {
			t.Errorf("%q reads as %q, in the other language %q, want %q", english, got.String(), o, other)
		}
	}
}

// FuzzText: whatever a text holds, it is written down as fmt does, and read
// without a panic.
func FuzzText(f *testing.F) {
	f.Add("%s is missing", "br0")
	f.Add("\x00f2:%sd1:x", "\x00")
	f.Add("%[2]s %% %", "%s")
	f.Fuzz(func(t *testing.T, form, value string) {
		_ = say.Text(form).String()
		var read say.Text
		if err := read.UnmarshalText([]byte(form)); err != nil || read.String() != form {
			t.Errorf("%q became %q", form, read)
		}
		if got, want := say.F("a %s: %q", say.Data(value), value).String(), fmt.Sprintf("a %s: %q", value, value); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if strings.HasPrefix(form, "\x00") {
			return // no constant is one
		}
		if got := say.Read(value, say.Text(form), "%s is missing").String(); got != value {
			t.Errorf("%q reads as %q", value, got)
		}
	})
}
