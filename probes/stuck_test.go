package probes_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"flatnet/probes"
)

// A server that takes the connection and says nothing is unknown at first; it
// is down when it has said nothing for half a minute. A page that comes late
// is no fault, and stays so.
func TestScheduleTellsSlowFromStuck(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration
		want  []probes.State
	}{
		"fast":  {time.Second, []probes.State{probes.Up, probes.Up, probes.Up}},
		"slow":  {5 * time.Second, []probes.State{probes.Unknown, probes.Up, probes.Up}},
		"stuck": {time.Hour, []probes.State{probes.Unknown, probes.Down, probes.Down}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				results := make(chan probes.State, 100)
				s := probes.NewSchedule(probes.Options{
					Probers:  probes.Probers{probes.TCP: late(tt.takes)},
					OnResult: func(_ probes.Target, r probes.Result) { results <- r.State },
				})
				s.Set(targets(1))
				go s.Run(ctx)
				got := []probes.State{<-results, <-results, <-results}
				cancel()
				synctest.Wait()
				if !slices.Equal(got, tt.want) {
					t.Errorf("%v, want %v", got, tt.want)
				}
			})
		})
	}
}

// late answers after that time, and is silent where the target's limit is
// shorter.
type late time.Duration

func (l late) Probe(ctx context.Context, t probes.Target) probes.Result {
	at := time.Now()
	select {
	case <-time.After(time.Duration(l)):
		return probes.Result{At: at, State: probes.Up, Latency: time.Duration(l)}
	case <-time.After(t.Timeout):
		return probes.Result{At: at, State: probes.Unknown, Cause: probes.Silent}
	case <-ctx.Done():
		return probes.Result{At: at, State: probes.Unknown, Cause: probes.Cancelled}
	}
}
