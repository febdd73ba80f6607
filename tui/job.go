package tui

import (
	"cmp"
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
	back   dialog // where a failure leads back to; nil: the panes
	cancel context.CancelCauseFunc
	steps  chan progressedMsg
	yields bool // it ends where something else begins
	reads  bool // what is typed is for it
}

// jobMsg is a message of the job under way.
type jobMsg interface{ of() *job }

// plannedMsg says that a plan was made, or why not.
type plannedMsg struct {
	job  *job
	plan repair.Plan
	err  error
}

// progressedMsg says how far it is.
type progressedMsg struct {
	job  *job
	said string
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
	tone widget.Tone
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

// busy tells whether nothing else can begin.
func (m *Model) busy() bool { return m.job != nil && !m.job.yields }

// begin makes the job under way.
func (m *Model) begin(name, key, said string) (*job, context.Context) {
	m.stop()
	ctx, cancel := context.WithCancelCause(context.Background())
	m.job = &job{name: name, key: key, cancel: cancel, steps: make(chan progressedMsg, 8)}
	m.activity.Run(m.o.Now(), said)
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

// apply carries a plan out; back is where a failure leads back to.
func (m *Model) apply(p repair.Plan, key string, back dialog) tea.Cmd {
	title := m.t.Say(p.Title)
	j, ctx := m.begin(title, key, fmt.Sprintf(m.t.Screen.Applying, title))
	j.back = back
	t := m.t
	step := func(done, total int, s repair.Step) {
		if done < total {
			j.tell(fmt.Sprintf(t.Screen.Step, done+1, total, t.Say(s.Text)))
		}
	}
	o := repair.Options{By: "key " + key, Journal: m.o.Journal, Now: m.o.Now, Progress: step}
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

// look has something looked at for a long time, which may be stopped.
func (j *job) look(ctx context.Context, f func(ctx context.Context) toldMsg) tea.Cmd {
	return tea.Batch(j.next(), func() tea.Msg {
		defer close(j.steps)
		ctx, cancel := context.WithTimeout(ctx, planLimit)
		defer cancel()
		msg := f(ctx)
		msg.job = j
		return msg
	})
}

// tell hands on to the screen how far it is; if the screen is behind, that is
// left out.
func (j *job) tell(said string) {
	select {
	case j.steps <- progressedMsg{job: j, said: said}:
	default:
	}
}

// stopJob ends what is under way, where it can be within its step.
func (m *Model) stopJob() tea.Cmd {
	m.job.cancel(repair.ErrStopped)
	m.activity.Run(m.o.Now(), fmt.Sprintf(m.t.Screen.Stopping, m.job.name))
	return nil
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
		m.activity.Run(m.o.Now(), msg.said)
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
	m.job.cancel(nil)
	m.job = nil
	m.activity.End()
}

// planned shows a plan, or says why there is none.
func (m *Model) planned(msg plannedMsg) tea.Cmd {
	switch {
	case m.leaving:
		return tea.Quit
	case msg.err != nil:
		m.failed(msg.job, msg.err)
	case len(msg.plan.Steps) == 0 && msg.plan.ByHand != "":
		m.byHand(msg.plan)
	case len(msg.plan.Steps) == 0 && len(msg.plan.Notes) == 0:
		m.say(widget.OK, fmt.Sprintf(m.t.Screen.Nothing, m.t.Say(msg.plan.Title)))
	case len(msg.plan.Steps) == 0:
		m.say(widget.OK, fmt.Sprintf(m.t.Screen.Nothing, m.t.Say(msg.plan.Title)))
		m.dialog = m.planPager(msg.plan)
	default:
		m.dialog = &confirmDialog{confirm: widget.NewConfirm(msg.plan, m.o.Now), key: msg.job.key, back: m.dialog}
	}
	return nil
}

// applied says how a plan ended and looks again at everything.
func (m *Model) applied(msg appliedMsg) tea.Cmd {
	switch {
	case errors.Is(msg.err, context.Canceled) && (msg.report.Failed != nil || len(msg.report.Applied) > 0):
		m.say(widget.Warn, fmt.Sprintf(m.t.Screen.Cancelled, msg.job.name))
		m.explain(msg.job, m.t.Screen.StoppedTitle, msg.err)
	case msg.err != nil:
		m.failed(msg.job, msg.err)
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
		m.failed(msg.job, msg.err)
	default:
		m.say(msg.tone, msg.said)
		if msg.show != nil {
			msg.show(m)
		}
	}
	if msg.job.yields { // what was asked is to be seen
		return m.refreshAll(true)
	}
	return nil
}

// failed says that something did not work: in short in the strip, in full in
// a dialog, to be copied.
func (m *Model) failed(j *job, err error) {
	if errors.Is(err, context.Canceled) {
		m.say(widget.Warn, fmt.Sprintf(m.t.Screen.Cancelled, j.name))
		m.dialog = cmp.Or(m.dialog, j.back)
		return
	}
	m.say(widget.Fail, fmt.Sprintf(m.t.Screen.Failed, j.name))
	m.explain(j, m.t.Screen.ErrorTitle, err)
}

// explain shows an error in full, over what was there or what it came from.
func (m *Model) explain(j *job, title string, err error) {
	m.failure = j.name + "\n" + m.t.SayAll(say.Of(err))
	if hint := core.Hint(err); hint != "" {
		m.failure += "\n" + m.t.SayAll(hint)
	}
	m.dialog = cmp.Or(m.dialog, j.back)
	m.dialog = m.errorPager(title, j.name, err)
}
