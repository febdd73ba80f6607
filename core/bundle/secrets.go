package bundle

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"flatnet/core/say"
)

// removed stands where a secret was.
const removed = "[removed]"

// secretKey matches names of things that are secret by their name.
var secretKey = regexp.MustCompile(`(?i)(passw|secret|token|api_?key|apikey|authorization|cookie|credential|private_?key|session)`)

// secretName is a part of a name in a text that makes what follows it secret.
const secretName = `(?:passw|passphrase|_pass\b|secret|token|api[_-]?key|credential|private[_-]?key)`

// The forms of secrets within texts.
var secrets = []struct {
	form *regexp.Regexp
	with string
}{
	// PEM blocks.
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)`), removed},
	// User and password in a URL; its query, and that of a request in a log.
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s"'@]+@`), "${1}" + removed + "@"},
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'?]*)\?[^\s"']*`), "${1}?" + removed},
	{regexp.MustCompile(`(\b[A-Z]{3,16} [^\s?"]*)\?[^\s"]*`), "${1}?" + removed},
	// Authorization values, JSON web tokens, lines of a password file.
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`), "${1} " + removed},
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]*`), removed},
	{regexp.MustCompile(`(?m)^([^\s:#]+:)(?:\$(?:apr1|1|2[abxy]?|5|6|y)\$|\{[A-Z0-9]+\})\S+`), "${1}" + removed},
	// name=value, name: value, "name": "value"; nginx's name value;
	{regexp.MustCompile(`(?i)\b([\w.-]*` + secretName + `[\w.-]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s;,&"']+)`), "${1}" + removed},
	{regexp.MustCompile(`(?im)^(\s*(?:set\s+\$)?[\w.-]*` + secretName + `[\w.-]*\s+)("[^"]*"|'[^']*'|[^\s;]+)\s*;`), "${1}" + removed + ";"},
	{regexp.MustCompile(`(?i)\b((?:authorization|cookie|set-cookie)\s*[:=]\s*)[^\r\n;"']+`), "${1}" + removed},
}

// header matches a header that nginx is told to set: its value may be secret
// whatever its name is.
var header = regexp.MustCompile(`(?im)^(\s*(?:add_header|proxy_set_header|more_set_headers)\s+)("[^"]*"|'[^']*'|[^\s;]+)([^;\n]*)`)

// withoutHeader takes out what a header is set to, unless that is one of
// nginx's variables or tells the generation.
func withoutHeader(line string) string {
	m := header.FindStringSubmatch(line)
	name, value := strings.Trim(m[2], `"'`), strings.Trim(strings.TrimSpace(m[3]), `"'`)
	switch lower := strings.ToLower(name); {
	case strings.Contains(name, ":"): // more_set_headers "Name: value"
		key, _, _ := strings.Cut(name, ":")
		return m[1] + `"` + key + ": " + removed + `"`
	case strings.HasPrefix(lower, "x-flatnet"), lower == "connection", lower == "upgrade", strings.HasPrefix(value, "$"):
		return line
	}
	return m[1] + m[2] + " " + removed
}

// withoutSecrets gives a JSON document with every secret in it taken out.
func withoutSecrets(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // numbers stay as they are written
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, say.Errorf("take secrets out: %w", err)
	}
	return json.MarshalIndent(scrub("", doc), "", " ")
}

// scrub takes secrets out of a value, by the name that it has and by the form
// of its texts.
func scrub(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			switch {
			case strings.EqualFold(name, "labels") && !strings.HasPrefix(key, "flatnet."):
				delete(v, key) // anybody's own, and none of ours
			case strings.EqualFold(name, "headers"):
				v[key] = removed
			default:
				v[key] = scrub(key, inner)
			}
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = scrub(name, inner)
		}
		return v
	case string:
		if v != "" && secretKey.MatchString(name) {
			return removed
		}
		return scrubText(v)
	}
	return v
}

func scrubText(s string) string {
	for _, secret := range secrets {
		s = secret.form.ReplaceAllString(s, secret.with)
	}
	return header.ReplaceAllStringFunc(s, withoutHeader)
}
