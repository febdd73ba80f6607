// Package layout says where in a TOML text each key and value stands, to the
// byte, so that an error can name the place and an edit can change one value
// and nothing else. It reads text that a TOML parser has accepted or refused;
// whether the text means anything is not its job.
package layout

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Item is one key with its value, or one table header.
type Item struct {
	Key   string // "network.subnet", "gateway.site[0].host"
	Table bool   // a [table] or [[table]] header, or an inline table
	List  bool   // a [[table]] header
	Start int    // offset of the key, or of the header's bracket
	Value Span   // of the value; empty for a header
	End   int    // offset after the last token
}

// Span is a range of bytes.
type Span struct{ Start, End int }

// Position gives the line and the column, both from 1 and in bytes, of an
// offset.
func Position(text []byte, offset int) (line, column int) {
	before := bytes.TrimPrefix(text[:min(offset, len(text))], []byte(byteOrderMark))
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// Find gives the item of key (the first entry of a list), or that of the
// nearest table around it.
func Find(items []Item, key string) (Item, bool) {
	for key != "" {
		for _, item := range items {
			if item.Key == key || item.Key == index(key, 0) {
				return item, true
			}
		}
		key = Parent(key)
	}
	return Item{}, false
}

// Parent takes the last part off a key: "gateway.site[0].host" gives
// "gateway.site[0]", that gives "gateway".
func Parent(key string) string {
	return key[:max(strings.LastIndexByte(key, '.'), 0)]
}

// Bounds on what is read: lists and tables in each other, and the parts of a
// dotted key. A TOML parser's time grows with their square.
const (
	maxDepth = 32
	maxParts = 32
)

// ErrDeep says that lists, tables or keys are nested deeper than any
// configuration needs.
var ErrDeep = errors.New("nested too deep")

var errSyntax = errors.New("no TOML")

// byteOrderMark may begin a text; editors on Windows write it.
const byteOrderMark = "\ufeff"

// Read lists the items of text in order. What it cannot read ends the list,
// with an error, which is ErrDeep for what no parser should be given.
func Read(text []byte) ([]Item, error) {
	r := &reader{text: text, counts: map[string]int{}}
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		r.token.End = len(byteOrderMark)
	}
	if err := r.next(); err != nil {
		return nil, err
	}
	for !r.at(ended) {
		if err := r.statement(); err != nil {
			return r.items, err
		}
	}
	return r.items, nil
}

// reader walks the tokens; the current one is always the first unread.
type reader struct {
	text   []byte
	token  token
	items  []Item
	prefix string         // the table that is open
	counts map[string]int // entries of each [[table]] so far
}

func (r *reader) next() (err error) {
	r.token, err = next(r.text, r.token.End)
	return err
}

func (r *reader) at(kinds ...byte) bool {
	return slices.Contains(kinds, r.token.kind)
}

func (r *reader) expect(kind byte) error {
	if !r.at(kind) {
		return errSyntax
	}
	return r.next()
}

func (r *reader) statement() error {
	switch {
	case r.at('\n', '#'):
		return r.next()
	case r.at('['):
		return r.header()
	}
	return r.pair(r.prefix, 0)
}

// header reads [table] and [[table]].
func (r *reader) header() error {
	item := Item{Table: true, Start: r.token.Start}
	brackets := 1
	if err := r.next(); err != nil {
		return err
	}
	if r.at('[') {
		item.List, brackets = true, 2
		if err := r.next(); err != nil {
			return err
		}
	}
	parts, err := r.key()
	if err != nil {
		return err
	}
	item.Key = r.resolve(parts, item.List)
	r.prefix = item.Key
	for range brackets {
		item.End = r.token.End
		if err := r.expect(']'); err != nil {
			return err
		}
	}
	r.items = append(r.items, item)
	return nil
}

// resolve names a header: each part that is a repeated table gets the index
// of its newest entry, and the last one of a [[table]] a new one.
func (r *reader) resolve(parts []string, list bool) string {
	name := ""
	for i, part := range parts {
		name = join(name, part)
		if list && i == len(parts)-1 {
			r.counts[name]++
		}
		if n := r.counts[name]; n > 0 {
			name = index(name, n-1)
		}
	}
	return name
}

