package text

import (
	"embed"
	"strings"
)

// japaneseTexts are what core says in Japanese: files of pairs of lines, the
// English text or format as it stands in the code and the Japanese one below
// it, with an empty line between pairs. Lines that begin with # are comments.
//
//go:embed ja/*.txt
var japaneseTexts embed.FS

// japaneseSaid gives the pairs by their English.
func japaneseSaid() map[string]string {
	said := map[string]string{}
	for _, p := range japanesePairs() {
		said[p[0]] = p[1]
	}
	return said
}

// japanesePairs gives every pair in the order of the files; the Japanese of one
// that is not whole is empty.
func japanesePairs() [][2]string {
	var pairs [][2]string
	files, _ := japaneseTexts.ReadDir("ja") // what is embedded is there
	for _, f := range files {
		text, _ := japaneseTexts.ReadFile("ja/" + f.Name())
		for _, block := range strings.Split(string(text), "\n\n") {
			if p, ok := pairOf(block); ok {
				pairs = append(pairs, p)
			}
		}
	}
	return pairs
}

// pairOf reads one pair; false: there is nothing but comments.
func pairOf(block string) (pair [2]string, ok bool) {
	i := 0
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		if i < len(pair) {
			pair[i] = line
		}
		i++
	}
	return pair, i > 0
}
