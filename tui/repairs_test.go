package tui

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"flatnet/core"
	"flatnet/core/health"
	"flatnet/core/journal"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// bench is a console with a clock that the test moves, and repairs that count
// what they do.
type bench struct {
	*driver
	now    time.Time
	looks  int // at the bridge
	done   []string
	fail   error // of the next step
	asked  []netip.Addr
	notes  []say.Text
	wrote  []journal.Entry
	repair func(ctx context.Context) error // the step itself; nil: it counts
}

func (b *bench) Append(_ context.Context, entries ...journal.Entry) error {
	b.wrote = append(b.wrote, entries...)
	return nil
}

func (b *bench) plan(title string, steps int) Plan {
	return func(context.Context) (repair.Plan, error) {
		p := repair.Plan{Repair: "test", Title: say.Data(title), Notes: b.notes}
		for i := range steps {
			name := fmt.Sprintf("%s %d", title, i+1)
			p.Steps = append(p.Steps, repair.Step{
				Text: say.Data(name), Command: "echo " + name, Diff: "--- a\n+++ b\n-old line\n+new line\n",
				Do: func(ctx context.Context) ([]journal.Entry, error) {
					if b.repair != nil {
						return nil, b.repair(ctx)
					}
					b.done = append(b.done, name)
					return nil, b.fail
				},
			})
		}
		return p, nil
	}
}

func newBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	b := &bench{now: example.Now()}
	o := exampleOptions(true)
	o.Now = func() time.Time { return b.now }
	o.Journal = b
	o.Sources.Bridge = func(context.Context) (pane.BridgeView, error) {
		b.looks++
		return example.Bridge(true), nil
	}
	o.Plans = Plans{
		ReleaseStale: b.plan("release stale", 2), Firewall: b.plan("firewall", 1), Gateway: b.plan("gateway", 1),
		Undo: b.plan("undo", 0),
		Release: func(ctx context.Context, ips []netip.Addr) (repair.Plan, error) {
			b.asked = ips
			return b.plan("release marked", len(ips))(ctx)
		},
		ByFinding: func(ctx context.Context, id string) (repair.Plan, error) { return b.plan("mend "+id, 1)(ctx) },
	}
	if change != nil {
		change(&o)
	}
	b.driver = newDriver(t, o, 120, 40)
	b.start()
	return b
}

// later lets the moment of grace pass.
func (b *bench) later() *bench { b.now = b.now.Add(widget.Grace); return b }

func TestRepairShowsThePlanAndAsks(t *testing.T) {
	b := newBench(t, nil)
	b.keys("R")
	for _, want := range []string{"release stale", "echo release stale 1", "echo release stale 2", "-old line", "+new line", "Cancel", "Apply"} {
		if !strings.Contains(b.screen(), want) {
			t.Errorf("the dialog lacks %q:\n%s", want, b.screen())
		}
	}
	b.later().keys("enter") // Cancel is chosen until the person chooses otherwise
	if len(b.done) > 0 || b.m.dialog != nil {
		t.Fatalf("enter on Cancel did %v", b.done)
	}
	b.keys("R")
	b.later().keys("esc")
	if len(b.done) > 0 || b.m.dialog != nil {
		t.Fatalf("esc did %v", b.done)
	}
}

func TestGraceAgainstStrayKeys(t *testing.T) {
	b := newBench(t, nil)
	b.keys("R", "right", "enter", "y")
	if len(b.done) > 0 || b.m.dialog == nil {
		t.Fatalf("keys typed at once did %v", b.done)
	}
	b.later().keys("enter")
	if want := []string{"release stale 1", "release stale 2"}; !slices.Equal(b.done, want) {
		t.Fatalf("did %v, want %v", b.done, want)
	}
}

func TestRepairLooksAgainAndJournals(t *testing.T) {
	b := newBench(t, nil)
	before := b.looks
	b.keys("F")
	b.later().keys("y")
	if b.looks == before {
		t.Error("nothing was looked at again")
	}
	if len(b.wrote) != 1 || b.wrote[0].By != "key F" || b.wrote[0].Text != "firewall 1" {
		t.Errorf("the journal has %+v", b.wrote)
	}
	if !strings.Contains(b.screen(), "done: firewall") {
		t.Errorf("the strip does not say so:\n%s", b.screen())
	}
}

