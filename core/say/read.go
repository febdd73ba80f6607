package say

import (
	"strconv"
	"strings"
)

// Read gives an English text that was written down the form that it had: the
// first of formats that fits it, filled in; what is filled in for %s and %v is
// read as well. What the system says at the end of an error is read too. Any
// other text is Data.
func Read(english string, formats ...Text) Text {
	for _, f := range formats {
		filled, ok := match(string(f), english)
		if ok && (filled == nil || strings.Join(filled, "") != english) { // the format says something itself
			return refilled(string(f), filled, formats)
		}
	}
	if at := strings.LastIndex(english, ": ") + len(": "); at > len(": ") {
		if cause := ofSystem(english[at:]); cause != Data(english[at:]) {
			return F("%s%s", english[:at], cause)
		}
	}
	return ofSystem(english)
}

func refilled(format string, filled []string, formats []Text) Text {
	all := verbs(format)
	if len(all) == 0 {
		return Text(format)
	}
	b := begin(formatted, format)
	for i, s := range filled {
		if all[i].plain {
			b = add(b, text, string(Read(s, formats...)))
		} else {
			b = add(b, data, s)
		}
	}
	return Text(b)
}

// match finds what is filled in; no English format has its verbs in another
// order than its arguments.
func match(format, english string) (filled []string, ok bool) {
	all := verbs(format)
	if len(all) == 0 {
		return nil, format == english
	}
	at, spec := 0, ""
	for i, v := range append(all, verb{from: len(format), to: len(format), index: len(all)}) {
		if v.index != i {
			return nil, false
		}
		between := strings.ReplaceAll(format[at:v.from], "%%", "%")
		var value string
		switch last := v.from == len(format); {
		case spec == "":
			english, ok = strings.CutPrefix(english, between)
			ok = ok && (!last || english == "")
		case last:
			value, ok = strings.CutSuffix(english, between)
		default:
			value, english, ok = strings.Cut(english, between)
			ok = ok && between != ""
		}
		if !ok || spec != "" && !fits(spec, value) {
			return nil, false
		}
		if spec != "" {
			filled = append(filled, value)
		}
		at, spec = v.to, v.spec
	}
	return filled, true
}

// fits tells whether a verb can have written value: one sentence at most.
func fits(spec, value string) bool {
	if strings.HasSuffix(spec, "d") {
		_, err := strconv.Atoi(value)
		return err == nil
	}
	return value != "" && !strings.Contains(value, "\n") && !strings.Contains(value, ". ") && !strings.Contains(value, "; ")
}
