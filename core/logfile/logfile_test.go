package logfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
)

func now() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func conf(t *testing.T) config.Log {
	return config.Log{File: filepath.Join(t.TempDir(), "var", "flatnet.log"), Level: "info", MaxSize: 1 << 20, Keep: 2}
}

func TestOneLineACall(t *testing.T) {
	c := conf(t)
	log := New(c, now)
	log.Info("ADD", "container", "web\n\x1b[2Jx", "duration", 3*time.Millisecond)
	log.Debug("not asked for")
	text, err := os.ReadFile(c.File)
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(text, &line); err != nil || bytes.Count(text, []byte("\n")) != 1 || bytes.ContainsRune(text, '\x1b') {
		t.Fatalf("%v in %q", err, text)
	}
	if line["time"] != "2026-11-23T10:00:00Z" || line["level"] != "INFO" || line["msg"] != "ADD" || line["container"] != "web\n\x1b[2Jx" {
		t.Errorf("line: %v", line)
	}
	if info, _ := os.Stat(c.File); info.Mode() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		c := conf(t)
		c.Level = level
		log := New(c, now)
		log.Debug("1")
		log.Info("2")
		log.Warn("3")
		log.Error("4")
		if text, _ := os.ReadFile(c.File); bytes.Count(text, []byte("\n")) != want {
			t.Errorf("%s: %q, want %d lines", level, text, want)
		}
	}
}

func TestRotation(t *testing.T) {
	c := conf(t)
	c.MaxSize = 500
	log := New(c, now)
	for range 40 {
		log.Info("a line that is written again and again")
	}
	files, _ := filepath.Glob(c.File + "*")
	if len(files) != 3 {
		t.Fatalf("files: %v", files)
	}
	for _, f := range files {
		if info, _ := os.Stat(f); info.Size() > 700 {
			t.Errorf("%s has %d bytes", f, info.Size())
		}
	}
}

func TestALogThatCannotBeWrittenIsToldOnce(t *testing.T) {
	c := conf(t)
	c.File = "/proc/version/flatnet.log"
	var complaint bytes.Buffer
	log := newLogger(c, now, &complaint)
	log.Info("one")
	log.Info("two")
	if got := complaint.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "/proc/version") {
		t.Errorf("complaint: %q", got)
	}
}

func TestNoFileDropsEverything(t *testing.T) {
	var complaint bytes.Buffer
	newLogger(config.Log{}, now, &complaint).Error("nobody hears it")
	if complaint.Len() != 0 {
		t.Error(complaint.String())
	}
}
