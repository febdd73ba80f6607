package tui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"

	"flatnet/tui/action"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// plainWidth is where plain text wraps in dialogs.
const plainWidth = 76

// Plain is the console as linear text, for screen readers and terminals that
// cannot place a cursor: everything once, then a line for each change. A key
// typed on a line of its own does what it does in the console.
func Plain(ctx context.Context, o Options) error {
	p := &plain{m: New(o), out: make(chan string, 1024), seen: map[string]string{}}
	p.m.width, p.m.height = plainWidth, 1000
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(nil), tea.WithoutRenderer()}
	program := tea.NewProgram(p, opts...)
	done := make(chan struct{})
	go p.print(o.Out, done)
	if o.In != nil {
		go readLines(o.In, program)
	}
	_, err := program.Run()
	p.m.stop()
	p.m.jobs.wait()
	close(p.out)
	<-done
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// plain is the root model drawn as lines.
type plain struct {
	m      *Model
	out    chan string // to the printer, so that Update does no I/O
	seen   map[string]string
	said   int    // activities told
	dialog dialog // the dialog told
}

// typedMsg is a line that was typed.
type typedMsg string

// readLines sends what is typed; the end of the input ends the console.
func readLines(in io.Reader, program *tea.Program) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		program.Send(typedMsg(strings.TrimSpace(lines.Text())))
	}
	program.Quit()
}

// print writes what there is to say, in order.
func (p *plain) print(out io.Writer, done chan<- struct{}) {
	defer close(done)
	for s := range p.out {
		if p.m.style.ascii {
			s = text.ASCII(s)
		}
		if _, err := io.WriteString(out, s+"\n"); err != nil {
			return
		}
	}
}

// Init implements tea.Model.
func (p *plain) Init() tea.Cmd {
	p.say(p.m.t.Screen.PlainHelp)
	return tea.Batch(p.m.tick(), p.m.refreshAll(false))
}

// View implements tea.Model; nothing is drawn.
func (p *plain) View() tea.View { return tea.NewView("") }

// Update implements tea.Model.
func (p *plain) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if line, ok := msg.(typedMsg); ok {
		return p, p.typed(string(line))
	}
	if _, ok := msg.(tea.WindowSizeMsg); ok {
		return p, nil
	}
	_, cmd := p.m.Update(msg)
	p.tell()
	return p, cmd
}

// typed takes a line: the answer to a dialog, or the key of an action.
func (p *plain) typed(line string) tea.Cmd {
	var cmd tea.Cmd
	switch d := p.m.dialog.(type) {
	case *confirmDialog:
		p.m.dialog = nil
		if strings.EqualFold(line, "yes") {
			cmd = p.m.apply(d.confirm.Plan, d.key, nil)
		} else {
			p.m.say(widget.Muted, fmt.Sprintf(p.m.t.Screen.Cancelled, p.m.t.Say(d.confirm.Plan.Title)))
		}
	default:
		p.m.dialog = nil
		a, ok := action.Find(p.m.actions(), line)
		switch {
		case ok:
			cmd = p.m.do(a)
		case line != "":
			p.say(p.m.t.Screen.PlainHelp)
		}
	}
	p.tell()
	return cmd
}

func (p *plain) say(s string) {
	select {
	case p.out <- s:
	default: // the reader is far behind; a later line tells the state
	}
}

// tell says what is new since the last time.
func (p *plain) tell() {
	p.tellDialog()
	if last, said := p.m.activity.Last(); said != p.said {
		p.said = said
		p.say(last)
	}
	now := map[string]string{}
	for _, l := range p.lines() {
		now[l.Key] = l.Text
		if p.seen[l.Key] != l.Text {
			p.say(l.Text)
		}
	}
	for key, was := range p.seen {
		if _, still := now[key]; !still {
			p.say(fmt.Sprintf(p.m.t.Screen.Gone, was))
		}
	}
	p.seen = now
}

// lines are all lines of all panes that have been looked at.
func (p *plain) lines() []pane.Line {
	var out []pane.Line
	for _, pn := range p.m.panes {
		out = append(out, pn.Linear()...)
	}
	return out
}

// tellDialog reads a dialog out, and what can be answered.
func (p *plain) tellDialog() {
	if p.m.dialog == p.dialog {
		return
	}
	p.dialog = p.m.dialog
	l := p.m.style.look
	switch d := p.m.dialog.(type) {
	case *confirmDialog:
		p.say(p.m.t.Say(d.confirm.Plan.Title))
		p.sayAll(widget.PlanLines(l, d.confirm.Plan, plainWidth))
		p.say(p.m.t.Screen.PlainAsk)
	case *pagerDialog:
		p.say(d.Title)
		p.sayAll(d.Lines(l, plainWidth))
	}
}

func (p *plain) sayAll(lines []string) {
	for _, line := range lines {
		p.say(text.Block(line)) // without colours
	}
}
