package pane

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"flatnet/core"
	"flatnet/core/health"
	"flatnet/core/say"
)

// feed asks a source again and again and keeps its last good answer. It has
// at most one question under way.
type feed[T any] struct {
	id    ID
	look  Source[T]
	deps  Deps
	same  func(a, b T) bool // whether two answers are drawn alike; nil: never told
	every time.Duration     // least time between two looks that nobody insists on
	asked time.Time
	seq   int
	busy  bool
	again bool // ask once more when the answer is here

	value  T
	at     time.Time // of the last good answer; zero: none yet
	reason string    // why the last question failed; "" : it did not
	hint   string    // what to do about it
}

// insisted marks the context of a look that somebody insists on.
type insisted struct{}

// Insisted tells a source that a person asked for this look, or that something
// was changed: it is no time to spare whoever is asked.
func Insisted(ctx context.Context) bool { return ctx.Value(insisted{}) != nil }

// loadedMsg is an answer.
type loadedMsg[T any] struct {
	pane  ID
	feed  *feed[T] // a new configuration makes new panes of the same id
	seq   int
	value T
	err   error
	at    time.Time // when it was asked
	same  bool      // drawn like the last answer, with nothing wrong in between
}

// For implements Message.
func (m loadedMsg[T]) For() ID { return m.pane }

// News implements Message.
func (m loadedMsg[T]) News() bool { return !m.same }

// refresh asks, unless that is under way.
func (f *feed[T]) refresh(insist bool) tea.Cmd {
	if f.busy {
		f.again = f.again || insist
		return nil
	}
	if !insist && f.known() && f.deps.Now().Sub(f.asked) < f.every {
		return nil
	}
	f.busy, f.asked = true, f.deps.Now()
	f.seq++
	id, seq, look, now, limit := f.id, f.seq, f.look, f.deps.Now, f.deps.Limit
	last, same := f.value, f.same
	if !f.known() || f.reason != "" {
		same = nil
	}
	asking := context.Background()
	if insist {
		asking = context.WithValue(asking, insisted{}, true)
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(asking, limit)
		defer cancel()
		m := loadedMsg[T]{pane: id, feed: f, seq: seq, at: now()}
		m.value, m.err = look(ctx)
		m.same = same != nil && m.err == nil && same(last, m.value)
		return m
	}
}

// take keeps an answer and tells whether it was the awaited one. A failed
// look leaves the last good value where it is.
func (f *feed[T]) take(m loadedMsg[T]) (bool, tea.Cmd) {
	if m.feed != f || m.seq != f.seq || !f.busy {
		return false, nil
	}
	f.busy = false
	if m.err != nil {
		f.reason, f.hint = f.deps.Text.Say(say.Of(m.err)), f.deps.Text.Say(core.Hint(m.err))
	} else {
		f.value, f.at, f.reason, f.hint = m.value, m.at, "", ""
	}
	if f.again {
		f.again = false
		return true, f.refresh(true)
	}
	return true, nil
}

// known tells whether there is a good answer, be it an old one.
func (f *feed[T]) known() bool { return !f.at.IsZero() }

// stale tells whether what is shown is older than it ought to be.
func (f *feed[T]) stale() bool { return f.known() && f.reason != "" }

// overall turns the judgement of the last good value into the pane's: what
// cannot be looked at now is unknown, however good it was.
func (f *feed[T]) overall(judged health.Severity) health.Severity {
	switch {
	case f.reason != "" && judged == health.Fail && f.known():
		return health.Fail
	case f.reason != "" || !f.known():
		return health.Unknown
	}
	return judged
}
