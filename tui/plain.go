package tui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
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
	p := &plain{m: New(o), out: make(chan string, 1024), more: make(chan struct{}, 1), seen: map[string]string{}}
	p.m.width, p.m.height, p.m.linear = plainWidth, 1000, true
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(nil), tea.WithoutRenderer()}
	program := tea.NewProgram(p, opts...)
	done := make(chan struct{})
	go p.print(o.Out, done)
	if o.In != nil {
		go readLines(o.In, program, p.more)
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
	out    chan string   // to the printer, so that Update does no I/O
	more   chan struct{} // to the reader: the next line is for the console
	owed   bool          // the reader waits for that
	seen   map[string]string
	said   int    // activities told
	dialog dialog // the dialog told
}

// typedMsg is a line that was typed.
type typedMsg string

// readLines sends what is typed, a line when the one before has been taken: an
// editor has the terminal to itself. The end of the input ends the console.
func readLines(in io.Reader, program *tea.Program, more <-chan struct{}) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		program.Send(typedMsg(strings.TrimSpace(lines.Text())))
		<-more
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
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return p, nil
	case typedMsg:
		p.owed = true
		cmd = p.typed(string(msg))
	default:
		_, cmd = p.m.Update(msg)
	}
	p.tell()
	if p.owed && (p.m.job == nil || !p.m.job.reads) {
		p.owed = false
		p.more <- struct{}{}
	}
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
			was := p.at()
			cmd = p.m.do(a)
			p.tellPlace(was)
		case line != "":
			p.say(p.m.t.Screen.PlainHelp)
		}
	}
	return cmd
}

// spot is what a key is about: a row of a pane, and what is marked there.
type spot struct {
	pane, row string
	marked    int
}

func (p *plain) at() spot {
	f := p.m.focused()
	return spot{string(f.ID()), f.Selected(), len(f.Marked())}
}

// tellPlace says where the person is now, if a key has led there.
func (p *plain) tellPlace(was spot) {
	now := p.at()
	if now.marked != was.marked {
		p.say(fmt.Sprintf(p.m.t.Screen.Marked, now.marked))
	}
	if now.pane == was.pane && now.row == was.row {
		return
	}
	for _, l := range p.m.focused().Linear() {
		if l.Key == now.pane && now.pane != was.pane || l.Key == now.pane+" "+now.row {
			p.say(l.Text)
		}
	}
}

// needScreen are the actions that would show nothing, or nothing that can be
// answered, where there are only lines.
var needScreen = []string{"config", "palette", "filter", "sort", "reverse", "zoom", "theme", "mouse"}

// withoutScreen has those actions say so.
func withoutScreen(all []action.Action, why string) {
	for i := range all {
		if slices.Contains(needScreen, all[i].ID) {
			all[i].Why = func() string { return why }
		}
	}
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
