// Package logfile is the plugin's log: one line a call, as JSON, each written
// in one piece, rotated by size. It is for finding out why a call failed;
// what was changed is in core/journal.
//
// A log that cannot be written never fails a call: the problem is told once on
// standard error and the call goes on.
package logfile

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"flatnet/core/config"
	"flatnet/core/linefile"
)

// New gives a logger that writes to the configured file at the configured
// level. It makes the file (mode 0640), and its directory, at the first line.
// Without a file it drops everything.
func New(c config.Log, now func() time.Time) *slog.Logger {
	return newLogger(c, now, os.Stderr)
}

func newLogger(c config.Log, now func() time.Time, complain io.Writer) *slog.Logger {
	if c.File == "" {
		return slog.New(slog.DiscardHandler)
	}
	w := &writer{
		file:     linefile.File{Path: c.File, Mode: 0o640, MaxSize: c.MaxSize, Keep: c.Keep},
		complain: complain,
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level(c.Level), ReplaceAttr: clocked(now)}))
}

// level reads a checked configuration's level.
func level(text string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(text)); err != nil {
		return slog.LevelInfo
	}
	return l
}

// clocked puts now's time in place of the time of the call.
func clocked(now func() time.Time) func([]string, slog.Attr) slog.Attr {
	return func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Time(slog.TimeKey, now())
		}
		return a
	}
}

// writer takes each line of the log with one Write.
type writer struct {
	file     linefile.File
	complain io.Writer
	once     sync.Once
}

// Write never fails.
func (w *writer) Write(line []byte) (int, error) {
	if err := w.write(line); err != nil {
		w.once.Do(func() { _, _ = fmt.Fprintf(w.complain, "flatnet: cannot write the log: %v\n", err) })
	}
	return len(line), nil
}

func (w *writer) write(line []byte) error {
	if err := os.MkdirAll(filepath.Dir(w.file.Path), 0o750); err != nil {
		return err
	}
	// A log that cannot be rotated is still written.
	rotated := w.file.RotateShared()
	if err := w.file.Append(line); err != nil {
		return err
	}
	return rotated
}
