package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"flatnet/core/config/layout"
	"flatnet/core/say"
)

// How many problems are worth reporting at once, and how many are gathered to
// find the first ones.
const (
	maxProblems = 50
	maxGathered = 500
)

// checker takes what a file or a network list says into the Config that its
// tables are bound to, and gathers what is wrong with it.
type checker struct {
	tables   []table
	spared   []string // tables whose mistakes do not matter
	problems []Problem
	more     int      // problems beyond maxGathered
	failed   []string // tables with a problem
}

// report notes what is wrong with key of table.
func (k *checker) report(table, key string, err error) {
	if slices.Contains(k.spared, table) {
		return
	}
	if len(k.problems) >= maxGathered {
		k.more++
		return
	}
	p := Problem{Key: key, Text: say.Of(err)}
	var m *mismatch
	if errors.As(err, &m) {
		p.Text, p.Want = m.text, m.want
	}
	k.problems = append(k.problems, p)
	k.failed = append(k.failed, table)
}

// complaints reports values that are wrong beside others, unless the table
// has problems already: these may be their consequences.
func (k *checker) complaints(table string, all []complaint) {
	if slices.Contains(k.failed, table) {
		return
	}
	for _, c := range all {
		k.report(table, table+"."+c.key, &c.mismatch)
	}
}

// document takes a whole file.
func (k *checker) document(raw map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		at := slices.IndexFunc(k.tables, func(t table) bool { return t.name == name })
		if at < 0 {
			k.report(name, keyText(name), k.unknownTable(name, raw[name]))
			continue
		}
		entries, ok := raw[name].(map[string]any)
		if !ok {
			k.report(name, name, wrongType(raw[name], say.F("a table, [%s]", name)))
			continue
		}
		k.table(k.tables[at], name+".", entries)
	}
}

// table takes the keys of t; prefix is put before them in problems.
func (k *checker) table(t table, prefix string, raw map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		if at := slices.IndexFunc(t.lists, func(l list) bool { return l.name == key }); at >= 0 {
			k.list(t.name, t.lists[at], prefix, raw[key])
			continue
		}
		k.field(t.name, t.fields, prefix, key, raw[key], func() error { return k.unknownKey(t, key) })
	}
}

// field takes one value.
func (k *checker) field(table string, fields []field, prefix, key string, v any, unknown func() error) {
	f, ok := byName(fields, key)
	if !ok {
		k.report(table, prefix+keyText(key), unknown())
		return
	}
	if err := f.set(v); err != nil {
		k.report(table, prefix+key, err)
	}
}

// list takes the entries of a repeated table.
func (k *checker) list(table string, l list, prefix string, v any) {
	entries, ok := tablesOf(v)
	if !ok {
		k.report(table, prefix+l.name, wrongType(v, say.F("tables, [[%s]]", prefix+l.name)))
		return
	}
	if len(entries) > l.most {
		k.report(table, prefix+l.name, &mismatch{say.F("%d entries are too many", len(entries)), say.F("at most %d", l.most)})
		return
	}
	for i, entry := range entries {
		fields := l.add()
		for _, key := range slices.Sorted(maps.Keys(entry)) {
			k.field(table, fields, fmt.Sprintf("%s%s[%d].", prefix, l.name, i), key, entry[key], func() error {
				return unknown(key, names(l.blank))
			})
		}
	}
}

// tablesOf is a list of tables, however it was written.
func tablesOf(v any) ([]map[string]any, bool) {
	switch all := v.(type) {
	case []map[string]any:
		return all, true
	case []any:
		tables := make([]map[string]any, len(all))
		for i, one := range all {
			t, ok := one.(map[string]any)
			if !ok {
				return nil, false
			}
			tables[i] = t
		}
		return tables, true
	}
	return nil, false
}

func names(fields []field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

func unknown(key string, known []string) error {
	m := &mismatch{text: "there is no such key"}
	if near := nearest(key, known); near != "" {
		m.want = say.Data(near)
	}
	return m
}

// unknownKey also looks into other tables: a key may only stand in the wrong
// place.
func (k *checker) unknownKey(t table, key string) error {
	if other := tableOf(key, t.name, k.tables); other != "" && !slices.Contains(names(t.fields), key) {
		return &mismatch{"there is no such key here", say.F("%s under [%s]", key, other)}
	}
	known := names(t.fields)
	for _, l := range t.lists {
		known = append(known, l.name)
	}
	return unknown(key, known)
}

func (k *checker) unknownTable(name string, v any) error {
	if _, is := v.(map[string]any); !is {
		if other := tableOf(name, "", k.tables); other != "" {
			return &mismatch{"it stands outside every table", say.F("%s under [%s]", name, other)}
		}
	}
	known := make([]string, len(k.tables))
	for i, t := range k.tables {
		known[i] = t.name
	}
	m := &mismatch{text: "there is no such table"}
	if near := nearest(name, known); near != "" {
		m.want = say.Data("[" + near + "]")
	}
	return m
}

// keyText quotes a key that TOML would quote, so that its characters do no
// harm on a screen, and cuts one that no key is as long as.
func keyText(key string) string {
	const most = 100
	if len(key) > most {
		return strconv.Quote(key[:most]) + "…"
	}
	return layout.Part(key)
}

// result is the error of all problems, in the order of the text of the file
// called name, or nil. A network list has no places.
func (k *checker) result(name string, data []byte) error {
	if len(k.problems) == 0 {
		return nil
	}
	items, _ := layout.Read(data) // what it could not read has no place
	for i := range k.problems {
		p := &k.problems[i]
		p.File = name
		if item, ok := layout.Find(items, p.Key); ok {
			p.Line, p.Column = layout.Position(data, item.Start)
		}
	}
	slices.SortStableFunc(k.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key))
	})
	problems, more := k.problems, k.more
	if len(problems) > maxProblems {
		more += len(problems) - maxProblems
		problems = problems[:maxProblems]
	}
	if more > 0 {
		problems = append(problems, Problem{File: name, Text: say.F("and %d more problems", more)})
	}
	return &Error{problems}
}
