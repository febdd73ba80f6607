package windows

import (
	"errors"

	"flatnet/core/say"
)

// Why a Windows program gave no answer. All errors of Host wrap one of these.
var (
	ErrInteropOff = say.New("WSL's interop is switched off")
	ErrNoBinfmt   = say.New("the kernel's entry for Windows programs is gone")
	ErrSocket     = say.New("the way to Windows (WSL_INTEROP) is dead")
	ErrTimeout    = say.New("Windows did not answer in time")
	ErrDenied     = say.New("Windows denied access")
	ErrNoProgram  = say.New("the Windows program is missing")
	ErrOutput     = say.New("the Windows program's output cannot be used")
	// ErrResting: Windows failed lately and is left alone for a while. It
	// wraps the failure too.
	ErrResting = say.New("not asked again yet")
	// ErrBusy: an earlier call has not ended, and one at a time is made.
	ErrBusy = say.New("an earlier call to Windows has not ended")
)

// Trouble is an error of Host for a person: a stable code, what is wrong, and
// what to do about it.
type Trouble struct {
	Code   string   `json:"code"` // "interop-…"; see troubles
	Title  say.Text `json:"title"`
	Detail say.Text `json:"detail"`
	Remedy say.Text `json:"remedy"`
}

// trouble ties a sentinel to its code and remedy.
type trouble struct {
	err    error
	code   string
	remedy say.Text
}

// troubles lists all that can go wrong between WSL and a Windows program, the
// more telling first (facts: microsoft/WSL issues 8843, 13449, 41283, 1237).
func troubles() []trouble {
	return []trouble{
		{ErrInteropOff, "interop-off", "In /etc/wsl.conf set enabled=true under [interop], then run wsl --shutdown in Windows."},
		{ErrNoBinfmt, "interop-binfmt", "Systemd has wiped the entry: run wsl --shutdown in Windows, or restart systemd-binfmt with /usr/lib/binfmt.d/WSLInterop.conf in place (:WSLInterop:M::MZ::/init:PF)."},
		{ErrSocket, "interop-socket", "Open a new WSL window, or start this from one with sudo --preserve-env=WSL_INTEROP; if that fails too, run wsl --shutdown in Windows."},
		{ErrTimeout, "interop-timeout", "Windows or WSL's interop hangs: see whether cmd.exe /c ver answers in a WSL window; wsl --shutdown in Windows mends most cases."},
		{ErrDenied, "interop-denied", "This needs an administrator: run it in an administrator's PowerShell."},
		{ErrNoProgram, "interop-program", "See that the drive is mounted and that [windows] system_root in flatnet.toml is Windows' folder, /mnt/c/Windows as a rule."},
		{ErrOutput, "interop-output", "Run the program by hand in a WSL window and look at what it prints."},
		{ErrBusy, "interop-busy", "Wait until the earlier call ends; if it never does, run wsl --shutdown in Windows."},
	}
}

// Explain turns an error of this package into a Trouble; nil for nil and for
// errors that have nothing to do with running programs.
func Explain(err error) *Trouble {
	if err == nil {
		return nil
	}
	for _, t := range troubles() {
		if errors.Is(err, t.err) {
			return &Trouble{Code: t.code, Title: say.F("Windows cannot be asked: %s", t.err), Detail: say.Of(err), Remedy: t.remedy}
		}
	}
	return nil
}

// hint gives the remedy of the trouble that err is, "" if none.
func hint(err error) say.Text {
	if t := Explain(err); t != nil {
		return t.Remedy
	}
	return ""
}
