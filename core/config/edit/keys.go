package edit

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"flatnet/core/config"
	"flatnet/core/config/layout"
	"flatnet/core/say"
)

// Value gives what the text says for key, as it stands there ("1400",
// "\"auto\""); false if it says nothing.
func (f *File) Value(key string) (string, bool) {
	item, ok := find(f.items(), key)
	if !ok || item.Value.End == 0 {
		return "", false
	}
	return string(f.text[item.Value.Start:item.Value.End]), true
}

// Set makes the text say value, as it would stand in the file, for key:
// "network.mtu", "gateway.site[0].host". The value is checked alone; how it
// fits the others is for Check. An error leaves the text as it was.
func (f *File) Set(key, value string) error {
	value = strings.TrimSpace(value)
	if err := config.CheckValue(key, value); err != nil {
		return say.Errorf("%s: %w", key, err)
	}
	items := f.items()
	if item, ok := find(items, key); ok {
		if item.Value.End == 0 {
			return say.Errorf("%s: %w", key, ErrShape)
		}
		return f.splice(item.Value, value, key)
	}
	return f.insert(items, key, value)
}

// Unset takes key out of the text, so that its default holds again. A comment
// above it stays, one behind it goes.
func (f *File) Unset(key string) error {
	item, ok := find(f.items(), key)
	if !ok {
		return say.Errorf("%s: %w", key, ErrNoKey)
	}
	line := f.lines(layout.Span{Start: item.Start, End: item.End})
	if before := f.text[line.Start:item.Start]; item.Table && item.Value.End == 0 || len(bytes.TrimSpace(before)) > 0 {
		return say.Errorf("%s: %w", key, ErrShape)
	}
	if rest := bytes.TrimSpace(f.text[item.End:line.End]); len(rest) > 0 && rest[0] != '#' {
		return say.Errorf("%s: %w", key, ErrShape)
	}
	return f.splice(line, "", "")
}

// Add appends an empty entry to a repeated table ("gateway.site") and gives
// its key ("gateway.site[2]"). It needs values before it can be saved.
func (f *File) Add(table string) (string, error) {
	if !slices.ContainsFunc(config.Sections(), func(s config.Section) bool { return s.Name == table && s.Repeated }) {
		return "", say.Errorf("%s: %w", table, ErrNoKey)
	}
	entries, end := 0, len(f.text)
	for _, item := range f.items() {
		if strings.HasPrefix(item.Key, table+"[") && item.Table && layout.Parent(item.Key) == layout.Parent(table) {
			if !item.List {
				return "", say.Errorf("%s: %w", table, ErrShape)
			}
			entries, end = entries+1, f.tableEnd(item)
		}
	}
	key := fmt.Sprintf("%s[%d]", table, entries)
	text := f.gap(end) + "[[" + table + "]]" + f.newline()
	if end < len(f.text) {
		text += f.newline()
	}
	return key, f.splice(layout.Span{Start: end, End: end}, text, key)
}

// Remove takes an entry of a repeated table ("gateway.site[1]") out, with the
// comment right above it.
func (f *File) Remove(key string) error {
	item, ok := find(f.items(), key)
	if !ok {
		return say.Errorf("%s: %w", key, ErrNoKey)
	}
	if !item.List {
		return say.Errorf("%s: %w", key, ErrShape)
	}
	return f.splice(layout.Span{Start: f.commentStart(item.Start), End: f.tableEnd(item)}, "", "")
}

func (f *File) items() []layout.Item {
	items, _ := layout.Read(f.text) // what it cannot read cannot be edited here
	return items
}

func find(items []layout.Item, key string) (layout.Item, bool) {
	at := slices.IndexFunc(items, func(i layout.Item) bool { return i.Key == key })
	if at < 0 {
		return layout.Item{}, false
	}
	return items[at], true
}

