package standin

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// The ways in which a program fails.
const (
	Hang    = "hang"    // never ends, ignores every signal it can
	Garbage = "garbage" // prints what no program prints
	Flood   = "flood"   // never stops printing
	Die     = "die"     // is killed half way through its output
	Cut     = "cut"     // prints half and ends well
	Silent  = "silent"  // prints nothing and ends well
	Late    = "late"    // answers after Milliseconds
	Denied  = "denied"  // WSL's starter: elevation needed
	Broken  = "broken"  // WSL's starter: interop is dead
)

// Fault is one way in which a program fails.
type Fault struct {
	Kind         string `json:"kind"`
	Milliseconds int    `json:"milliseconds,omitempty"` // Late
}

// fail does what the state's fault for this program says; failed false: go on.
func (p *program) fail() (status int, failed bool) {
	f, ok := p.state.Faults[p.name]
	if !ok {
		f = p.state.Faults["*"]
	}
	switch f.Kind {
	case Hang:
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
		time.Sleep(time.Hour)
	case Late:
		time.Sleep(milliseconds(f.Milliseconds))
		return 0, false
	case Garbage:
		_, _ = os.Stdout.Write(garbage(4096))
		return 0, true
	case Flood:
		for {
			if _, err := os.Stdout.Write(bytes.Repeat([]byte("0.0.0.0 "), 1<<12)); err != nil {
				return 1, true
			}
		}
	case Die, Cut:
		out := p.print()
		_, _ = os.Stdout.Write(out[:len(out)/2])
		if f.Kind == Die {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return 0, true
	case Silent:
		return 0, true
	case Denied:
		fmt.Fprintf(os.Stderr, "%s: Permission denied\n", p.name)
		return 1, true
	case Broken:
		fmt.Fprintln(os.Stderr, "<3>WSL (9) ERROR: UtilAcceptVsock:271: accept4 failed 110")
		return 1, true
	}
	return 0, false
}

// garbage is the same each time.
func garbage(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}
