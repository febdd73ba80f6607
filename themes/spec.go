package themes

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Spec is how one kind of text looks. Colours are "#rrggbb", or "0" to "255"
// for the terminal's own palette, or "" for the terminal's default.
type Spec struct {
	Foreground, Background string
	Bold, Faint, Italic    bool
	Underline, Reverse     bool
}

var hex = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// UnmarshalText reads a form such as "bold #ff8700 on 236": attributes, a
// colour, and "on" with the colour behind.
func (s *Spec) UnmarshalText(b []byte) error {
	var r Spec
	words := strings.Fields(string(b))
	for i := 0; i < len(words); i++ {
		if words[i] == "on" {
			i++
			if i == len(words) || !colour(words[i]) {
				return fmt.Errorf("%q: after \"on\" comes a colour: #rrggbb or 0 to 255", b)
			}
			r.Background = words[i]
			continue
		}
		if !r.word(words[i]) {
			return fmt.Errorf("%q: %q is neither a colour (#rrggbb, 0 to 255) nor one of bold, faint, italic, underline, reverse", b, words[i])
		}
	}
	*s = r
	return nil
}

func (s *Spec) word(w string) bool {
	switch w {
	case "plain":
	case "bold":
		s.Bold = true
	case "faint":
		s.Faint = true
	case "italic":
		s.Italic = true
	case "underline":
		s.Underline = true
	case "reverse":
		s.Reverse = true
	default:
		if !colour(w) {
			return false
		}
		s.Foreground = w
	}
	return true
}

func colour(w string) bool {
	if hex.MatchString(w) {
		return true
	}
	n, err := strconv.Atoi(w)
	return err == nil && n >= 0 && n <= 255
}