// insert adds a key that the text does not have to its table.
func (f *File) insert(items []layout.Item, key, value string) error {
	table := layout.Parent(key)
	pair := key[len(table)+1:] + " = " + value + f.newline()
	header, ok := find(items, table)
	switch {
	case ok && header.Value.End > 0:
		return say.Errorf("%s: %w", key, ErrShape) // an inline table
	case ok:
		at := f.placeIn(items, header, key[len(table)+1:])
		return f.splice(layout.Span{Start: at, End: at}, f.lineBreak(at)+pair, key)
	case strings.Contains(table, "["):
		return say.Errorf("%s: %w", table, ErrNoKey)
	}
	at := len(f.text)
	for _, item := range items {
		if strings.HasPrefix(item.Key, table+".") {
			if !item.Table {
				return say.Errorf("%s: %w", key, ErrShape) // dotted keys
			}
			at = f.commentStart(item.Start)
			break
		}
	}
	text := f.gap(at) + "[" + table + "]" + f.newline() + pair
	if at < len(f.text) {
		text += f.newline()
	}
	return f.splice(layout.Span{Start: at, End: at}, text, key)
}

// placeIn gives the offset of the line for a new key of the table: under the
// line that has it commented out, else after the table's last key.
func (f *File) placeIn(items []layout.Item, header layout.Item, name string) int {
	last, end := header.End, len(f.text)
	for _, item := range items {
		if item.Start <= header.Start {
			continue
		}
		if item.Table && item.Value.End == 0 {
			end = item.Start
			break
		}
		last = max(last, item.End)
	}
	commented := regexp.MustCompile(`(?m)^[ \t]*#[ \t]*` + regexp.QuoteMeta(name) + `[ \t]*=.*$`)
	if found := commented.FindIndex(f.text[header.End:end]); found != nil {
		last = header.End + found[1]
	}
	return f.lines(layout.Span{Start: last, End: last}).End
}

// tableEnd gives the offset after the table of header and the tables in it,
// before the comment of the next one.
func (f *File) tableEnd(header layout.Item) int {
	for _, item := range f.items() {
		if item.Start > header.Start && item.Table && item.Value.End == 0 && !strings.HasPrefix(item.Key, header.Key+".") {
			return f.commentStart(item.Start)
		}
	}
	return len(f.text)
}

// commentStart gives the start of the comment lines right above offset.
func (f *File) commentStart(offset int) int {
	start := f.lines(layout.Span{Start: offset, End: offset}).Start
	for start > 0 {
		above := f.lines(layout.Span{Start: start - 1, End: start - 1})
		if !bytes.HasPrefix(bytes.TrimSpace(f.text[above.Start:above.End]), []byte("#")) {
			break
		}
		start = above.Start
	}
	return start
}

// lines widens a span to whole lines, with the last one's line break.
func (f *File) lines(s layout.Span) layout.Span {
	s.Start = bytes.LastIndexByte(f.text[:s.Start], '\n') + 1
	if end := bytes.IndexByte(f.text[s.End:], '\n'); end >= 0 {
		s.End += end + 1
	} else {
		s.End = len(f.text)
	}
	return s
}

// newline is the line break that the text uses.
func (f *File) newline() string {
	if bytes.Contains(f.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// lineBreak is what ends the line before offset, if nothing does.
func (f *File) lineBreak(offset int) string {
	if offset == 0 || f.text[offset-1] == '\n' {
		return ""
	}
	return f.newline()
}

// gap is what sets a new table apart from the text before offset.
func (f *File) gap(offset int) string {
	before := f.text[:offset]
	if len(before) == 0 || bytes.HasSuffix(before, []byte("\n\n")) || bytes.HasSuffix(before, []byte("\n\r\n")) {
		return ""
	}
	return f.lineBreak(offset) + f.newline()
}

// splice puts text in place of a span, unless the outcome could not be read
// or does not have key, which "" does not ask for.
func (f *File) splice(span layout.Span, text, key string) error {
	changed := slices.Concat(f.text[:span.Start], []byte(text), f.text[span.End:])
	if len(changed) > config.MaxFile {
		return errTooLong()
	}
	items, err := layout.Read(changed)
	if err != nil {
		return ErrShape
	}
	if _, ok := find(items, key); key != "" && !ok {
		return ErrShape
	}
	f.text = changed
	return nil
}
