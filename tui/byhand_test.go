package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"flatnet/core/repair"
	"flatnet/core/say"
)

// TestWhatIsLeftToThePerson: a plan that the console cannot carry out to its
// end shows the command, and c copies that command alone.
func TestWhatIsLeftToThePerson(t *testing.T) {
	const command = "route.exe add 10.87.1.0 mask 255.255.255.0 172.27.224.53 metric 1"
	for _, steps := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d steps", steps), func(t *testing.T) {
			var b *bench
			b = newBench(t, func(o *Options) {
				o.Plans.Route = func(ctx context.Context) (repair.Plan, error) {
					p, err := b.plan("route", steps)(ctx)
					p.ByHand, p.Notes = command, []say.Text{"only an administrator may"}
					return p, err
				}
			})
			b.keys("W")
			if steps > 0 {
				if !strings.Contains(b.screen(), command) {
					t.Errorf("not said before the steps are made:\n%s", b.screen())
				}
				b.later().keys("y")
			}
			if len(b.done) != steps || !strings.Contains(b.screen(), command) || !strings.Contains(b.screen(), "left to you: route") {
				t.Fatalf("%d steps made:\n%s", len(b.done), b.screen())
			}
			if d, ok := b.m.dialog.(*pagerDialog); !ok || d.plain != command {
				t.Errorf("c copies %+v, want the command alone", b.m.dialog)
			}
			b.keys("c", "esc")
			if b.m.dialog != nil || !strings.Contains(b.screen(), "copied: route") {
				t.Errorf("not copied:\n%s", b.screen())
			}
		})
	}
}
