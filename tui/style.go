package tui

import (
	"slices"

	"github.com/charmbracelet/colorprofile"

	"flatnet/themes"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// style decides which theme is drawn with: the chosen one, or by itself the
// one that suits the terminal's background and colours.
type style struct {
	themes []themes.Theme
	chosen string // id; "" or "auto": by itself
	dark   bool
	told   bool // the terminal has said what its background is
	colour colorprofile.Profile
	ascii  bool // the terminal has nothing else
	glyphs widget.Glyphs
	texts  *text.Texts
	look   *widget.Look
}

func newStyle(o Options, t *text.Texts) style {
	s := style{themes: o.Themes, chosen: o.Theme, dark: true, colour: colorprofile.TrueColor, glyphs: widget.ASCII(), ascii: true, texts: t}
	if text.UTF8(o.getenv) {
		s.glyphs, s.ascii = widget.Unicode(), false
	}
	if o.getenv("NO_COLOR") != "" {
		s.colour = colorprofile.ASCII
	}
	s.apply()
	return s
}

// profile takes in how many colours the terminal has.
func (s *style) profile(p colorprofile.Profile) {
	s.colour = p
	s.apply()
}

// background takes in whether the terminal's background is dark.
func (s *style) background(dark bool) {
	s.dark, s.told = dark, true
	s.apply()
}

// theme gives the id of the theme to draw with.
func (s *style) theme() string {
	switch {
	case s.colour <= colorprofile.ASCII:
		return "mono"
	case s.chosen != "" && s.chosen != "auto":
		return s.chosen
	case s.colour == colorprofile.ANSI:
		return "ansi"
	case s.dark:
		return "dark"
	}
	return "light"
}

func (s *style) apply() {
	i := slices.IndexFunc(s.themes, func(t themes.Theme) bool { return t.ID == s.theme() })
	s.look = widget.NewLook(s.themes[max(0, i)], s.glyphs, s.texts)
}

// next chooses the theme after the present one and gives its name. Themes for
// another background than the terminal's are passed over.
func (s *style) next() string {
	now := s.theme()
	i := slices.IndexFunc(s.themes, func(t themes.Theme) bool { return t.ID == now })
	for range s.themes {
		i = (i + 1) % len(s.themes)
		if s.suits(s.themes[i]) {
			break
		}
	}
	s.choose(s.themes[i].ID)
	return s.themes[i].Name
}

// choose has the theme of that id drawn with from now on.
func (s *style) choose(id string) {
	s.chosen = id
	s.apply()
}

func (s *style) suits(t themes.Theme) bool {
	other := themes.Light
	if !s.dark {
		other = themes.Dark
	}
	return !s.told || t.Background != other
}
