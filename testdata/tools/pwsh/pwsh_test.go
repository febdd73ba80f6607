package pwsh_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flatnet/testdata/tools/pwsh"
)

// rendered is where core/windows keeps its scripts as they are deployed; its
// own tests hold that they are.
const rendered = "../../../core/windows/testdata"

func parse(t *testing.T, name string) ([]byte, pwsh.Script) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(rendered, name))
	if err != nil {
		t.Fatal(err)
	}
	s, err := pwsh.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return text, s
}

func TestSyntax(t *testing.T) {
	for _, name := range []string{"setup-route.ps1", "register-tasks.ps1"} {
		if _, s := parse(t, name); len(s.Faults) > 0 {
			t.Errorf("%s: %q", name, s.Faults)
		}
	}
}

// The gate can close.
func TestSyntaxErrorsAreFound(t *testing.T) {
	for _, text := range []string{"if ($a { }", "function f { ", "& $Route ADD 'open", "foreach ($a $b) { }"} {
		if s, err := pwsh.Parse([]byte(text)); err != nil || len(s.Faults) == 0 {
			t.Errorf("%q passes (%v)", text, err)
		}
	}
}

// What each script would run that is no cmdlet, with the values it was
// rendered with, and what would change anything.
func TestWhatTheScriptsWouldRun(t *testing.T) {
	for name, want := range map[string][]string{
		"setup-route.ps1": {
			`& wsl.exe --exec wslinfo --networking-mode`,
			`& wsl.exe --exec ip -4 route get 192.0.2.1`,
			`& route.exe ADD 10.87.1.0 MASK 255.255.255.0 $Address METRIC 1`,
			`& route.exe DELETE 10.87.1.0 MASK 255.255.255.0`,
			`& route.exe DELETE 10.87.1.0 MASK 255.255.255.0 $Address`,
			`& ping.exe -n 1 -w 1000 10.87.1.1`,
		},
		"register-tasks.ps1": {
			`New-Item -ItemType Directory -Force -Path $Folder`,
			`Copy-Item -LiteralPath $Source -Destination $Copy -Force`,
			`Register-ScheduledTask @task`,
			`Unregister-ScheduledTask -TaskPath \Flatnet\ -TaskName $Name -Confirm:$false`,
			`Remove-Item -LiteralPath $Copy`,
		},
	} {
		text, s := parse(t, name)
		values := assignments(string(text))
		var got []string
		for _, c := range s.Commands {
			if acts(c.Text) {
				got = append(got, substitute(c.Text, values))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s would run\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// With -WhatIf nothing is changed: whatever changes something has been asked for.
func TestChangesAreAskedFor(t *testing.T) {
	reads := regexp.MustCompile(`^& \$(Wsl|Ping) `)
	for _, name := range []string{"setup-route.ps1", "register-tasks.ps1"} {
		_, s := parse(t, name)
		for _, c := range s.Commands {
			if acts(c.Text) && !reads.MatchString(c.Text) && !c.Asked {
				t.Errorf("%s: %s runs with -WhatIf too", name, c.Text)
			}
		}
	}
}

// Only what Windows PowerShell 5.1 on Windows 10 has.
func TestOnlyKnownCommands(t *testing.T) {
	known := strings.Fields(`Set-StrictMode Join-Path Write-Host Write-Warning New-Object Out-Null ForEach-Object Where-Object
		Select-Object Get-NetRoute Test-Path Get-FileHash New-Item Copy-Item Remove-Item Get-ScheduledTask New-ScheduledTaskAction
		New-ScheduledTaskPrincipal New-ScheduledTaskSettingsSet New-ScheduledTaskTrigger New-TimeSpan Register-ScheduledTask
		Unregister-ScheduledTask`)
	function := regexp.MustCompile(`(?m)^function ([A-Za-z-]+) \{`)
	for _, name := range []string{"setup-route.ps1", "register-tasks.ps1"} {
		text, s := parse(t, name)
		mine := slices.Clone(known)
		for _, m := range function.FindAllSubmatch(text, -1) {
			mine = append(mine, string(m[1]))
		}
		for _, c := range s.Commands {
			if word, _, _ := strings.Cut(c.Text, " "); word != "&" && !slices.Contains(mine, word) {
				t.Errorf("%s: %s is no command that is known here", name, c.Text)
			}
		}
	}
}

// A variable or a module folder of the user's own would decide what runs with
// highest privileges: nothing is taken from the environment, and modules are
// Windows' own before the first cmdlet that comes from one.
func TestTheEnvironmentDecidesNothing(t *testing.T) {
	for _, name := range []string{"setup-route.ps1", "register-tasks.ps1"} {
		text, s := parse(t, name)
		taken := regexp.MustCompile(`(?i)\$\{?env:\w+`).FindAllString(string(text), -1)
		if !slices.Equal(taken, []string{"$env:PSModulePath"}) {
			t.Errorf("%s uses %q of the environment", name, taken)
		}
		_, code, _ := strings.Cut(string(text), "#>")
		before, _, _ := strings.Cut(code, "$env:PSModulePath = ")
		early, err := pwsh.Parse([]byte(before))
		if err != nil || len(early.Commands) != 1 || early.Commands[0].Text != "Set-StrictMode -Version 2.0" || len(s.Commands) < 5 {
			t.Errorf("%s runs %v before modules are Windows' own (%v)", name, early.Commands, err)
		}
	}
}

// acts tells what starts a program or changes something.
func acts(command string) bool {
	return regexp.MustCompile(`^(& |(New-Item|Copy-Item|Remove-Item|Register-ScheduledTask|Unregister-ScheduledTask|Set-[A-Z]\w+Item|Remove-Net\w+|New-Net\w+) )`).MatchString(command)
}

// assignments reads $Name = 'value' and $Name = Join-Path … 'value'.
func assignments(text string) map[string]string {
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\$\w+) = (?:Join-Path \S+ )?'([^']*)'\r?$`).FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	return values
}

// substitute puts in the values that are the script's own; files that it finds
// on Windows keep their variables.
func substitute(command string, values map[string]string) string {
	words := strings.Fields(command)
	for i, w := range words {
		if v, ok := values[w]; ok && w != "$Copy" && w != "$Source" && w != "$Folder" {
			words[i] = v
		}
	}
	return strings.Join(words, " ")
}
