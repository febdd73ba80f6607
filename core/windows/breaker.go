package windows

import (
	"sync"
	"time"

	"flatnet/core/say"
)

// The pauses after failures double from first to longest.
const (
	firstPause   = 2 * time.Second
	longestPause = 2 * time.Minute
)

// breaker leaves Windows alone for a while after a failure, longer each time,
// so that a Windows that hangs costs one time limit now and then.
type breaker struct {
	now func() time.Time

	mu    sync.Mutex
	pause time.Duration
	until time.Time
	last  error
}

// ready gives nil where a call may be made, else ErrResting and the failure.
func (b *breaker) ready() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := b.until.Sub(b.now())
	if b.last == nil || wait <= 0 || wait > longestPause { // longer: the clock was set back
		return nil
	}
	return say.Errorf("%w; %w for %s", b.last, ErrResting, wait.Round(time.Second))
}

// report takes the outcome of a call; nil closes the breaker.
func (b *breaker) report(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.pause, b.last = 0, nil
		return
	}
	b.pause = min(max(2*b.pause, firstPause), longestPause)
	b.until, b.last = b.now().Add(b.pause), err
}

// reset ends the rest and keeps the length of the next.
func (b *breaker) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = time.Time{}
}
