package tui

import (
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// editor is the dialog over the configuration file: a form of its keys, and
// the whole text. Both change one edit.File, which is checked at every key
// and saved by a plan like everything else.
type editor struct {
	file    *edit.File
	form    *form
	area    textarea.Model
	asText  bool
	typed   string // the area's text when it was last taken over
	problem error  // of the text as it is; nil: valid
	sure    bool   // esc was pressed with changes not saved
	clash   bool   // somebody else has changed the same lines
}

// maxLines is how many lines the text may have in the editor.
const maxLines = 9999

func newEditor(f *edit.File, t *text.Texts) *editor {
	e := &editor{file: f, form: newForm(t), area: textarea.New()}
	e.area.MaxHeight, e.area.CharLimit, e.area.Prompt = maxLines, 0, ""
	s := e.area.Styles()
	s.Cursor.Blink = false
	s.Focused.CursorLine = s.Focused.Text
	e.area.SetStyles(s)
	e.area.Focus()
	e.show()
	return e
}

// show takes the file's text into the area and the form.
func (e *editor) show() {
	e.area.SetValue(e.file.Text())
	e.area.MoveToBegin()
	e.typed = e.area.Value()
	e.check()
}

// check judges the text as it is; the form shows it while it is valid.
func (e *editor) check() {
	e.problem = e.file.Check()
	e.sure, e.clash = false, false
	if c, err := config.Parse(e.file.Path(), []byte(e.file.Text())); err == nil {
		e.form.show(c)
	}
}

// toProblem puts the cursor on the line that is wrong.
func (e *editor) toProblem() {
	var wrong *config.Error
	if !errors.As(e.problem, &wrong) || len(wrong.Problems) == 0 || e.area.Line() == wrong.Problems[0].Line-1 {
		return
	}
	e.area.MoveToBegin()
	for i := 0; i < maxLines && e.area.Line() < wrong.Problems[0].Line-1; i++ { // a long line is several on the screen
		e.area.CursorDown()
	}
	e.area, _ = e.area.Update(nil) // which scrolls there
}

// Update implements dialog.
func (e *editor) Update(m *Model, msg tea.Msg) (bool, tea.Cmd) {
	key, isKey := msg.(tea.KeyPressMsg)
	if isKey {
		switch key.String() {
		case "ctrl+s":
			return false, e.save(m)
		case "ctrl+r":
			if e.clash {
				return false, e.reopen()
			}
		case "ctrl+t", "f2":
			e.asText = !e.asText
			return false, nil
		case "esc", "ctrl+c":
			if !e.asText && (e.form.typing() || e.form.unfilter()) {
				break
			}
			return e.leave(), nil
		}
	}
	if e.asText {
		return false, e.write(msg)
	}
	cmd, set := e.form.Update(msg, e.file)
	if set {
		e.show()
	}
	return false, cmd
}

// leave closes the editor; with changes only when asked twice.
func (e *editor) leave() bool {
	if !e.file.Changed() || e.sure {
		return true
	}
	e.sure = true
	return false
}

// write lets the area take a key and takes over what is new. The area writes
// tabs as spaces; a text that nobody typed at stays as it is.
func (e *editor) write(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	e.area, cmd = e.area.Update(msg)
	now := e.area.Value()
	if now == e.typed {
		return cmd
	}
	e.typed = now
	err := e.file.SetText(now)
	e.check()
	if err != nil {
		e.problem = err
	}
	return cmd
}

// rebasedMsg is what an editor is to go on with after a look at the disk: its
// change on top of what is there, or, where it was dropped, that alone.
type rebasedMsg struct {
	editor  *editor
	text    string     // the editor's when the look began
	file    *edit.File // nil: what the editor has is right
	dropped bool
	err     error
}

// save looks whether somebody else has written the file meanwhile, and then
// shows what would be saved, and asks.
func (e *editor) save(m *Model) tea.Cmd {
	if why := m.whyNot(true, nil); why != "" {
		e.problem = errors.New(why)
		return nil
	}
	was := *e.file
	return func() tea.Msg {
		msg := rebasedMsg{editor: e, text: was.Text()}
		now, err := was.Rebase()
		if msg.err = err; now != &was {
			msg.file = now
		}
		return msg
	}
}

// reopen drops the changes for what is on the disk.
func (e *editor) reopen() tea.Cmd {
	path, said := e.file.Path(), e.file.Text()
	return func() tea.Msg {
		f, err := openFile(path)
		return rebasedMsg{editor: e, text: said, file: f, dropped: true, err: err}
	}
}

// rebased goes on after the look at the disk, unless more was typed meanwhile.
func (m *Model) rebased(msg rebasedMsg) {
	e := msg.editor
	if m.dialog != e || e.file.Text() != msg.text {
		return
	}
	if msg.err != nil {
		e.problem, e.clash = msg.err, errors.Is(msg.err, edit.ErrConflict)
		return
	}
	if msg.file != nil {
		e.file = msg.file
		e.show()
	}
	if !msg.dropped {
		e.ask(m, msg.file != nil)
	}
}

// ask shows what would be saved; joined: somebody else's change is in it.
func (e *editor) ask(m *Model, joined bool) {
	p, err := repair.Config(e.file)
	switch {
	case err != nil:
		e.problem = err
		e.toProblem()
	case len(p.Steps) == 0:
		m.say(widget.Muted, fmt.Sprintf(m.t.Screen.Nothing, m.t.Say(p.Title)))
	default:
		if joined {
			p.Notes = append(p.Notes, say.Data(m.t.Editor.Joined))
		}
		m.dialog = &confirmDialog{confirm: widget.NewConfirm(p, m.o.Now), key: "e", back: e}
	}
}

// View implements dialog.
func (e *editor) View(l *widget.Look, width, height int) string {
	w, h := min(width, 110), max(5, height-2)
	inner, rows := widget.FrameInner(w, h)
	var lines []string
	if e.asText {
		e.area.SetWidth(inner)
		e.area.SetHeight(max(1, rows-3))
		lines = strings.Split(e.area.View(), "\n")
	} else {
		lines = e.form.View(l, inner, max(1, rows-3))
	}
	for len(lines) < rows-2 {
		lines = append(lines, "")
	}
	lines = append(lines[:max(0, rows-2)], e.verdict(l, inner)...)
	return l.Framed(widget.FrameOptions{
		Width: w, Height: h, Focused: true, Title: l.Text.Screen.Editor + " " + text.Line(e.file.Path()),
		Status: e.state(l), Footer: l.Paint(widget.Muted, e.keys(&l.Text.Editor)),
	}, lines)
}

// keys names the keys that matter just now.
func (e *editor) keys(t *text.Editor) string {
	switch {
	case e.asText:
		return t.TextKeys
	case e.form.typing():
		return t.ValueKeys
	}
	return t.FormKeys
}

// state says whether there is something to save.
func (e *editor) state(l *widget.Look) string {
	if e.file.Changed() {
		return l.Paint(widget.Warn, l.Glyphs.Mark+" "+l.Text.Screen.Unsaved)
	}
	return ""
}

// verdict is the first problem, with its line, or that there is none.
func (e *editor) verdict(l *widget.Look, width int) []string {
	if e.sure {
		return twoLines(l.Within(widget.Warn, l.Glyphs.Warn+" "+l.Text.Editor.Leave, width, 2))
	}
	if e.clash {
		return []string{l.Paint(widget.Fail, text.Cut(l.Glyphs.Fail+" "+l.Text.SayAll(say.Of(e.problem)), width)), l.Paint(widget.Warn, text.Cut(l.Text.Editor.Clash, width))}
	}
	if !e.asText && e.form.typing() {
		return []string{"", ""}
	}
	if e.problem == nil {
		return []string{"", l.Paint(widget.OK, l.Glyphs.OK+" "+l.Text.Screen.Valid)}
	}
	return twoLines(l.Within(widget.Fail, l.Glyphs.Fail+" "+problemText(l.Text, e.problem), width, 2))
}

// twoLines has what is said in one line keep the place of two.
func twoLines(lines []string) []string { return append(lines, "")[:2] }

// problemText is the first of what is wrong, without the file's name, which
// stands above.
func problemText(t *text.Texts, err error) string {
	var ce *config.Error
	if errors.As(err, &ce) && len(ce.Problems) > 0 {
		p := ce.Problems[0]
		p.File = ""
		said := strings.TrimPrefix(t.Say(p.Say()), ": ")
		if more := len(ce.Problems) - 1; more > 0 {
			said += fmt.Sprintf(" (+%d)", more)
		}
		return strings.TrimPrefix(said, ":")
	}
	return t.Say(say.Of(err))
}
