// Package themes holds the colours of the console: one TOML file a theme, the
// built-in ones embedded, a user's own beside them. It only reads and checks;
// drawing is the console's.
package themes

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed *.toml
var builtin embed.FS

// Bounds of what is read from a user's directory.
const (
	maxFile   = 64 << 10 // bytes
	maxThemes = 100
)

// Kinds of background that a theme is made for.
const (
	Dark  = "dark"
	Light = "light"
	Any   = "any" // looks right on both
)

// Theme is a complete set of semantic styles: a theme that leaves one out is
// refused, so that nothing is ever drawn without a decision.
type Theme struct {
	ID         string `toml:"-"` // file name without .toml
	Name       string `toml:"name"`
	Background string `toml:"background"` // Dark, Light or Any

	Text     Spec `toml:"text"`     // ordinary text
	Muted    Spec `toml:"muted"`    // what may be overlooked: units, ages, hints
	Title    Spec `toml:"title"`    // a pane's title
	Heading  Spec `toml:"heading"`  // column heads
	Accent   Spec `toml:"accent"`   // the focused frame, keys in hints
	Frame    Spec `toml:"frame"`    // other frames
	Selected Spec `toml:"selected"` // the row under the cursor
	Marked   Spec `toml:"marked"`   // rows marked for an action
	Match    Spec `toml:"match"`    // the filter's text
	OK       Spec `toml:"ok"`
	Warn     Spec `toml:"warn"`
	Fail     Spec `toml:"fail"`
	Unknown  Spec `toml:"unknown"`
	Added    Spec `toml:"added"`   // lines that a plan adds
	Removed  Spec `toml:"removed"` // lines that a plan takes away
	Button   Spec `toml:"button"`  // the chosen button of a dialog
}

// Parse reads one theme. Errors name the file and the line or the key.
func Parse(name string, data []byte) (Theme, error) {
	var t Theme
	md, err := toml.Decode(string(data), &t)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return Theme{}, fmt.Errorf("%s:%d: %s", name, pe.Position.Line, pe.Message)
		}
		return Theme{}, fmt.Errorf("%s: %w", name, err)
	}
	if extra := md.Undecoded(); len(extra) > 0 {
		return Theme{}, fmt.Errorf("%s: unknown key %q", name, extra[0].String())
	}
	for _, key := range Tokens() {
		if !md.IsDefined(key) {
			return Theme{}, fmt.Errorf("%s: %q is missing: a theme sets every key", name, key)
		}
	}
	if t.Background != Dark && t.Background != Light && t.Background != Any {
		return Theme{}, fmt.Errorf("%s: background = %q: one of dark, light, any", name, t.Background)
	}
	t.ID = strings.TrimSuffix(filepath.Base(name), ".toml")
	return t, nil
}

// Tokens are the keys that a theme sets, in the order of the documentation.
func Tokens() []string {
	return []string{
		"name", "background", "text", "muted", "title", "heading", "accent", "frame", "selected", "marked", "match",
		"ok", "warn", "fail", "unknown", "added", "removed", "button",
	}
}

// Builtin gives the embedded themes, by id.
func Builtin() ([]Theme, error) {
	return read(builtin, ".")
}

// Load gives the built-in themes and those in dir, sorted by id; a theme in
// dir replaces the built-in one of its name. A file that is not a theme is
// left out, and the error says why; the themes returned are good all the
// same. A dir that is "" or absent has none.
func Load(dir string) ([]Theme, error) {
	all, err := Builtin()
	if err != nil || dir == "" {
		return all, err
	}
	own, err := read(os.DirFS(dir), ".")
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	for _, t := range own {
		all = put(all, t)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all, err
}

func put(all []Theme, t Theme) []Theme {
	for i := range all {
		if all[i].ID == t.ID {
			all[i] = t
			return all
		}
	}
	return append(all, t)
}

// read gives every good theme in dir and the joined errors of the others.
func read(fsys fs.FS, dir string) ([]Theme, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var themes []Theme
	var bad []error
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".toml" || len(themes) == maxThemes {
			continue
		}
		t, err := readOne(fsys, e)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		themes = append(themes, t)
	}
	return themes, errors.Join(bad...)
}

func readOne(fsys fs.FS, e fs.DirEntry) (Theme, error) {
	info, err := e.Info()
	if err != nil {
		return Theme{}, fmt.Errorf("%s: %w", e.Name(), err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return Theme{}, fmt.Errorf("%s: not a file of at most %d bytes", e.Name(), maxFile)
	}
	data, err := fs.ReadFile(fsys, e.Name())
	if err != nil {
		return Theme{}, err
	}
	return Parse(e.Name(), data)
}
