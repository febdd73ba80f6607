package tui

import (
	"reflect"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// The pace of drawing. The library's renderer looks at a ticker whether there
// is something to draw, all the time: at thirty times a second that alone is
// several times what the rest of an idle console costs.
const (
	framesPerSecond = 60                    // while something happens
	awake           = 50 * time.Millisecond // after the last message that had news
	resting         = time.Second           // between two looks while nothing happens: for what a slow terminal held up
)

// paced is the console's model, which has the renderer rest while no message
// has news.
type paced struct {
	*Model
	pace *pace
}

// Update implements tea.Model.
func (p paced) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if p.news(msg) {
		p.pace.wake()
	}
	_, cmd := p.Model.Update(msg)
	return p, cmd
}

// pace sets the ticker of a program's renderer.
type pace struct {
	program *tea.Program

	mu     sync.Mutex
	ticker *time.Ticker // nil: the renderer keeps its own pace
	rest   *time.Timer  // nil until the first wake
	until  time.Time    // when it may rest
	slow   bool
}

// wake has the renderer look often for a while.
func (p *pace) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rest == nil {
		p.ticker = tickerOf(p.program)
		p.rest = time.AfterFunc(awake, p.slowDown)
	}
	p.until = time.Now().Add(awake)
	p.rest.Reset(awake)
	if p.slow && p.ticker != nil { // a ticker that is set anew with each message would never tick
		p.ticker.Reset(time.Second / framesPerSecond)
	}
	p.slow = false
}

// slowDown has it look seldom, unless a message came meanwhile.
func (p *pace) slowDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ticker == nil || time.Now().Before(p.until) {
		return
	}
	p.ticker.Reset(resting)
	p.slow = true
}

// tickerOf gives the ticker of a running program's renderer; nil where the
// library has none of that name any more. It offers no other way to it.
func tickerOf(p *tea.Program) *time.Ticker {
	field := reflect.ValueOf(p).Elem().FieldByName("ticker")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	return *(**time.Ticker)(field.Addr().UnsafePointer())
}
