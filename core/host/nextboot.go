package host

import (
	"bufio"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ForwardKey is the setting that lets packets through the machine (seed 4.1).
const ForwardKey = "net.ipv4.ip_forward"

// NextBoot is what sysctl files say of net.ipv4.ip_forward.
type NextBoot struct {
	Forward string `json:"forward"`        // "1", "0"; "" : no file says anything
	File    string `json:"file,omitempty"` // the file that has the last word
}

// sysctlPaths are the directories of sysctl.d(5), the most important first,
// and the old single file, which procps reads last of all.
func sysctlPaths() []string {
	return []string{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d", "/etc/sysctl.conf"}
}

// lookNextBoot follows sysctl.d(5): of files with one name the one in the
// most important directory counts, files apply in the order of their names,
// and the last word wins.
func lookNextBoot(paths []string) NextBoot {
	byName := map[string]string{}
	var single []string
	for _, path := range paths {
		if strings.HasSuffix(path, ".conf") {
			single = append(single, path)
			continue
		}
		files, _ := filepath.Glob(filepath.Join(path, "*.conf"))
		for _, f := range files {
			if _, there := byName[filepath.Base(f)]; !there {
				byName[filepath.Base(f)] = f
			}
		}
	}
	var next NextBoot
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		next.read(byName[name])
	}
	for _, f := range single {
		next.read(f)
	}
	return next
}

func (n *NextBoot) read(file string) {
	data, err := readBounded(file)
	if err != nil || isNull(file) {
		return
	}
	if v, ok := forwardIn(data); ok {
		n.Forward, n.File = v, file
	}
}

// isNull: a link to /dev/null masks the files of its name.
func isNull(file string) bool {
	to, err := os.Readlink(file)
	return err == nil && to == os.DevNull
}

// forwardIn gives the last value that a sysctl file sets ip_forward to.
// net.ipv4.conf.all.forwarding is the same switch by another name.
func forwardIn(data []byte) (value string, ok bool) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, v, found := strings.Cut(strings.TrimPrefix(line, "-"), "=")
		key = strings.ReplaceAll(strings.TrimSpace(key), "/", ".")
		if found && (key == ForwardKey || key == "net.ipv4.conf.all.forwarding") {
			value, ok = strings.TrimSpace(v), true
		}
	}
	return value, ok
}
