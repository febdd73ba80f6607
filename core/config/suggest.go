package config

import (
	"slices"
	"strings"
)

// nearest gives the word of known that name most likely was meant to be, or
// "" if none is near: at most a third of its letters may differ.
func nearest(name string, known []string) string {
	best, bestDistance := "", max(len(name)/3, 1)+1
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the edit distance of Levenshtein, in bytes.
func distance(a, b string) int {
	const longest = 64 // no key is as long
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// tableOf names the table, other than here, that has a key of that name.
func tableOf(key, here string, tables []table) string {
	for _, t := range tables {
		if t.name != here && slices.ContainsFunc(t.fields, func(f field) bool { return f.name == key }) {
			return t.name
		}
	}
	return ""
}
