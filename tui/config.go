package tui

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/say"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// configPath is the file that the editor is about.
func (m *Model) configPath() string {
	if m.o.Config.Path != "" {
		return m.o.Config.Path
	}
	return config.DefaultPath
}

// openFile reads the configuration file; a new one starts from the sample.
func openFile(path string) (*edit.File, error) {
	f, err := edit.Open(path)
	if err == nil && f.Text() == "" {
		err = f.SetText(config.Sample())
	}
	return f, err
}

// editConfig opens the editor; a file that is wrong as text, where it is wrong.
func (m *Model) editConfig() tea.Cmd {
	path := m.configPath()
	j, _ := m.begin(m.t.Actions.Config, "e", m.t.Actions.Config)
	return func() tea.Msg {
		f, err := openFile(path)
		return toldMsg{job: j, err: err, said: m.t.Actions.Config + ": " + path, show: func(m *Model) {
			e := newEditor(f, m.t)
			e.asText = e.problem != nil
			e.toProblem()
			m.dialog = e
		}}
	}
}

// draftedMsg says that a copy of the file is ready for a person's own editor.
type draftedMsg struct {
	job   *job
	file  *edit.File
	draft string
	cmd   *exec.Cmd
}

func (m draftedMsg) of() *job { return m.job }

// ErrNoEditor says that neither VISUAL nor EDITOR names a program, and none
// of the usual ones is there.
var ErrNoEditor = say.New("there is no editor: set EDITOR")

// ownEditor opens the file in the person's own editor.
func (m *Model) ownEditor() tea.Cmd {
	path := m.configPath()
	editors := []string{m.o.getenv("VISUAL"), m.o.getenv("EDITOR"), "sensible-editor", "nano", "vi"}
	j, _ := m.begin(m.t.Actions.Editor, "E", m.t.Actions.Editor)
	j.reads = true
	return func() tea.Msg {
		d, err := draft(path, editors)
		if err != nil {
			return toldMsg{job: j, err: err}
		}
		d.job = j
		return d
	}
}

// draft writes a copy of the file that only this person can read.
func draft(path string, editors []string) (draftedMsg, error) {
	f, err := openFile(path)
	if err != nil {
		return draftedMsg{}, err
	}
	dir, err := os.MkdirTemp("", "flatnet-")
	if err != nil {
		return draftedMsg{}, err
	}
	copied := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(copied, []byte(f.Text()), 0o600); err != nil {
		return draftedMsg{}, err
	}
	for _, e := range editors {
		words := strings.Fields(e)
		if len(words) == 0 {
			continue
		}
		if program, err := exec.LookPath(words[0]); err == nil {
			// It ends with the person, not with a context.
			cmd := exec.Command(program, append(words[1:], copied)...)
			return draftedMsg{file: f, draft: copied, cmd: cmd}, nil
		}
	}
	return draftedMsg{}, errors.Join(ErrNoEditor, os.RemoveAll(dir))
}

// drafted gives the terminal to the editor until it ends.
func (m *Model) drafted(msg draftedMsg) tea.Cmd {
	if m.linear { // where the library reads and draws nothing it has nothing to give
		msg.cmd.Stdin, msg.cmd.Stdout, msg.cmd.Stderr = m.o.In, m.o.Out, m.o.Out
	}
	return tea.ExecProcess(msg.cmd, func(err error) tea.Msg {
		defer os.RemoveAll(filepath.Dir(msg.draft)) //nolint:errcheck // a draft in the temporary directory
		if err == nil {
			var changed *edit.File
			if changed, err = edit.Open(msg.draft); err == nil {
				err = msg.file.SetText(changed.Text())
			}
		}
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			err = say.Errorf("the editor ended with %w: nothing was changed", err)
		}
		if err != nil {
			return toldMsg{job: msg.job, err: err}
		}
		now, clash := msg.file.Rebase()
		return toldMsg{job: msg.job, said: m.t.Actions.Editor + ": " + msg.file.Path(), show: func(m *Model) { m.review(msg.file, now, clash) }}
	})
}

// review goes on with what came out of a person's own editor: a right text is
// shown as a plan, a wrong one in the console's editor, with the reason. now is
// the change on top of what somebody else has written meanwhile.
func (m *Model) review(f, now *edit.File, clash error) {
	if clash == nil {
		e := newEditor(now, m.t)
		e.asText = true
		if e.problem == nil && !now.Changed() {
			return
		}
		m.dialog = e
		e.toProblem()
		if e.problem == nil {
			e.ask(m, now != f)
		}
		return
	}
	e := newEditor(f, m.t)
	e.asText, e.problem, e.clash = true, clash, errors.Is(clash, edit.ErrConflict)
	m.dialog = e
}

// reloadedMsg says whether the configuration file has changed, and what the
// console is to work with from now on.
type reloadedMsg struct {
	options Options
	changed bool
	err     error
}

// reload looks whether the configuration has changed.
func (m *Model) reload() tea.Cmd {
	look, limit := m.o.Reload, m.o.Limit
	if look == nil || m.reloading {
		return nil
	}
	m.reloading = true
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		o, changed, err := look(ctx)
		return reloadedMsg{options: o, changed: changed, err: err}
	}
}

// reloaded works with the new configuration from now on; a bad one is named
// once, and the last good one stays.
func (m *Model) reloaded(msg reloadedMsg) tea.Cmd {
	m.reloading = false
	said := ""
	if msg.err != nil {
		said = problemText(m.t, msg.err)
	}
	if said != m.configProblem {
		m.configProblem = said
		switch {
		case said != "":
			m.say(widget.Fail, m.t.Editor.Bad+": "+said)
		case !msg.changed:
			m.say(widget.OK, m.t.Editor.Right)
		}
	}
	if msg.err != nil || !msg.changed {
		return nil
	}
	m.adopt(msg.options)
	m.say(widget.OK, m.t.Editor.Adopted)
	return m.refreshAll(true)
}

// adopt replaces what the panes look at; where the person is stays.
func (m *Model) adopt(o Options) {
	o.In, o.Out, o.Environ, o.ReadOnly = m.o.In, m.o.Out, m.o.Environ, m.o.ReadOnly || o.ReadOnly
	m.o = o.withDefaults()
	m.t = text.For(m.o.Config.TUI.Language, m.o.getenv)
	before := m.panes
	m.panes, m.findings = newPanes(m.o, pane.Deps{Text: m.t, Now: m.o.Now, Limit: m.o.Limit})
	for i, p := range m.panes {
		p.Resume(before[i])
	}
	was := m.style
	m.style = newStyle(m.o, m.t)
	m.style.dark, m.style.told = was.dark, was.told
	m.style.profile(was.colour)
	m.resize()
}
