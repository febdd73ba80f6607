package tui

import (
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// TestDrawingRests: a console in which nothing happens does not look for
// something to draw, and draws all the same when a message comes.
func TestDrawingRests(t *testing.T) {
	in, keyboard := io.Pipe()
	screen := &transcript{}
	p := paced{New(exampleOptions(false)), &pace{}}
	p.pace.program = tea.NewProgram(p, tea.WithInput(in), tea.WithOutput(screen), tea.WithWindowSize(100, 30), tea.WithoutSignals())
	ended := make(chan error, 1)
	go func() { _, err := p.pace.program.Run(); ended <- err }()
	rests := func() bool {
		p.pace.mu.Lock()
		defer p.pace.mu.Unlock()
		return p.pace.ticker != nil && p.pace.slow
	}
	until(t, "it rests", rests)
	before := len(screen.String())
	_, err := keyboard.Write([]byte("?"))
	must(t, err)
	until(t, "the help is drawn", func() bool { return len(screen.String()) > before+500 })
	until(t, "it rests again", rests)
	p.pace.program.Quit()
	must(t, <-ended)
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