func join(prefix, part string) string {
	if prefix == "" {
		return part
	}
	return prefix + "." + part
}

func index(name string, n int) string { return fmt.Sprintf("%s[%d]", name, n) }

// key reads a dotted key.
func (r *reader) key() ([]string, error) {
	var parts []string
	for {
		part, err := r.part()
		if err != nil {
			return nil, err
		}
		if parts = append(parts, part); len(parts) > maxParts {
			return nil, ErrDeep
		}
		if !r.at('.') {
			return parts, nil
		}
		if err := r.next(); err != nil {
			return nil, err
		}
	}
}

// part reads one part of a key.
func (r *reader) part() (string, error) {
	text := string(r.text[r.token.Start:r.token.End])
	switch r.token.kind {
	case bare:
		return text, r.next()
	case '\'':
		return Part(text[1 : len(text)-1]), r.next()
	case '"':
		plain, err := unescape(text)
		if err != nil {
			return "", err
		}
		return Part(plain), r.next()
	}
	return "", errSyntax
}

// unescape gives what a string in quotes says.
func unescape(quoted string) (string, error) {
	var v struct{ Key string }
	err := toml.Unmarshal([]byte("key = "+quoted), &v)
	return v.Key, err
}

// Part is one part of a key as Item.Key has it: quoted unless TOML takes it
// bare.
func Part(text string) string {
	for _, c := range text {
		if c > 'z' || !isBare(byte(c)) {
			return strconv.Quote(text)
		}
	}
	if text == "" {
		return `""`
	}
	return text
}

func isBare(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_'
}

// pair reads key = value.
func (r *reader) pair(prefix string, depth int) error {
	item := Item{Start: r.token.Start}
	parts, err := r.key()
	if err != nil {
		return err
	}
	item.Key = join(prefix, strings.Join(parts, "."))
	if err := r.expect('='); err != nil {
		return err
	}
	item.Table = r.at('{')
	at := len(r.items)
	r.items = append(r.items, item)
	span, err := r.value(item.Key, depth)
	r.items[at].Value, r.items[at].End = span, span.End
	return err
}

// value reads a value with everything in it.
func (r *reader) value(key string, depth int) (span Span, err error) {
	if depth > maxDepth {
		return Span{}, ErrDeep
	}
	if r.at(bare) {
		r.token = whole(r.text, r.token)
	}
	span = r.token.Span
	switch r.token.kind {
	case '[':
		span.End, err = r.list(key, depth+1)
	case '{':
		span.End, err = r.inline(key, depth+1)
	case bare, long, '"', '\'':
		err = r.next()
	default:
		err = errSyntax
	}
	if err != nil {
		return Span{}, err
	}
	return span, nil
}

// list reads [ … ]; its inline tables are items like those of [[table]].
func (r *reader) list(key string, depth int) (end int, err error) {
	if err := r.next(); err != nil {
		return 0, err
	}
	for n := 0; !r.at(']'); {
		if r.at('\n', '#', ',') {
			if err := r.next(); err != nil {
				return 0, err
			}
			continue
		}
		item := Item{Key: index(key, n), Table: r.at('{')}
		n++
		at := len(r.items)
		r.items = append(r.items, item)
		span, err := r.value(item.Key, depth)
		if err != nil {
			return 0, err
		}
		r.items[at].Start, r.items[at].Value, r.items[at].End = span.Start, span, span.End
	}
	end = r.token.End
	return end, r.next()
}

// inline reads { … }.
func (r *reader) inline(key string, depth int) (end int, err error) {
	if err := r.next(); err != nil {
		return 0, err
	}
	for !r.at('}') {
		if r.at('\n', '#', ',') {
			if err := r.next(); err != nil {
				return 0, err
			}
			continue
		}
		if err := r.pair(key, depth); err != nil {
			return 0, err
		}
	}
	end = r.token.End
	return end, r.next()
}
