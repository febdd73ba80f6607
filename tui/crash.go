package tui

import (
	"errors"
	"os"
	"os/exec"
	"runtime/debug"

	"github.com/charmbracelet/x/ansi"
)

// onCrash reads what the runtime writes when the program crashes. Nothing: it
// ended well. Else it waits until the program is gone, gives the terminal back
// and repeats what was said, which the other screen has swallowed. By then the
// shell may have taken the terminal, so the stop for writing is ignored.
const onCrash = `trap '' TTOU HUP INT
IFS= read -r first || exit 0
rest=$(cat)
printf '%s' "$0" >/dev/tty
stty sane </dev/tty
printf '%s\n' "$first" "$rest" >/dev/tty`

// leaveScreen undoes what the console has asked of the terminal.
const leaveScreen = ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable + ansi.ResetModeBracketedPaste +
	ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseExtSgr + ansi.ResetModifyOtherKeys + popKeyboard + ansi.ResetStyle

// popKeyboard is ansi.PopKittyKeyboard(1), which is no constant.
const popKeyboard = "\x1b[<1u"

// guard has a shell, which costs a megabyte, watch for a crash: a panic in a
// goroutine that nobody recovers ends the program at once, and only another
// process can give the terminal back then. end calls it off. Where it cannot
// be had the console works all the same.
func guard() (end func()) {
	read, write, err := os.Pipe()
	if err != nil {
		return func() {}
	}
	defer func() { _ = errors.Join(read.Close(), write.Close()) }() // the runtime has a copy of its own
	cmd := exec.Command("sh", "-c", onCrash, leaveScreen)
	cmd.Stdin = read
	if cmd.Start() != nil || debug.SetCrashOutput(write, debug.CrashOptions{}) != nil {
		return func() {}
	}
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_ = cmd.Wait()
	}
}
