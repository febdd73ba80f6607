// Package tui is the console: four panes over what core and the probes see,
// and keys for what a person can do about it. The root sizes, focuses and
// routes; what a pane shows is in tui/pane, how it is drawn in tui/widget,
// every text in tui/text.
//
// It changes nothing by itself: it asks for a plan (core/repair), shows it,
// and applies it when the person says so.
package tui

import "context"

// Run shows the console until it is left or ctx ends. It returns when no
// change is under way any more.
func Run(ctx context.Context, o Options) error {
	_ = o
	return ctx.Err()
}