func TestMarkedLeasesAreReleased(t *testing.T) {
	b := newBench(t, nil)
	b.keys("2", "space", "down", "space", "R")
	want := []netip.Addr{netip.MustParseAddr("10.87.1.3"), netip.MustParseAddr("10.87.1.7")}
	slices.SortFunc(b.asked, netip.Addr.Compare)
	if !slices.Equal(b.asked, want) {
		t.Errorf("asked to release %v, want %v", b.asked, want)
	}
}

func TestMendTakesTheWorstFinding(t *testing.T) {
	b := newBench(t, nil)
	b.keys("A")
	if !strings.Contains(b.screen(), "mend firewall") {
		t.Errorf("no plan for the worst finding:\n%s", b.screen())
	}
	b.keys("esc", "5", "end")
	b.keys("A")
	if !strings.Contains(b.screen(), "mend release-stale") {
		t.Errorf("no plan for the finding under the cursor:\n%s", b.screen())
	}
}

func TestKeysThatCannotBeUsedSayWhy(t *testing.T) {
	b := newBench(t, nil)
	for key, want := range map[string]string{
		"W": b.m.t.Why.NotHere, "M": b.m.t.Why.NotHere, "x": b.m.t.Why.NoJob, "o": b.m.t.Why.NotHere, "b": b.m.t.Why.NotHere,
	} {
		if b.keys(key); !strings.Contains(b.screen(), want) {
			t.Errorf("%s does not say %q:\n%s", key, want, b.screen())
		}
	}
	b = newBench(t, func(o *Options) { o.ReadOnly = true })
	for _, a := range b.m.actions() {
		if !a.Changes {
			continue
		}
		b.keys(a.Keys[0])
		if !strings.Contains(b.screen(), "--read-only") || b.m.job != nil || b.m.dialog != nil {
			t.Errorf("%s in read-only:\n%s", a.ID, b.screen())
		}
	}
	if len(b.done) > 0 {
		t.Errorf("read-only did %v", b.done)
	}
}

func TestEveryChangeIsMarkedAsOne(t *testing.T) {
	b := newBench(t, nil)
	for _, a := range b.m.repairs() {
		if a.Changes == (a.ID == "stop") {
			t.Errorf("%s: changes = %v", a.ID, a.Changes)
		}
	}
}

func TestFailureIsWholeAndCopyable(t *testing.T) {
	b := newBench(t, nil)
	b.fail = &core.OpError{Op: "write", Target: "conf.d/flatnet.conf", Err: errors.New("the drive is full"), Hint: "free some room on F:"}
	b.keys("G")
	b.later().keys("y")
	for _, want := range []string{"cannot write conf.d/flatnet.conf: the drive is full", "free some room on F:", "failed: gateway"} {
		if !strings.Contains(b.screen(), want) {
			t.Errorf("the screen lacks %q:\n%s", want, b.screen())
		}
	}
	b.keys("c", "esc", "C")
	copied := 0
	for _, m := range b.sent {
		if s := fmt.Sprint(m); strings.Contains(s, "the drive is full") && strings.Contains(fmt.Sprintf("%T", m), "Clipboard") {
			copied++
		}
	}
	if copied != 2 {
		t.Errorf("the error was copied %d times, want 2", copied)
	}
	b.fail = nil
	b.keys("F")
	b.later().keys("y")
	if !strings.Contains(b.screen(), "done: firewall") {
		t.Errorf("after a failure nothing works any more:\n%s", b.screen())
	}
}

func TestNothingToDo(t *testing.T) {
	b := newBench(t, nil)
	b.keys("U")
	if !strings.Contains(b.screen(), "nothing to do: undo") || b.m.dialog != nil {
		t.Errorf("an empty plan:\n%s", b.screen())
	}
	b.notes = []say.Text{"the last release was 3 days ago"}
	b.keys("U")
	if !strings.Contains(b.screen(), "3 days ago") {
		t.Errorf("an empty plan with a note:\n%s", b.screen())
	}
}

func TestOneChangeAtATime(t *testing.T) {
	b := newBench(t, nil)
	_, _ = b.m.Update(press("R")) // the plan is being made
	if b.m.job == nil {
		t.Fatal("no job")
	}
	b.keys("F")
	if !strings.Contains(b.screen(), b.m.t.Why.Busy) {
		t.Errorf("a second change is taken while one is under way:\n%s", b.screen())
	}
}

