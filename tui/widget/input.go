package widget

import "charm.land/bubbles/v2/textinput"

// NewInput makes a line to type into. Its cursor does not blink: that would
// send bytes for as long as it is open.
func NewInput(prompt string) textinput.Model {
	in := textinput.New()
	in.Prompt = prompt
	in.CharLimit = 200
	s := in.Styles()
	s.Cursor.Blink = false
	in.SetStyles(s)
	return in
}
