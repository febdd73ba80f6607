package tui

import (
	"fmt"
	"os/exec"
	"strings"

	tea "charm.land/bubbletea/v2"

	"flatnet/tui/widget"
)

// copy puts s into the clipboard of the terminal that the person sits at, by
// OSC 52, which works over ssh. A tmux in between takes that from nobody but
// itself (set-clipboard is "external" by default), so it is asked as well.
func (m *Model) copy(what, s string) tea.Cmd {
	m.say(widget.OK, fmt.Sprintf(m.t.Screen.Copied, what))
	if m.o.getenv("TMUX") == "" {
		return tea.SetClipboard(s)
	}
	environ := m.o.Environ
	return tea.Batch(tea.SetClipboard(s), func() tea.Msg {
		for _, args := range [][]string{{"load-buffer", "-w", "-"}, {"load-buffer", "-"}} { // -w is new in tmux 3.2
			cmd := exec.Command("tmux", args...)
			cmd.Env, cmd.Stdin = environ, strings.NewReader(s)
			if cmd.Run() == nil {
				break
			}
		}
		return nil
	})
}

func (m *Model) copyRow() tea.Cmd {
	d := m.focused().Detail()
	return m.copy(d.Title, plainDetail(d))
}

func (m *Model) copyFailure() tea.Cmd { return m.copy(m.t.Screen.LastError, m.failure) }
