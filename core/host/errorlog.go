package host

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"flatnet/core/config"
	"flatnet/core/say"
)

// ErrorLog is the end of the gateway's error.log, as far as it tells of
// upstreams that gave no answer: what a visitor sees as 502 or 504.
type ErrorLog struct {
	Path   string         `json:"path,omitempty"` // "" : none was found
	Errors []GatewayError `json:"errors"`         // oldest first, at most maxErrors
	Err    say.Text       `json:"error,omitempty"`
}

// GatewayError is one failed request, without the request itself, which may
// hold secrets.
type GatewayError struct {
	At       time.Time `json:"at"`       // by the gateway's clock, taken for local time
	Text     string    `json:"text"`     // "connect() failed (111: Connection refused)"
	Upstream string    `json:"upstream"` // "10.87.1.2:3000"
	Host     string    `json:"host"`     // as the visitor asked for it
}

// Bounds of what is read of error.log.
const (
	maxTail   = 64 << 10
	maxErrors = 20
)

// lookErrorLog reads the end of the first error.log found: where the seed has
// it (F:\flatnet\logs), or beside the configuration.
func lookErrorLog(c config.Config) ErrorLog {
	for _, path := range []string{
		filepath.Join(c.Windows.Root, "logs", "error.log"),
		filepath.Join(c.Gateway.ConfigDir, "error.log"),
		filepath.Join(c.Gateway.ConfigDir, "logs", "error.log"),
		filepath.Join(filepath.Dir(c.Gateway.ConfigDir), "logs", "error.log"),
	} {
		st, err := os.Stat(path)
		if err != nil || !st.Mode().IsRegular() {
			continue
		}
		l := ErrorLog{Path: path}
		tail, err := readTail(path)
		if err != nil {
			l.Err = say.Of(err)
			return l
		}
		l.Errors = parseErrors(tail, time.Local)
		return l
	}
	return ErrorLog{}
}

// readTail reads the last maxTail bytes of a file.
func readTail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if st, err := f.Stat(); err == nil && st.Size() > maxTail {
		if _, err := f.Seek(-maxTail, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, maxTail))
}

// errorLine is a line of nginx's error.log about an upstream:
//
//	2026/11/23 20:10:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream,
//	client: …, server: …, request: "…", upstream: "http://10.87.1.2:3000/", host: "forgejo.local"
var errorLine = regexp.MustCompile(
	`^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[\w+\] \d+#\d+: (?:\*\d+ )?(.{1,200}?) while [a-z ]* ?upstream, .*upstream: "\w+://([^/"]{1,100})[^"]*"(?:, host: "([^"]{1,255})")?`)

// parseErrors gives the last errors about upstreams in the end of an
// error.log, oldest first. Lines that are something else are passed over.
func parseErrors(tail []byte, zone *time.Location) []GatewayError {
	var all []GatewayError
	for line := range bytes.Lines(tail) {
		m := errorLine.FindStringSubmatch(strings.TrimRight(string(line), "\r\n"))
		if m == nil {
			continue
		}
		at, err := time.ParseInLocation("2006/01/02 15:04:05", m[1], zone)
		if err != nil {
			continue
		}
		all = append(all, GatewayError{At: at, Text: strings.ToValidUTF8(m[2], "?"), Upstream: m[3], Host: m[4]})
	}
	return all[max(0, len(all)-maxErrors):]
}