// TestQuitLetsTheStepEnd: leaving while a change is under way waits for its
// step and makes no further one.
func TestQuitLetsTheStepEnd(t *testing.T) {
	b := newBench(t, nil)
	started, finish := make(chan struct{}), make(chan struct{})
	b.repair = func(context.Context) error {
		close(started)
		<-finish
		b.done = append(b.done, "step")
		return nil
	}
	b.keys("R")
	b.later()
	_, cmd := b.m.Update(press("y"))
	batch, ok := cmd().(tea.BatchMsg)
	if !ok || len(batch) != 2 {
		t.Fatal("applying is not one command and its progress")
	}
	end := make(chan tea.Msg, 1)
	go func() { end <- batch[1]() }()
	<-started
	if _, cmd := b.m.Update(press("q")); cmd != nil {
		t.Fatal("quit does not wait")
	}
	close(finish)
	_, cmd = b.m.Update(<-end)
	if cmd == nil {
		t.Fatal("the console stays open after the step")
	}
	if _, ok := cmd().(tea.QuitMsg); !ok || len(b.done) != 1 {
		t.Errorf("did %v and then %T", b.done, cmd())
	}
	b.m.jobs.wait()
	if b.m.jobs.enter() {
		t.Error("a change may begin after the end")
	}
}

func TestLateRepliesAreDropped(t *testing.T) {
	b := newBench(t, nil)
	_, cmd := b.m.Update(press("R"))
	late := cmd()
	b.m.job = nil
	b.send(late)
	if b.m.dialog != nil {
		t.Error("a plan that nobody waits for is shown")
	}
}

// TestStopIsHeard: while something is under way the strip says so whatever else
// is said, the hints name the key that stops it, and stopping is said at once.
func TestStopIsHeard(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.Tools.Bundle = func(ctx context.Context, told Progress) (string, error) {
			told(3, 9)
			<-ctx.Done()
			return "", ctx.Err()
		}
	})
	_, cmd := b.m.Update(press("b"))
	batch := cmd().(tea.BatchMsg)
	end := make(chan tea.Msg, 1)
	go func() { end <- batch[1]() }()
	_, _ = b.m.Update(batch[0]())
	b.shows("writing a bundle: 3 of 9 seen", "x stop")
	_, _ = b.m.Update(press("F"))
	b.shows("writing a bundle: 3 of 9 seen", "busy; x stops it")
	_, _ = b.m.Update(press("x"))
	b.shows("stopping: write an incident bundle")
	b.send(<-end)
	b.shows("cancelled: write an incident bundle")
	if s := b.screen(); contains(s, "stopping") || contains(s, "x stop") || b.m.dialog != nil {
		t.Errorf("after it:\n%s", s)
	}
}

// TestPartlyDoneSaysSo: what was stopped between two steps says how far it came.
func TestPartlyDoneSaysSo(t *testing.T) {
	b := newBench(t, nil)
	b.repair = func(context.Context) error { b.m.job.cancel(repair.ErrStopped); return nil }
	b.keys("R")
	b.later().keys("y")
	b.shows("cancelled: release stale", "stopped after 1 of 2 steps")
}

// TestProbingYields: nobody has to wait for a silent server.
func TestProbingYields(t *testing.T) {
	ended := make(chan struct{})
	b := newBench(t, func(o *Options) {
		o.Tools.AskAgain = func(ctx context.Context, told Progress) error {
			told(1, 2)
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		}
	})
	_, cmd := b.m.Update(press("p"))
	batch := cmd().(tea.BatchMsg)
	end := make(chan tea.Msg, 1)
	go func() { end <- batch[1]() }()
	_, _ = b.m.Update(batch[0]())
	b.shows("probing: 1 of 2 seen")
	b.keys("F")
	<-ended
	b.send(<-end)
	b.shows("echo firewall 1")
}

// TestPlanLeadsBack: a plan that comes while something else is read leads
// back there.
func TestPlanLeadsBack(t *testing.T) {
	b := newBench(t, nil)
	_, cmd := b.m.Update(press("F"))
	b.keys("?")
	b.send(cmd())
	b.shows("echo firewall 1")
	b.keys("esc")
	b.shows("Help", "everything about the row")
}

// TestPathIsCopiedWhole: a hop that could not be looked at is no good one, and
// what is copied says what to do.
func TestPathIsCopiedWhole(t *testing.T) {
	hops := []PathHop{{Name: "name", State: health.Unknown, Detail: "not known here", Remedy: "ask the office DNS"}, {Name: "gateway", State: health.OK}}
	texts := text.For("en", func(string) string { return "" })
	got := plainPath("Path", texts, hops)
	if !contains(got, "ask the office DNS") || !contains(got, "no hop is broken") {
		t.Errorf("copied:\n%s", got)
	}
}
