package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/BurntSushi/toml"

	"flatnet/core"
	"flatnet/core/config/layout"
	"flatnet/core/say"
)

// Env names the environment variable that says where the configuration is.
const Env = "FLATNET_CONFIG"

// MaxFile bounds a configuration file, in bytes.
const MaxFile = 1 << 20

// maxItems bounds the keys and tables of a file: the parser's time grows with
// their square, to a second here.
const maxItems = 20_000

// Load reads and checks the configuration at path, or where Lookup finds it
// when path is "". No file at the default place is valid and gives Default;
// a missing file that was named is ErrMissing. The error of a file with
// mistakes is an *Error with all of them.
func Load(path string) (Config, error) { return load(path) }

// load is Load with mistakes in the spared tables left out.
func load(path string, spared ...string) (Config, error) {
	named := path != "" || os.Getenv(Env) != ""
	if path == "" {
		path = Lookup()
	}
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return Default(), nil
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, readError(path, ErrMissing, "name a file that is there; sudo flatnet-tui init writes a first one")
	case errors.Is(err, fs.ErrPermission):
		return Config{}, readError(path, err, "run as a user who may read it")
	case err != nil:
		return Config{}, readError(path, say.Errorf("%w: %w", ErrNotReadable, err), "see whether it is a plain file, and whether its disk is in order (dmesg)")
	}
	c, err := parse(path, data, spared)
	c.Path = path
	return c, err
}

// Lookup gives the path that Load("") reads: FLATNET_CONFIG, or DefaultPath.
func Lookup() string {
	if path := os.Getenv(Env); path != "" {
		return path
	}
	return DefaultPath
}

func readError(path string, err error, hint say.Text) error {
	return &core.OpError{Op: "read the configuration", Target: path, Err: err, Hint: hint}
}

// readFile reads a regular file, and no more of it than Parse would take. It
// does not wait for the writer of a pipe.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, say.New("it is not a regular file")
	}
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

// Parse checks the TOML text of the file called name. Its error is an *Error.
func Parse(name string, data []byte) (Config, error) { return parse(name, data, nil) }

func parse(name string, data []byte, spared []string) (Config, error) {
	raw, problem := decode(data)
	if problem != nil {
		problem.File = name
		return Config{}, &Error{[]Problem{*problem}}
	}
	c := bare()
	check := checker{tables: schema(&c), spared: spared}
	check.document(raw)
	derive(&c)
	for _, t := range check.tables {
		check.complaints(t.name, conflicts(c)[t.name])
	}
	if err := check.result(name, data); err != nil {
		return Config{}, err
	}
	return c, nil
}

// decode reads TOML into plain values; a problem is one of syntax.
func decode(data []byte) (map[string]any, *Problem) {
	if len(data) > MaxFile {
		return nil, &Problem{Text: say.F("the file has more than %d bytes", MaxFile), Want: "a configuration, which is far smaller"}
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, &Problem{Line: 1, Column: 1, Text: "the file is in UTF-16", Want: "UTF-8"}
	}
	items, err := layout.Read(data)
	switch {
	case errors.Is(err, layout.ErrDeep):
		return nil, deep(data, items)
	case len(items) > maxItems:
		return nil, &Problem{Line: 1, Column: 1, Text: say.F("%d keys and tables are too many", len(items)), Want: say.F("at most %d", maxItems)}
	}
	var raw map[string]any
	err = toml.Unmarshal(data, &raw)
	var syntax toml.ParseError
	switch {
	case err == nil:
		return raw, nil
	case errors.As(err, &syntax):
		p := syntax.Position
		return nil, &Problem{Line: max(p.Line, 1), Column: max(p.Col, 1), Text: saidByTOML(syntax.Message)}
	}
	return nil, &Problem{Text: saidByTOML(err.Error())}
}

// deep places the problem of ErrDeep, which ends items.
func deep(data []byte, items []layout.Item) *Problem {
	p := &Problem{Line: 1, Column: 1, Text: "lists, tables or keys are nested too deep", Want: "as flat as the reference shows"}
	if len(items) > 0 {
		p.Line, p.Column = layout.Position(data, items[len(items)-1].Start)
	}
	return p
}
