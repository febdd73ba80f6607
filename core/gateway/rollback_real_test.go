package gateway_test

import (
	"context"
	"errors"
	"testing"

	"flatnet/core/gateway"
)

// twoGenerations deploys web at one address, then at another.
func twoGenerations(w *world) {
	serve(w.t, "10.87.1.2:80", "old")
	serve(w.t, "10.87.1.3:80", "new")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(w.t)
	w.apply()
	w.containers[0].Networks["flatnet"] = attachment("10.87.1.3")
	w.apply()
}

// What the watcher planned before a rollback, or plans while it is under way,
// does not undo it.
func TestRollbackIsNotOvertaken(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		twoGenerations(w)
		w.run("more", "10.87.1.3", "host=more.local")
		before, err := w.gateway().PrepareUnasked(t.Context())
		if err != nil || before.Nothing {
			t.Fatalf("planned %+v, %v", before.Generation, err)
		}
		o := w.options()
		var within error // the last time that the rollback was about to ask what is served
		o.HealthURL = func(ctx context.Context) string {
			_, within = w.gateway().PrepareUnasked(ctx)
			return w.options().HealthURL(ctx)
		}
		g := gateway.New(o)
		c, err := g.PrepareRollback(t.Context(), 0)
		if err == nil {
			_, err = g.Deploy(t.Context(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(within, gateway.ErrHeld) {
			t.Errorf("planned while it was rolled back: %v, want that it is held", within)
		}
		if _, err := w.gateway().Deploy(t.Context(), before); !errors.Is(err, gateway.ErrOvertaken) {
			t.Errorf("planned before: %v, want that it is overtaken", err)
		}
		if s := w.look(); s.Generation != 1 || s.Held == "" {
			t.Errorf("generation %d, held %q", s.Generation, s.Held)
		}
	})
}

func TestRefusedRollbackHoldsNothing(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		twoGenerations(w)
		w.run("big", "10.87.1.3", "host=big.local", "max_body=5m")
		w.apply()
		o := w.options()
		o.Runner = deaf{o.Runner}
		g := gateway.New(o)
		c, err := g.PrepareRollback(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = g.Deploy(t.Context(), c); !errors.Is(err, gateway.ErrNotServed) {
			t.Errorf("got %v", err)
		}
		if s := w.look(); s.Generation != 3 || s.Held != "" {
			t.Errorf("generation %d, held %q", s.Generation, s.Held)
		}
	})
}

// A rollback to what is wanted anyway still holds the watcher; applying ends
// that, although there is nothing to write.
func TestApplyResumesWhereNothingIsToWrite(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		twoGenerations(w)
		w.rollback(0)
		w.containers[0].Networks["flatnet"] = attachment("10.87.1.2")
		if s := w.look(); s.Held == "" || s.Pending {
			t.Errorf("held %q, pending %v", s.Held, s.Pending)
		}
		c, err := w.gateway().Prepare(t.Context())
		if err != nil || c.Nothing || !c.InPlace || !c.Resumes() {
			t.Errorf("plan: nothing %v, in place %v, resumes %v, %v", c.Nothing, c.InPlace, c.Resumes(), err)
		}
		if out := w.apply(); out.Generation != 1 || out.Reloaded {
			t.Errorf("applied: %+v, want generation 1 without a reload", out)
		}
		if s := w.look(); s.Generation != 1 || s.Held != "" {
			t.Errorf("generation %d, held %q", s.Generation, s.Held)
		}
	})
}
