package ipam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// scanner walks through JSON text without building values for it. A state of
// 2,000 leases is read and written at every call of the plugin, in less time
// than the disk needs to take it; encoding/json would take ten times as long
// (BenchmarkDecode). It is strict: what it takes is valid JSON (FuzzDecode
// compares it with encoding/json).
type scanner struct {
	text []byte
	pos  int
	own  bool // the text is to the byte what encode wrote
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", s.pos, fmt.Sprintf(format, args...))
}

// peek gives the next byte that is no white space; 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// expect consumes c.
func (s *scanner) expect(c byte) error {
	if got := s.peek(); got != c {
		if got == 0 {
			return s.errorf("the text ends where %q should be", c)
		}
		return s.errorf("%q where %q should be", got, c)
	}
	s.pos++
	return nil
}

// object walks through an object; member is called before each value and
// must consume it.
func (s *scanner) object(member func(name string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		name, err := s.string()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if more, err := s.next('}'); !more {
			return err
		}
	}
}

// array walks through an array; element must consume each value.
func (s *scanner) array(element func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if more, err := s.next(']'); !more {
			return err
		}
	}
}

// next consumes a comma, or the end of an object or array.
func (s *scanner) next(end byte) (more bool, err error) {
	if s.peek() == ',' {
		s.pos++
		return true, nil
	}
	return false, s.expect(end)
}

// string consumes a string. One without escapes is a part of the text.
func (s *scanner) string() (string, error) {
	if s.peek() != '"' {
		return "", s.errorf("a string should be here")
	}
	rest := s.text[s.pos+1:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return "", s.errorf("a string without an end")
	}
	if bytes.IndexByte(rest[:end], '\\') >= 0 {
		return s.escaped()
	}
	for i := range end {
		if rest[i] < ' ' {
			return "", s.errorf("a control character in a string")
		}
	}
	s.pos += end + 2
	return string(rest[:end]), nil
}

// escaped consumes a string that has escapes in it.
func (s *scanner) escaped() (v string, err error) {
	text, err := s.raw()
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return "", s.errorf("a broken string")
	}
	return v, nil
}

// number consumes a whole number that is not negative.
func (s *scanner) number() (uint64, error) {
	c := s.peek()
	end := s.pos
	for end < len(s.text) && s.text[end] >= '0' && s.text[end] <= '9' {
		end++
	}
	if c == '0' && end > s.pos+1 {
		return 0, s.errorf("a number with a leading zero")
	}
	n, err := strconv.ParseUint(string(s.text[s.pos:end]), 10, 64)
	if err != nil {
		return 0, s.errorf("a whole number should be here")
	}
	s.pos = end
	return n, nil
}

// line consumes the value up to the end of its line, where encode puts it.
func (s *scanner) line() []byte {
	text, _, _ := bytes.Cut(s.text[s.pos:], []byte("\n"))
	text = bytes.TrimSuffix(text, []byte(","))
	s.pos += len(text)
	return text
}

// keep consumes a value and adds it to the fields that are not known here.
func (s *scanner) keep(unknown []member, name string) ([]member, error) {
	text, err := s.raw()
	if err != nil {
		return unknown, err
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, text); err != nil {
		return unknown, s.errorf("%v", err)
	}
	return append(unknown, member{name, flat.String()}), nil
}

// raw consumes any value and gives its text.
func (s *scanner) raw() ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(s.text[s.pos:]))
	var v json.RawMessage
	if err := decoder.Decode(&v); err != nil {
		return nil, s.errorf("%v", err)
	}
	s.pos += int(decoder.InputOffset())
	return v, nil
}
