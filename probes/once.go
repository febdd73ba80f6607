package probes

import (
	"context"
	"sync"
)

// Once asks all targets side by side, at most MaxInFlight at a time, each
// once, and gives the results in the targets' order.
func Once(ctx context.Context, p Probers, targets []Target) []Result {
	results := make([]Result, len(targets))
	slots := make(chan struct{}, MaxInFlight)
	var running sync.WaitGroup
	for i, t := range targets {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			results[i] = p.Probe(ctx, t)
		})
	}
	running.Wait()
	return results
}
