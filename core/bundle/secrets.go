package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// removed stands where a secret was.
const removed = "[removed]"

// secretKey matches names of things that are secret by their name.
var secretKey = regexp.MustCompile(`(?i)(passw|secret|token|api_?key|apikey|authorization|cookie|credential|private_?key|session)`)

// The forms of secrets within texts.
var secrets = []struct {
	form *regexp.Regexp
	with string
}{
	// PEM blocks.
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), removed},
	// User and password in a URL.
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s"'@]+@`), "${1}" + removed + "@"},
	// Authorization values.
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`), "${1} " + removed},
	// name=value, name: value, name "value".
	{regexp.MustCompile(`(?i)\b([\w.-]*(?:passw|secret|token|api[_-]?key|credential|private[_-]?key)[\w.-]*\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s;,&"']+)`), "${1}" + removed},
	{regexp.MustCompile(`(?i)\b((?:authorization|cookie|set-cookie)\s*[:=]\s*)[^\r\n;"']+`), "${1}" + removed},
	// Header values that the configuration sets; our own tell the generation.
	{regexp.MustCompile(`(?im)^(\s*(?:add_header|proxy_set_header)\s+(?:x-[a-eg-z][\w-]*|authorization|cookie|[\w-]*(?:key|token|secret)[\w-]*)\s+)("[^"]*"|'[^']*'|[^\s;]+)`), "${1}" + removed},
	// What a visitor asked for, in logs: queries hold secrets.
	{regexp.MustCompile(`(\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) [^\s?"]*)\?[^\s"]*`), "${1}?" + removed},
}

// withoutSecrets gives a JSON document with every secret in it taken out.
func withoutSecrets(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // numbers stay as they are written
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("take secrets out: %w", err)
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
	return s
}
