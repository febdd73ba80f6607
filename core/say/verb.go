package say

import (
	"strconv"
	"strings"
)

// verb is a place in a format where something is filled in.
type verb struct {
	from, to int    // where it stands in the format
	spec     string // for fmt: "%-5s", "%v" for %w
	index    int    // which argument, from 0
	plain    bool   // %s, %v or %w and nothing more: a text can stand there
}

// verbs finds the verbs of a format; %% is none.
func verbs(format string) []verb {
	var all []verb
	next := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		v := verb{from: i, index: next}
		i++
		if i < len(format) && format[i] == '[' {
			if inside, _, closed := strings.Cut(format[i+1:], "]"); closed {
				n, _ := strconv.Atoi(inside)
				v.index = n - 1
				i += len(inside) + 2
			}
		}
		flags := i
		for i < len(format) && strings.IndexByte("+-# 0123456789.", format[i]) >= 0 {
			i++
		}
		if i >= len(format) || format[i] == '%' {
			continue
		}
		letter := format[i : i+1]
		v.plain = flags == i && strings.Contains("svw", letter)
		if letter == "w" {
			letter = "v"
		}
		v.to, v.spec = i+1, "%"+format[flags:i]+letter
		next = v.index + 1
		all = append(all, v)
	}
	return all
}

// fill puts arguments, written down already, in the places of the verbs.
func fill(format string, args []string) string {
	var b strings.Builder
	at := 0
	for _, v := range verbs(format) {
		b.WriteString(strings.ReplaceAll(format[at:v.from], "%%", "%"))
		at = v.to
		if v.index >= 0 && v.index < len(args) {
			b.WriteString(args[v.index])
		}
	}
	b.WriteString(strings.ReplaceAll(format[at:], "%%", "%"))
	return b.String()
}

// Verbs tells what a format fills in: for each argument in order the verb's
// form, "%s", "%.1f"; "" for one that it does not use.
func Verbs(format string) []string {
	var all []string
	for _, v := range verbs(format) {
		for len(all) <= v.index {
			all = append(all, "")
		}
		if v.index >= 0 {
			all[v.index] = v.spec
		}
	}
	return all
}
