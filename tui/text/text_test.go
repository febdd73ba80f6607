package text

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// stays are the words that are the same in both languages: names, units and
// signs. A Japanese text that equals the English one must be among them.
var stays = []string{
	"MTU", "MAC", "If", "Windows", "%s (Docker)",
}

// texts gives every text of a catalogue by its path.
func texts(t *Texts) map[string]string {
	out := map[string]string{}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if v.Kind() == reflect.String {
			out[path] = v.String()
			return
		}
		if v.Kind() == reflect.Map || v.Kind() == reflect.Func {
			return
		}
		for i := range v.NumField() {
			walk(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
	walk("", reflect.ValueOf(t).Elem())
	return out
}

var verbs = regexp.MustCompile(`%[a-z%]`)

func TestCataloguesAreComplete(t *testing.T) {
	en, ja := texts(English()), texts(Japanese())
	for path, e := range en {
		j := ja[path]
		if e == "" || j == "" {
			t.Errorf("%s: missing in a catalogue: English %q, Japanese %q", path, e, j)
			continue
		}
		if e == j && !slices.Contains(stays, e) {
			t.Errorf("%s: %q is not translated, and not on the list of words that stay", path, e)
		}
		if a, b := verbs.FindAllString(e, -1), verbs.FindAllString(j, -1); !slices.Equal(a, b) {
			t.Errorf("%s: verbs differ: %q has %v, %q has %v", path, e, a, j, b)
		}
	}
}

func TestStayingWordsAreUsed(t *testing.T) {
	en, ja := texts(English()), texts(Japanese())
	for _, w := range stays {
		used := false
		for path, e := range en {
			used = used || e == w && ja[path] == w
		}
		if !used {
			t.Errorf("%q is on the list of words that stay, and no text is that", w)
		}
	}
}

func TestLanguageFollowsTheLocale(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i+1 < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		language string
		env      func(string) string
		want     string
	}{
		{"auto", env("LANG", "ja_JP.UTF-8"), "ブリッジ"},
		{"auto", env("LANG", "en_US.UTF-8"), "Bridge"},
		{"auto", env("LC_ALL", "C", "LANG", "ja_JP.UTF-8"), "Bridge"},
		{"auto", env(), "Bridge"},
		{"en", env("LANG", "ja_JP.UTF-8"), "Bridge"},
		{"ja", env("LANG", "C"), "ブリッジ"},
	} {
		if got := For(c.language, c.env).Panes.Bridge; got != c.want {
			t.Errorf("%s: %q, want %q", c.language, got, c.want)
		}
	}
	if !UTF8(env("LANG", "ja_JP.utf8")) || UTF8(env("LC_ALL", "C", "LANG", "ja_JP.UTF-8")) || UTF8(env("LANG", "ja_JP.eucJP")) {
		t.Error("UTF8 misjudges a locale")
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"web1":                   "web1",
		"":                       "",
		"受付システム":                 "受付システム",
		"a\nb\tc":                "a b c",
		"\x1b[31mred\x1b[0m":     "red",
		"\x1b]0;title\aname":     "name",
		"\x1b]52;c;aGk=\x1b\\x":  "x",
		"a\x1b[2Jb\x1b[Hc":       "abc",
		"a\rb\bc\x00d\x7fe":      "a bcde",
		"a\u009b31mb":            "a31mb",
		"safe\u202egnp.exe":      "safegnp.exe",
		"a\u2066b\u2069c\u200ed": "abcd",
		"zero\u200bwidth\ufeff":  "zerowidth",
		"か\u3099":                "が",
		"👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f": "👍 👨👩👧 ❤",
		"z\u0301\u0301\u0301\u0301":  "ź\u0301\u0301",
		"bad\xff\xfeutf8":            "badutf8",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Line(strings.Repeat("長", 5000)); len(got) > maxLine+3 || !strings.HasSuffix(got, "…") {
		t.Errorf("a long name stays %d bytes long", len(got))
	}
	if got, want := Block("a\r\nb\x1b[1m\n\tc\u202e"), "a\nb\n    c"; got != want {
		t.Errorf("Block = %q, want %q", got, want)
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"web1", "\x1b[31m", "受付", "👨\u200d👩", "\u202e", "z\u0301\u0301\u0301", "\x9b1m", "\x1bP\x1b\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q: not UTF-8", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("Line(%q) keeps %U", s, r)
			}
		}
		if ansi.StringWidth(got) != ansi.StringWidthWc(got) {
			t.Fatalf("Line(%q) = %q: terminals disagree about its width: %d, %d", s, got, ansi.StringWidth(got), ansi.StringWidthWc(got))
		}
		for _, w := range []int{0, 1, 2, 7, 80} {
			if fitted := Fit(got, w); Width(fitted) != w {
				t.Fatalf("Fit(%q, %d) has %d cells", got, w, Width(fitted))
			}
			for _, l := range Wrap(got, w) {
				if w > 1 && Width(l) > w {
					t.Fatalf("Wrap(%q, %d) has a line of %d cells: %q", got, w, Width(l), l)
				}
			}
		}
	})
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                               "now",
		-time.Hour:                      "now",
		9 * time.Second:                 "now",
		59 * time.Second:                "50 s",
		time.Minute:                     "1 min",
		59*time.Minute + 59*time.Second: "59 min",
		47 * time.Hour:                  "47 h",
		48 * time.Hour:                  "2 d",
	} {
		if got := English().Age(d); got != want {
			t.Errorf("Age(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestLatency(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		0:                       {"<1ms", "0.00 ms"},
		430 * time.Microsecond:  {"<1ms", "0.43 ms"},
		3600 * time.Microsecond: {"3ms", "3.6 ms"},
		9900 * time.Microsecond: {"7ms", "9.9 ms"},
		13 * time.Millisecond:   {"10ms", "13 ms"},
		16 * time.Millisecond:   {"15ms", "16 ms"},
		997 * time.Millisecond:  {"700ms", "997 ms"},
		2500 * time.Millisecond: {"2s", "2500 ms"},
	} {
		if got := Latency(d); got != want[0] {
			t.Errorf("Latency(%v) = %q, want %q", d, got, want[0])
		}
		if got := Exact(d); got != want[1] {
			t.Errorf("Exact(%v) = %q, want %q", d, got, want[1])
		}
	}
}

// Japanese is broken between characters, but not before what ends a clause, and
// not within an address.
func TestWrapOfJapanese(t *testing.T) {
	for s, want := range map[string]string{
		"経路 10.87.1.0/24、ゲートウェイ":          "経路|10.87.1.0/24、|ゲートウェイ",
		"ブリッジがありません。作成":                   "ブリッジがあり|ません。作成",
		"経路の別のゲートウェイ":                     "経路の別の|ゲートウェイ",
		"読み取るネットワーク名":                     "読み取る|ネットワーク名",
		"あいうえおかきく。けこ":                     "あいうえおかき|く。けこ",
		"値 (正しくは 10.87.1.0) です":           "値 (正しくは|10.87.1.0) です",
		"sudo flatnet-tui route apply 実行": "sudo|flatnet-tui|route apply 実|行",
	} {
		if got := strings.Join(Wrap(s, 15), "|"); got != want {
			t.Errorf("%q is broken as %q, want %q", s, got, want)
		}
	}
}

func TestWrapLosesNothing(t *testing.T) {
	s := "run in an administrator's PowerShell: route add 10.87.1.0 mask 255.255.255.0 172.29.112.5 受付システムの経路を追加します, too small: it has 19x22, no; iptables-nft -A FLATNET-FORWARD -o br0"
	for w := 2; w < 90; w++ {
		for _, l := range Wrap(s, w) {
			if Width(l) > w {
				t.Fatalf("width %d: %q has %d cells", w, l, Width(l))
			}
			if strings.TrimSpace(l) == "" {
				t.Fatalf("width %d: an empty line", w)
			}
		}
		squeeze := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if got := squeeze(strings.Join(Wrap(s, w), "\n")); got != squeeze(s) {
			t.Fatalf("width %d loses something: %q", w, got)
		}
	}
}
