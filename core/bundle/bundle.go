// Package bundle is everything that was seen at one moment in one file: to be
// sent to whoever helps, and to be opened in the console on any machine. It
// writes and reads the file and takes secrets out; looking is done by whoever
// fills it in, judging in core/health.
package bundle

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"flatnet/core"
	"flatnet/core/health"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/say"
)

// Schema is the version of the file's form.
const Schema = 1

// Kind tells a bundle from other JSON.
const Kind = "flatnet-bundle"

// Bounds of a bundle.
const (
	MaxText    = 256 << 10 // bytes of one text in it; the rest is cut off
	MaxJournal = 500       // newest entries of the journal
	MaxPaths   = 50        // sites followed
	maxFile    = 64 << 20  // bytes that Read takes
	maxParts   = 1 << 20   // values in it: a short "{}" becomes hundreds of bytes in memory
)

// ErrNotBundle says that a file is not a bundle that this program can read.
var ErrNotBundle = say.New("not an incident bundle")

// Bundle is one file.
type Bundle struct {
	Schema   int              `json:"schema"`
	Kind     string           `json:"kind"`
	Made     time.Time        `json:"made"`
	Versions Versions         `json:"versions"`
	Facts    health.Facts     `json:"facts"`
	Findings []health.Finding `json:"findings"` // all, as they were judged then
	Paths    []health.Path    `json:"paths"`    // to each site
	Links    []kernel.Link    `json:"links"`
	Routes   []kernel.Route   `json:"routes"`
	Journal  []journal.Entry  `json:"journal"` // newest last
	// Texts are files and outputs as they were, by name: "iptables-save",
	// "conf.d/flatnet.conf", "flatnet.log". What could not be read says so.
	Texts map[string]string `json:"texts"`
}

// Versions of what took part.
type Versions struct {
	Flatnet string `json:"flatnet"`
	Plugin  string `json:"plugin,omitempty"`
	Podman  string `json:"podman,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
	Go      string `json:"go"`
}

// Write writes b as JSON, without secrets and within bounds.
func Write(w io.Writer, b Bundle) error {
	b.Schema, b.Kind = Schema, Kind
	for name, text := range b.Texts {
		b.Texts[name] = cut(text)
	}
	b.Journal = withoutFiles(b.Journal[max(0, len(b.Journal)-MaxJournal):])
	b.Paths = b.Paths[:min(len(b.Paths), MaxPaths)]
	text, err := json.Marshal(b)
	if err != nil {
		return say.Errorf("write down what was seen: %w", err)
	}
	clean, err := withoutSecrets(text)
	if err != nil {
		return err
	}
	_, err = w.Write(append(clean, '\n'))
	return err
}

// withoutFiles takes out what entries keep of a file that was changed: its form
// is no JSON, in which secrets are found by their names. The configuration as
// it is now is in the bundle.
func withoutFiles(entries []journal.Entry) []journal.Entry {
	entries = slices.Clone(entries)
	for i := range entries {
		if e := &entries[i]; e.IP == "" {
			e.Before, e.After = "", ""
		}
	}
	return entries
}

// cut keeps the end of a text that is too long: in logs that is the newest.
func cut(text string) string {
	if len(text) <= MaxText {
		return text
	}
	return "[cut off]\n" + text[len(text)-MaxText:]
}

// Read reads what Write wrote. The findings that it gives are judged anew by
// this program's own checks.
func Read(r io.Reader) (Bundle, error) {
	var b Bundle
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return b, err
	case len(data) > maxFile:
		return b, notBundle(say.New("it is larger than 64 MiB"))
	}
	if parts(data) > maxParts {
		return b, notBundle(say.New("it holds more than a million values"))
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return Bundle{}, notBundle(err)
	}
	if b.Kind != Kind || b.Schema < 1 {
		return Bundle{}, notBundle(say.New("it does not say that it is one"))
	}
	if b.Schema > Schema {
		return Bundle{}, notBundle(say.Errorf("its form %d is newer than this program, which knows %d", b.Schema, Schema))
	}
	b.Findings = health.Evaluate(b.Facts)
	return b, nil
}

// parts counts the values in a JSON document, without decoding it.
func parts(data []byte) int {
	n, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\\' && inString:
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == '{' || c == '['):
			n++
		}
	}
	return n
}

func notBundle(why error) error {
	return &core.OpError{
		Op: "open the bundle", Err: say.Errorf("%w: %w", ErrNotBundle, why),
		Hint: "make one with: sudo flatnet-tui bundle FILE",
	}
}

// PathTo gives the path to a site as it was followed then.
func (b Bundle) PathTo(host string) (health.Path, bool) {
	for _, p := range b.Paths {
		if p.Host == host {
			return p, true
		}
	}
	return health.Path{}, false
}
