package windows_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/config"
	"flatnet/core/windows"
	"flatnet/testdata/windows/windowstest"
)

var update = flag.Bool("update", false, "write the rendered scripts into testdata")

func network(subnet, gateway string) config.Network {
	return config.Network{Subnet: netip.MustParsePrefix(subnet), Gateway: netip.MustParseAddr(gateway)}
}

// The rendered scripts, as a person reads them. testdata/tools/pwsh checks
// their syntax and what they would run.
func TestScriptsAreAsReviewed(t *testing.T) {
	all, err := windows.Scripts(network("10.87.1.0/24", "10.87.1.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		path := filepath.Join("testdata", s.Name)
		if *update {
			if err := os.WriteFile(path, s.Content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(s.Content, want) {
			t.Errorf("%s is not as in testdata (%v): go test -run Scripts -update, then read it", s.Name, err)
		}
	}
}

func TestScriptsAreForWindowsPowerShell(t *testing.T) {
	all, err := windows.Scripts(network("10.87.1.0/24", "10.87.1.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if n := bytes.Count(s.Content, []byte("\n")); n == 0 || n != bytes.Count(s.Content, []byte("\r\n")) {
			t.Errorf("%s: not every line ends with CRLF", s.Name)
		}
		ascii := bytes.IndexFunc(s.Content, func(r rune) bool { return r > 127 }) < 0
		if marked := bytes.HasPrefix(s.Content, []byte("\ufeff")); ascii == marked {
			t.Errorf("%s: ASCII only %t, byte order mark %t", s.Name, ascii, marked)
		}
		if bytes.Contains(s.Content, []byte("{{")) || bytes.Contains(s.Content, []byte("<no value>")) {
			t.Errorf("%s: a value is missing", s.Name)
		}
	}
}

// A network of Windows' own is looked for before anything is taken away.
func TestScriptLeavesWindowsOwnNetwork(t *testing.T) {
	all, err := windows.Scripts(network("10.87.1.0/24", "10.87.1.1"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(all[0].Content)
	look, remove := strings.Index(text, "if (Test-OwnNetwork)"), strings.Index(text, "\nif ($Remove)")
	if look < 0 || remove < look {
		t.Errorf("the look stands at %d, the first change at %d", look, remove)
	}
}

func TestScriptsTakeTheNetwork(t *testing.T) {
	for _, c := range []struct{ subnet, gateway, address, mask string }{
		{"10.87.1.0/24", "10.87.1.1", "10.87.1.0", "255.255.255.0"},
		{"172.30.0.0/16", "172.30.0.1", "172.30.0.0", "255.255.0.0"},
		{"192.168.77.64/26", "192.168.77.126", "192.168.77.64", "255.255.255.192"},
		{"10.87.8.0/21", "10.87.8.1", "10.87.8.0", "255.255.248.0"},
	} {
		all, err := windows.Scripts(network(c.subnet, c.gateway))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{
			"$Subnet = '" + c.address + "'", "$Mask = '" + c.mask + "'", "$Prefix = '" + c.subnet + "'", "$Bridge = '" + c.gateway + "'",
		} {
			if !strings.Contains(string(all[0].Content), "\r\n"+line+"\r\n") {
				t.Errorf("%s: no line %s", c.subnet, line)
			}
		}
	}
}

func TestNoScriptForAnImpossibleNetwork(t *testing.T) {
	for _, n := range []config.Network{{}, network("fd00::/64", "fd00::1"), network("10.87.1.0/24", "10.87.2.1")} {
		if all, err := windows.Scripts(n); err == nil {
			t.Errorf("%s with %s gives %d scripts", n.Subnet, n.Gateway, len(all))
		}
	}
}

// No value that a person writes as text gets into a script; the one that gets
// into a command line to copy is refused by config check, with its line.
func TestHostileValuesAreRefused(t *testing.T) {
	for _, value := range []string{
		`F:\flatnet'; Remove-Item C:\ -Recurse; '`, "F:\\flatnet`n", `F:\$(calc.exe)`, `F:\a"b`, `F:\a&b`, `F:\a|b`, `F:\a;b`, "F:\\a\u2019b", `\\server\share`,
	} {
		text := "# one\n[windows]\nwindows_path = " + quote(value) + "\n"
		_, err := config.Parse("flatnet.toml", []byte(text))
		var bad *config.Error
		if !errors.As(err, &bad) || len(bad.Problems) == 0 {
			t.Errorf("%q is taken (%v)", value, err)
			continue
		}
		if p := bad.Problems[0]; p.Line != 3 || !strings.Contains(p.Key, "windows_path") {
			t.Errorf("%q: the problem is at line %d, key %s", value, p.Line, p.Key)
		}
	}
}

// quote writes a TOML basic string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func TestScriptsAreDeployedWhole(t *testing.T) {
	w := windowstest.New(t, nil)
	ctx := context.Background()
	stale, err := w.System.StaleScripts(ctx)
	if err != nil || len(stale) != 2 {
		t.Fatalf("nothing is deployed: %d stale, %v", len(stale), err)
	}
	for _, s := range stale {
		if err := w.System.WriteScript(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if stale, err := w.System.StaleScripts(ctx); err != nil || len(stale) != 0 {
		t.Errorf("all is deployed: %d stale, %v", len(stale), err)
	}
	path := filepath.Join(w.Drive, "flatnet", "scripts", windows.SetupRoute)
	if err := os.WriteFile(path, []byte("exit 0"), 0o600); err != nil {
		t.Fatal(err)
	}
	if stale, err := w.System.StaleScripts(ctx); err != nil || len(stale) != 1 || stale[0].Name != windows.SetupRoute {
		t.Errorf("one is edited: %v, %v", stale, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 2 {
		t.Errorf("beside the scripts there is more: %v, %v", entries, err)
	}
}

func TestADriveThatIsNotThere(t *testing.T) {
	w := windowstest.New(t, nil)
	for _, root := range []string{filepath.Join(w.Drive, "gone", "flatnet"), "/mnt/q/flatnet"} {
		w.Options.Config.Root = root
		sys := windows.New(w.Options)
		if err := sys.WriteScript(context.Background(), windows.Script{Name: "a.ps1"}); err == nil {
			t.Errorf("%s: written", root)
		}
		if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was made: %v", root, err)
		}
		if _, err := sys.Look(context.Background()); err != nil {
			t.Errorf("%s: and now Windows is not asked: %v", root, err)
		}
	}
}

func TestTheCommandToRunAScript(t *testing.T) {
	w := windowstest.New(t, nil)
	const want = `powershell.exe -NoProfile -ExecutionPolicy Bypass -File 'F:\flatnet\scripts\setup-route.ps1' -Verify`
	if got := w.System.ScriptCommand(windows.SetupRoute, "-Verify"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
