package attach

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// undo is what takes back the steps of a call, last first. Steps that run
// beside each other may push at the same time.
type undo struct {
	mu    sync.Mutex
	steps []func(context.Context) error
}

func newUndo() *undo { return &undo{} }

func (u *undo) push(step func(context.Context) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.steps = append(u.steps, step)
}

// run takes everything back. A step that fails does not stop the others.
func (u *undo) run(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	var errs []error
	for i := len(u.steps) - 1; i >= 0; i-- {
		errs = append(errs, u.steps[i](ctx))
	}
	u.steps = nil
	return errors.Join(errs...)
}

// start runs f beside the caller; the function that it gives waits for it and
// tells its error, as often as it is asked. A panic of f is an error.
func start(f func() error) (wait func() error) {
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		err = f()
	}()
	return func() error {
		<-done
		return err
	}
}
