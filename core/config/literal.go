package config

import (
	"strconv"
	"strings"
	"time"
)

// Quote gives s as it would stand in the file: a TOML string; one with
// backslashes in single quotes, as Windows paths are best read.
func Quote(s string) string {
	if strings.Contains(s, `\`) && !strings.ContainsAny(s, "'\n\r") {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}

// Literal gives what a person typed as the value of key as it would stand in
// the file: quotes may be left out. What is no TOML is taken as a text too, so
// that the complaint about it says what the key takes; but whoever began with a
// quote or a bracket is writing TOML.
func Literal(key, typed string) string {
	_, problem := decode([]byte("value = " + typed))
	begun := strings.IndexAny(typed, `"'[{`) == 0
	if problem != nil && !begun || CheckValue(key, typed) != nil && CheckValue(key, Quote(typed)) == nil {
		return Quote(typed)
	}
	return typed
}

// durationText is d without the zero units that Duration.String writes: "1h".
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// sizeUnits from the largest, so that a size is written with the fewest digits.
func sizeUnits() []sizeUnit {
	return []sizeUnit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
}

type sizeUnit struct {
	name  string
	bytes int64
}

func sizeText(n int64) string {
	for _, u := range sizeUnits() {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

// sizeOf reads a size: a whole number of bytes, or digits and a unit.
func sizeOf(v any) (int64, bool) {
	if n, ok := v.(int64); ok {
		return n, true
	}
	s, ok := v.(string)
	if !ok {
		return 0, false
	}
	for _, u := range sizeUnits() {
		digits, found := strings.CutSuffix(s, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.bytes {
			return 0, false
		}
		return n * u.bytes, true
	}
	return 0, false
}
