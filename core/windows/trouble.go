package windows

import "errors"

// Why a Windows program gave no answer. All errors of Host wrap one of these.
var (
	ErrNotWSL     = errors.New("there is no Windows here")
	ErrInteropOff = errors.New("WSL's interop is switched off")
	ErrNoBinfmt   = errors.New("the kernel's entry for Windows programs is gone")
	ErrSocket     = errors.New("the way to Windows (WSL_INTEROP) is dead")
	ErrTimeout    = errors.New("Windows did not answer in time")
	ErrDenied     = errors.New("Windows denied access")
	ErrNoProgram  = errors.New("the Windows program is missing")
	ErrResting    = errors.New("Windows is left alone for a while after failures")
	ErrBusy       = errors.New("an earlier call to Windows has not ended")
	ErrOutput     = errors.New("the Windows program's output cannot be used")
)

// Trouble is an error of Host for a person: a stable code, what is wrong, and
// what to do about it.
type Trouble struct {
	Code   string `json:"code"` // "interop-off", "interop-binfmt", "interop-socket", "interop-timeout", "interop-denied", "interop-program", "interop-output"
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}
