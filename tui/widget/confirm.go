package widget

import (
	"fmt"
	"strings"
	"time"

	"flatnet/core/repair"
	"flatnet/tui/text"
)

// Grace is how long after it opened a confirm dialog takes no yes: a key that
// was typed for something else must not change anything.
const Grace = 400 * time.Millisecond

// Answer is what a person said to a plan.
type Answer int

// The answers.
const (
	Open Answer = iota // not yet
	No
	Yes
)

// Confirm shows a plan and asks. Cancel stands first and is chosen until the
// person chooses otherwise.
type Confirm struct {
	Plan   repair.Plan
	opened time.Time
	now    func() time.Time
	apply  bool // the second button is chosen
	offset int
}

// NewConfirm opens a dialog for p.
func NewConfirm(p repair.Plan, now func() time.Time) *Confirm {
	return &Confirm{Plan: p, opened: now(), now: now}
}

// Key takes a key.
func (c *Confirm) Key(key string, page int) Answer {
	switch key {
	case "esc", "n", "q", "ctrl+c":
		return No
	case "left", "h":
		c.apply = false
	case "right", "l":
		c.apply = true
	case "tab", "shift+tab":
		c.apply = !c.apply
	case "enter":
		if !c.apply {
			return No
		}
		return c.yes()
	case "y":
		return c.yes()
	default:
		before := c.offset
		if c.offset = scrolled(c.offset, key, page); c.offset == before { // typed for something else, which may go on
			c.opened = c.now()
		}
	}
	return Open
}

// yes is heard only after the moment of grace, which begins anew with each
// key that comes within it.
func (c *Confirm) yes() Answer {
	if c.now().Sub(c.opened) < Grace {
		c.opened = c.now()
		return Open
	}
	return Yes
}

// View draws the dialog for a screen of that size.
func (c *Confirm) View(l *Look, width, height int) string {
	lines := PlanLines(l, c.Plan, DialogWidth(width))
	w, h := dialogSize(len(lines)+2, width, height)
	all := len(lines)
	lines, c.offset = window(lines, c.offset, h-4)
	for len(lines) < h-4 {
		lines = append(lines, "")
	}
	lines = append(lines, "", c.buttons(l))
	return l.Framed(FrameOptions{
		Width: w, Height: h, Focused: true, Title: l.Text.Say(c.Plan.Title),
		Note: l.progress(c.offset, h-4, all), Footer: l.Paint(Muted, l.Text.Confirm.Keys),
	}, lines)
}

func (c *Confirm) buttons(l *Look) string {
	no, yes := Button, Plain
	if c.apply {
		no, yes = Plain, Button
	}
	return l.button(no, l.Text.Confirm.Cancel) + "  " + l.button(yes, l.Text.Confirm.Apply)
}

// button has brackets too, so that the chosen one is seen without colour.
func (l *Look) button(t Tone, s string) string {
	if t == Button {
		return l.Paint(t, "["+l.Glyphs.Cursor+" "+s+" ]")
	}
	return l.Paint(t, "[  "+s+" ]")
}

// PlanLines draws a plan: each step with the command that would do the same
// and the diff, what is left to the person, then the notes.
func PlanLines(l *Look, p repair.Plan, width int) []string {
	var out []string
	switch {
	case len(p.Steps) > 0:
		out = append(out, l.Paint(Muted, l.Text.Confirm.Steps))
	case p.ByHand == "":
		out = append(out, l.Paint(Plain, l.Text.Confirm.Nothing))
	}
	for i, s := range p.Steps {
		lead := l.Paint(Accent, fmt.Sprintf("%2d ", i+1))
		out = append(out, l.Indented(lead, Plain, l.Text.Say(s.Text), width)...)
		if s.Command != "" {
			out = append(out, l.Indented("   "+l.Paint(Muted, "$ "), Muted, text.Block(s.Command), width)...)
		}
		if strings.TrimSpace(s.Diff) != "" {
			for _, d := range l.Diff(s.Diff, width-3) {
				out = append(out, "   "+d)
			}
		}
	}
	if p.ByHand != "" {
		out = append(out, l.Paint(Warn, l.Text.Confirm.ByHand+":"))
		out = append(out, l.Indented("   "+l.Paint(Muted, "> "), Accent, text.Line(p.ByHand), width)...)
	}
	for _, n := range p.Notes {
		out = append(out, "")
		out = append(out, l.Indented(l.Paint(Warn, l.Text.Confirm.Note+": "), Plain, l.Text.Say(n), width)...)
	}
	return out
}
