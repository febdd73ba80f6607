package gateway

import (
	"bytes"
	"strings"

	"flatnet/core/say"
)

// token is one word, quoted string or mark of an nginx configuration.
type token struct {
	text       string // without quotes
	quoted     bool
	start, end int // in bytes, quotes included
}

// is tells whether t is that mark or bare word.
func (t token) is(text string) bool { return !t.quoted && t.text == text }

// luaBlock ends the names of directives whose block is Lua.
const luaBlock = "_by_lua_block"

// lex splits an nginx configuration as nginx does (ngx_conf_read_token):
// comments are left out, and a Lua block is one token with its braces.
func lex(text []byte) ([]token, error) {
	var all []token
	statement := 0 // where the present one begins in all
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case isSpace(c):
			i++
			continue
		case c == '#':
			i = lineEnd(text, i)
			continue
		case c == '{' && statement < len(all) && strings.HasSuffix(all[statement].text, luaBlock):
			if end = luaEnd(text, i); end < 0 {
				return nil, say.Errorf("the Lua block at byte %d has no end", i)
			}
			all = append(all, token{text: string(text[i:end]), quoted: true, start: i, end: end})
			statement = len(all)
			i = end
			continue
		case c == '"' || c == '\'':
			if end = quoteEnd(text, i); end < 0 {
				return nil, say.Errorf("the quote at byte %d has no end", i)
			}
			all = append(all, token{text: string(text[i+1 : end-1]), quoted: true, start: i, end: end})
		case c == '{' || c == '}' || c == ';':
			all = append(all, token{text: string(c), start: i, end: end})
			statement = len(all)
		default:
			end = wordEnd(text, i)
			all = append(all, token{text: string(text[i:end]), start: i, end: end})
		}
		i = end
	}
	return all, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func lineEnd(text []byte, i int) int {
	if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}

// quoteEnd is after the quote that matches the one at i, or -1.
func quoteEnd(text []byte, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case text[i]:
			return j + 1
		}
	}
	return -1
}

// wordEnd is after the word at i; the braces of ${name} belong to it.
func wordEnd(text []byte, i int) int {
	for j := i; j < len(text); j++ {
		switch c := text[j]; {
		case c == '\\':
			j++
		case c == '$' && j+1 < len(text) && text[j+1] == '{':
			if n := bytes.IndexByte(text[j:], '}'); n >= 0 {
				j += n
			}
		case isSpace(c) || c == ';' || c == '{' || c == '}':
			return max(j, i+1)
		}
	}
	return len(text)
}

// luaEnd is after the brace that closes the Lua block at i, or -1. Braces in
// Lua's strings and comments do not count.
func luaEnd(text []byte, i int) int {
	depth := 0
	for j := i; j < len(text); j++ {
		switch c := text[j]; {
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return j + 1
			}
		case c == '"' || c == '\'':
			if j = quoteEnd(text, j) - 1; j < 0 {
				return -1
			}
		case c == '[' || bytes.HasPrefix(text[j:], []byte("--")):
			if j = luaLongEnd(text, j) - 1; j < 0 {
				return -1
			}
		}
	}
	return -1
}

// luaLongEnd is after the comment or long string that begins at i, after the
// byte at i if none does, or 0 if it has no end.
func luaLongEnd(text []byte, i int) int {
	start := i
	comment := bytes.HasPrefix(text[i:], []byte("--"))
	if comment {
		start += 2
	}
	rest := text[start:]
	level := 0
	for level+1 < len(rest) && rest[level+1] == '=' {
		level++
	}
	if len(rest) > level+1 && rest[0] == '[' && rest[level+1] == '[' {
		closing := "]" + strings.Repeat("=", level) + "]"
		if n := bytes.Index(rest, []byte(closing)); n >= 0 {
			return start + n + len(closing)
		}
		return 0
	}
	if comment {
		return lineEnd(text, i)
	}
	return i + 1
}
