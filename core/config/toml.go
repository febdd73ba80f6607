package config

import (
	"strconv"
	"strings"

	"flatnet/core/say"
)

// saidByTOML is what the TOML parser says, which may quote the file, made safe
// to show; what it says most is given the form that can be said in another
// language.
func saidByTOML(message string) say.Text {
	return say.Read(printable(message),
		"end of file",
		"unexpected EOF; expected value",
		"unexpected EOF; expected key separator %s",
		"unexpected EOF; expected %s",
		"expected value but found %s instead",
		"expected '.' or '=', but got %s instead",
		"expected '.' or ']' to end table name, but got %s instead",
		"expected end of table array name delimiter ']', but got %s instead",
		"expected a comma (',') or array terminator (']'), but got %s",
		"expected a comma or an inline table terminator '}', but got %s instead",
		"expected a top-level item to end with a newline, comment, or EOF, but got %s instead",
		"expected a digit but got %s",
		"unexpected '=': key name appears blank",
		"unexpected '.': keys cannot start with a '.'",
		"unexpected end of table name (table names cannot be empty)",
		"unexpected table separator (table names cannot be empty)",
		"unexpected comma",
		"unexpected %s",
		"invalid escape in string %s",
		"invalid UTF-8 byte: %s",
		"invalid datetime: %s",
		"invalid float: %s",
		"newlines not allowed within inline tables",
		"strings cannot contain newlines",
		"floats must start with a digit, not '.'",
		"%s is out of range for %s",
		"Key %s has already been defined.",
		"Key %s was already created as a hash.",
		"Key %s was already created and cannot be used as an array.",
		"Invalid integer %s: cannot have leading zeroes",
		"Invalid integer %s: underscores must be surrounded by digits",
		"Invalid float %s: cannot have leading zeroes",
	)
}

// printable keeps of a parser's message what can be shown.
func printable(message string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, message)
}
