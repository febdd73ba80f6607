// Package terminal runs a program in a pseudo-terminal and keeps the screen
// that it draws, so that a test sees what a person would, and a picture can
// be made of it.
package terminal

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Terminal is a running program and the screen that it drew on.
type Terminal struct {
	cmd    *exec.Cmd
	file   *os.File
	screen *vt.SafeEmulator
	ended  chan struct{}
	err    error // of the program, once ended is closed

	mu      sync.Mutex // of the screen's cells too, which the emulator hands out
	bytes   int64
	changed time.Time
}

// Start runs cmd on a terminal of that many columns and rows. The colours of
// the emulator's own are those of a dark terminal.
func Start(cmd *exec.Cmd, columns, rows int) (*Terminal, error) {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
	if err != nil {
		return nil, fmt.Errorf("start %s on a terminal: %w", cmd.Path, err)
	}
	t := &Terminal{cmd: cmd, file: file, screen: vt.NewSafeEmulator(columns, rows), ended: make(chan struct{}), changed: time.Now()}
	t.screen.SetDefaultBackgroundColor(color.RGBA{0x16, 0x18, 0x1d, 0xff})
	t.screen.SetDefaultForegroundColor(color.RGBA{0xd8, 0xda, 0xdf, 0xff})
	go t.read()
	go t.answer()
	return t, nil
}

// read feeds the screen until the program ends.
func (t *Terminal) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.file.Read(buf)
		if n > 0 {
			t.mu.Lock()
			_, _ = t.screen.Write(buf[:n])
			t.bytes += int64(n)
			t.changed = time.Now()
			t.mu.Unlock()
		}
		if err != nil {
			break
		}
	}
	t.err = t.cmd.Wait()
	close(t.ended)
}

// answer carries what the terminal itself replies (to queries) back.
func (t *Terminal) answer() {
	buf := make([]byte, 4<<10)
	for {
		n, err := t.screen.Read(buf)
		if err != nil {
			return
		}
		if _, err := t.file.Write(buf[:n]); err != nil {
			return
		}
	}
}

// Type sends text as if typed: "\r" is Enter, "\x1b" Escape, "\t" Tab.
func (t *Terminal) Type(text string) error {
	_, err := t.file.WriteString(text)
	return err
}

// Resize changes the terminal's size, as a person does by its window.
func (t *Terminal) Resize(columns, rows int) error {
	t.mu.Lock()
	t.screen.Resize(columns, rows)
	t.mu.Unlock()
	return pty.Setsize(t.file, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
}

// Text gives the screen's lines without colours, right-trimmed.
func (t *Terminal) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for y := range t.screen.Height() {
		var line strings.Builder
		for x := 0; x < t.screen.Width(); {
			c := t.screen.CellAt(x, y)
			if c == nil || c.Width == 0 {
				line.WriteByte(' ')
				x++
				continue
			}
			line.WriteString(c.Content)
			x += c.Width
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// Light gives the terminal dark text on a light background. It is to be called
// before the program asks.
func (t *Terminal) Light() {
	t.screen.SetDefaultBackgroundColor(color.RGBA{0xfb, 0xfb, 0xf9, 0xff})
	t.screen.SetDefaultForegroundColor(color.RGBA{0x22, 0x24, 0x2a, 0xff})
}

// Cell gives a copy of the cell at x, y; nil outside of the screen.
func (t *Terminal) Cell(x, y int) *uv.Cell {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.screen.CellAt(x, y); c != nil {
		return c.Clone()
	}
	return nil
}

// Size gives columns and rows.
func (t *Terminal) Size() (columns, rows int) { return t.screen.Width(), t.screen.Height() }

// Bytes gives how many bytes the program has sent so far.
func (t *Terminal) Bytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes
}

// WaitFor waits until the screen shows text, at most for limit; its error
// holds the screen.
func (t *Terminal) WaitFor(text string, limit time.Duration) error {
	return t.wait(limit, fmt.Sprintf("the screen does not show %q", text), func() bool {
		return strings.Contains(t.Text(), text)
	})
}

// WaitGone is WaitFor for text that is to disappear.
func (t *Terminal) WaitGone(text string, limit time.Duration) error {
	return t.wait(limit, fmt.Sprintf("the screen still shows %q", text), func() bool {
		return !strings.Contains(t.Text(), text)
	})
}

// WaitQuiet waits until nothing was sent for the time given.
func (t *Terminal) WaitQuiet(quiet, limit time.Duration) error {
	return t.wait(limit, "the screen keeps changing", func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return time.Since(t.changed) >= quiet
	})
}

func (t *Terminal) wait(limit time.Duration, complaint string, ok func() bool) error {
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s within %s; it shows:\n%s", complaint, limit, bytes.TrimSpace([]byte(t.Text())))
		}
		select {
		case <-t.ended:
			if ok() {
				return nil
			}
			return fmt.Errorf("%s, and the program has ended (%w); it shows:\n%s", complaint, t.err, t.Text())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Wait waits until the program has ended by itself, at most for limit, and
// gives its error.
func (t *Terminal) Wait(limit time.Duration) error {
	select {
	case <-t.ended:
		return t.err
	case <-time.After(limit):
		return fmt.Errorf("the program did not end within %s; it shows:\n%s", limit, t.Text())
	}
}

// PID is the program's process id.
func (t *Terminal) PID() int { return t.cmd.Process.Pid }

// Close ends the program, if it still runs, and the terminal.
func (t *Terminal) Close() {
	select {
	case <-t.ended:
	default:
		_ = t.cmd.Process.Kill()
	}
	_ = t.file.Close()
	<-t.ended
	// The emulator's own Close races with answer's Read; ending the pipe
	// between them does not.
	if p, ok := t.screen.InputPipe().(io.Closer); ok {
		_ = p.Close()
	}
}
