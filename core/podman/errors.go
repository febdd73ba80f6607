package podman

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"flatnet/core"
	"flatnet/core/say"
)

// Why Podman could not be asked. All are ErrUnavailable too.
var (
	ErrNoSocket = unavailable("there is no API socket")
	ErrRefused  = unavailable("nobody answers at the API socket")
	ErrDenied   = unavailable("no permission to use the API socket")
	ErrTimeout  = unavailable("no answer in time")
	ErrReply    = unavailable("the answer makes no sense")
	// ErrNoCNI: its settings ask for CNI, and it is a Podman that has none.
	ErrNoCNI = unavailable("Podman has no CNI, and its settings ask for it")
)

// noCNI is what Podman 5 says instead of doing anything at all.
const noCNI = "cni support is not enabled"

// LacksCNI tells whether a complaint of Podman's, or the text of an error from
// here, says that it is to use CNI and has none.
func LacksCNI(text string) bool { return strings.Contains(text, noCNI) }

type unavailable string

func (u unavailable) Error() string        { return string(u) }
func (u unavailable) Is(target error) bool { return target == ErrUnavailable }

// failure says why asking target failed, and what to do.
func failure(target string, err error) error {
	kind, hint := ErrReply, say.Text("")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind, hint = ErrNoSocket, "start it: sudo systemctl enable --now podman.socket"
	case errors.Is(err, syscall.ECONNREFUSED):
		kind, hint = ErrRefused, "start it: sudo systemctl restart podman.socket"
	case errors.Is(err, fs.ErrPermission):
		kind, hint = ErrDenied, "run as root, whose containers these are"
	case LacksCNI(err.Error()):
		kind, hint = ErrNoCNI, "run: sudo flatnet-tui migrate"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		kind, hint = ErrTimeout, "look again; if it stays so: sudo systemctl restart podman.service"
	}
	if errors.Is(err, context.Canceled) {
		return say.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &core.OpError{Op: "ask Podman", Target: target, Err: say.Errorf("%w (%w)", kind, err), Hint: hint}
}
