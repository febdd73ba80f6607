package windows

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"unicode"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/say"
)

// Names of the scripts below <root>/scripts.
const (
	SetupRoute    = "setup-route.ps1"    // seed 4.1
	RegisterTasks = "register-tasks.ps1" // the scheduled tasks that run it
)

const (
	taskPath    = `\Flatnet\`
	taskNow     = "route-now"
	taskAtLogon = "route-at-logon"
)

// Task is the scheduled task that register-tasks.ps1 registers with highest
// privileges, to be started from WSL.
const Task = taskPath + taskNow

//go:embed scripts/*.ps1
var templates embed.FS

// Script is a PowerShell script as it is written for Windows PowerShell 5.1:
// with CRLF, and with a byte order mark if it holds more than ASCII.
type Script struct {
	Name    string
	Content []byte
}

// scriptValues is all that a script takes from the configuration: numbers and
// dots, so that no value can break out of it.
type scriptValues struct {
	Prefix       netip.Prefix
	Subnet, Mask netip.Addr
	Bridge       netip.Addr
	TaskPath     string
	TaskNow      string
	TaskAtLogon  string
}

// Scripts renders both scripts for a network. The error says that it is none
// that a Windows route can lead to.
func Scripts(n config.Network) ([]Script, error) {
	p := n.Subnet.Masked()
	if !p.IsValid() || !p.Addr().Is4() || !p.Contains(n.Gateway) {
		return nil, say.Errorf("no script for the subnet %s with the gateway %s: both must be IPv4, the one in the other", n.Subnet, n.Gateway)
	}
	values := scriptValues{
		Prefix: p, Subnet: p.Addr(), Mask: Mask(p.Bits()), Bridge: n.Gateway,
		TaskPath: taskPath, TaskNow: taskNow, TaskAtLogon: taskAtLogon,
	}
	var all []Script
	for _, name := range []string{SetupRoute, RegisterTasks} {
		text, err := template.ParseFS(templates, "scripts/"+name)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := text.Option("missingkey=error").Execute(&b, values); err != nil {
			return nil, err
		}
		all = append(all, Script{name, forWindows(b.String())})
	}
	return all, nil
}

// forWindows encodes a script so that Windows PowerShell 5.1 reads it: without
// the mark it takes what is not ASCII for the machine's ANSI code page.
func forWindows(text string) []byte {
	const mark = "\ufeff"
	text = strings.ReplaceAll(text, "\n", "\r\n")
	if strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		text = mark + text
	}
	return []byte(text)
}

// ScriptsDir is where the scripts go, as WSL sees it.
func (s *System) ScriptsDir() string { return filepath.Join(s.o.Config.Root, "scripts") }

// ScriptCommand gives the command that runs a deployed script in PowerShell.
// config check lets no quote into the path.
func (s *System) ScriptCommand(name string, args ...string) string {
	path := strings.TrimSuffix(s.o.Config.WindowsPath, `\`) + `\scripts\` + name
	words := append([]string{"powershell.exe -NoProfile -ExecutionPolicy Bypass -File", "'" + path + "'"}, args...)
	return strings.Join(words, " ")
}

// StaleScripts gives the scripts that are not, or not like this, below Root.
func (s *System) StaleScripts(ctx context.Context) ([]Script, error) {
	var stale []Script
	err := s.onDrive(ctx, "read the scripts in", func() error {
		all, err := Scripts(s.o.Network)
		if err != nil {
			return err
		}
		for _, script := range all {
			have, err := os.ReadFile(filepath.Join(s.ScriptsDir(), script.Name))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if err != nil || !bytes.Equal(have, script.Content) {
				stale = append(stale, script)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stale, nil
}

// WriteScript puts a script below Root, whole or not at all.
func (s *System) WriteScript(ctx context.Context, script Script) error {
	return s.onDrive(ctx, say.F("write %s in", script.Name), func() error {
		if err := os.MkdirAll(s.ScriptsDir(), 0o755); err != nil {
			return err
		}
		return renameio.WriteFile(filepath.Join(s.ScriptsDir(), script.Name), script.Content, 0o644)
	})
}

// onDrive does work on the Windows drive, which may hang, or not be mounted:
// then the directory is one of WSL's own, and nothing may be written there.
func (s *System) onDrive(ctx context.Context, op say.Text, work func() error) error {
	var failed error
	err := s.host.guarded(ctx, s.host.limit, "the drive of "+s.o.Config.Root, func(context.Context) error {
		if failed = mounted(s.o.Config.Root); failed == nil {
			failed = work()
		}
		return nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		return nil
	}
	return &core.OpError{
		Op: op, Target: s.ScriptsDir(), Err: err,
		Hint: "See that the drive is mounted and can be written to, and that [windows] root in flatnet.toml is right.",
	}
}

// errNotMounted: the drive's directory is there, and the drive is not.
var errNotMounted = say.New("the drive is not mounted")

// mounted tells whether root is on a drive of Windows: below /mnt/<letter>
// something must be mounted there. Elsewhere its parent must be there.
func mounted(root string) error {
	parts := strings.Split(filepath.Clean(root), "/")
	if len(parts) < 4 || parts[1] != "mnt" || len(parts[2]) != 1 {
		_, err := os.Stat(filepath.Dir(root))
		return err
	}
	drive := filepath.Join("/mnt", parts[2])
	var above, at unix.Stat_t
	if err := unix.Stat("/mnt", &above); err != nil {
		return say.Errorf("%w: /mnt: %w", errNotMounted, err)
	}
	if err := unix.Stat(drive, &at); err != nil {
		return say.Errorf("%w: %s: %w", errNotMounted, drive, err)
	}
	if at.Dev == above.Dev {
		return say.Errorf("%w: nothing is mounted on %s", errNotMounted, drive)
	}
	return nil
}
