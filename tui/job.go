package tui

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"flatnet/core"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/tui/widget"
)

// planLimit is how long making a plan may take: the gateway's nginx may be
// asked for it, on a slow drive.
const planLimit = time.Minute

// job is what is under way: one plan being made or applied, or a long look.
// There is at most one.
type job struct {
	name   string // what the person asked for
	key    string // by which key
	cancel context.CancelFunc
	steps  chan progressedMsg
}

// jobMsg is a message of the job under way.
type jobMsg interface{ of() *job }

// plannedMsg says that a plan was made, or why not.
type plannedMsg struct {
	job  *job
	plan repair.Plan
	err  error
}

// progressedMsg says which step is being made.
type progressedMsg struct {
	job         *job
	done, total int
	step        say.Text
}

// appliedMsg says how a plan ended.
type appliedMsg struct {
	job    *job
	plan   repair.Plan
	report repair.Report
	err    error
}

// toldMsg is the end of a job that only looked: what it has to show.
type toldMsg struct {
	job  *job
	said string
	show func(m *Model)
	err  error
}

func (m plannedMsg) of() *job    { return m.job }
func (m progressedMsg) of() *job { return m.job }
func (m appliedMsg) of() *job    { return m.job }
func (m toldMsg) of() *job       { return m.job }

// jobs counts what is being changed, so that the program ends only between
// two steps, even if its terminal is gone.
type jobs struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// enter tells whether a change may begin; leave must follow.
func (j *jobs) enter() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return false
	}
	j.wg.Add(1)
	return true
}

func (j *jobs) leave() { j.wg.Done() }

// wait lets nothing new begin and returns when everything has ended.
func (j *jobs) wait() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.wg.Wait()
}

// begin makes the job under way.
func (m *Model) begin(name, key, said string) (*job, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	m.job = &job{name: name, key: key, cancel: cancel, steps: make(chan progressedMsg, 8)}
	m.activity.Say(m.o.Now(), widget.Accent, said, true)
	return m.job, ctx
}

// plan has a plan made.
func (m *Model) plan(name, key string, plan Plan) tea.Cmd {
	j, ctx := m.begin(name, key, fmt.Sprintf(m.t.Screen.Planning, name))
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, planLimit)
		defer cancel()
		p, err := plan(ctx)
		return plannedMsg{job: j, plan: p, err: err}
	}
}

// apply carries a plan out.
func (m *Model) apply(p repair.Plan, key string) tea.Cmd {
	title := m.t.Say(p.Title)
	j, ctx := m.begin(title, key, fmt.Sprintf(m.t.Screen.Applying, title))
	o := repair.Options{By: "key " + key, Journal: m.o.Journal, Now: m.o.Now, Progress: j.progress}
	running := m.jobs
	return tea.Batch(j.next(), func() tea.Msg {
		defer close(j.steps)
		if !running.enter() {
			return nil
		}
		defer running.leave()
		report, err := repair.Apply(ctx, p, o)
		return appliedMsg{job: j, plan: p, report: report, err: err}
	})
}

// progress hands a step on to the screen; if the screen is behind, it is left
// out.
func (j *job) progress(done, total int, s repair.Step) {
	select {
	case j.steps <- progressedMsg{job: j, done: done, total: total, step: s.Text}:
	default:
	}
}

// next waits for the next step.
func (j *job) next() tea.Cmd {
	return func() tea.Msg {
		m, ok := <-j.steps
		if !ok {
			return nil
		}
		return m
	}
}

// jobDone takes a message of the job under way; those of an earlier one are
// dropped.
func (m *Model) jobDone(msg jobMsg) tea.Cmd {
	if msg.of() != m.job {
		return nil
	}
	switch msg := msg.(type) {
	case progressedMsg:
		if msg.done < msg.total {
			said := fmt.Sprintf(m.t.Screen.Step, msg.done+1, msg.total, m.t.Say(msg.step))
			m.activity.Say(m.o.Now(), widget.Accent, said, true)
		}
		return msg.job.next()
	case plannedMsg:
		m.end()
		return m.planned(msg)
	case appliedMsg:
		m.end()
		return m.applied(msg)
	case toldMsg:
		m.end()
		return m.told(msg)
	case draftedMsg:
		return m.drafted(msg)
	}
	return nil
}

// end forgets the job under way.
func (m *Model) end() {
	m.job.cancel()
	m.job = nil
}

// planned shows a plan, or says why there is none.
func (m *Model) planned(msg plannedMsg) tea.Cmd {
	switch {
	case m.leaving:
		return tea.Quit
	case msg.err != nil:
		m.failed(msg.job.name, msg.err)
	case len(msg.plan.Steps) == 0 && msg.plan.ByHand != "":
		m.byHand(msg.plan)
	case len(msg.plan.Steps) == 0 && len(msg.plan.Notes) == 0:
		m.say(widget.OK, fmt.Sprintf(m.t.Screen.Nothing, m.t.Say(msg.plan.Title)))
	case len(msg.plan.Steps) == 0:
		m.say(widget.OK, fmt.Sprintf(m.t.Screen.Nothing, m.t.Say(msg.plan.Title)))
		m.dialog = m.planPager(msg.plan)
	default:
		m.activity.Say(m.o.Now(), widget.Accent, m.t.Say(msg.plan.Title), true)
		m.dialog = &confirmDialog{confirm: widget.NewConfirm(msg.plan, m.o.Now), key: msg.job.key}
	}
	return nil
}

// applied says how a plan ended and looks again at everything.
func (m *Model) applied(msg appliedMsg) tea.Cmd {
	switch {
	case msg.err != nil:
		m.failed(msg.job.name, msg.err)
	case msg.plan.ByHand != "":
		m.byHand(msg.plan)
	default:
		m.say(widget.OK, fmt.Sprintf(m.t.Screen.Done, msg.job.name))
	}
	if m.leaving {
		return tea.Quit
	}
	return tea.Batch(m.refreshAll(true), m.probeAgain())
}

// told shows what a long look found.
func (m *Model) told(msg toldMsg) tea.Cmd {
	switch {
	case m.leaving:
		return tea.Quit
	case msg.err != nil:
		m.failed(msg.job.name, msg.err)
	default:
		m.say(widget.OK, msg.said)
		if msg.show != nil {
			msg.show(m)
		}
	}
	return nil
}

// failed says that something did not work: in short in the strip, in full in
// a dialog, to be copied.
func (m *Model) failed(name string, err error) {
	if errors.Is(err, context.Canceled) {
		m.say(widget.Warn, fmt.Sprintf(m.t.Screen.Cancelled, name))
		return
	}
	m.failure = name + "\n" + m.t.SayAll(say.Of(err))
	if hint := core.Hint(err); hint != "" {
		m.failure += "\n" + m.t.SayAll(hint)
	}
	m.say(widget.Fail, fmt.Sprintf(m.t.Screen.Failed, name))
	m.dialog = m.errorPager(name, err)
}
