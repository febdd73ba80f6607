// Package action is what a person can do in the console. Each thing is
// declared once; the keys, the help, the command palette and the key list in
// the documentation are all made from that declaration.
package action

import tea "charm.land/bubbletea/v2"

// Group is where an action stands in help and documentation.
type Group string

// The groups, in the order in which they are shown.
const (
	Repair Group = "repair" // what changes something
	Look   Group = "look"
	List   Group = "list"
	Screen Group = "screen"
)

// Groups gives all groups in order.
func Groups() []Group { return []Group{Repair, Look, List, Screen} }

// Action is one thing a person can do.
type Action struct {
	ID      string   // stays the same: tests and documentation go by it
	Keys    []string // as Bubble Tea names them; the first is shown
	Name    string   // what it does, in the person's language
	Short   string   // one word for the line of hints; "" : not hinted
	Group   Group
	Changes bool // --read-only takes it away

	// Why says why it cannot be used now; "" if it can. nil: it always can.
	Why func() string
	Run func() tea.Cmd
}

// Reason says why the action cannot be used now, "" if it can.
func (a Action) Reason() string {
	if a.Why == nil {
		return ""
	}
	return a.Why()
}

// Has tells whether key is one of the action's.
func (a Action) Has(key string) bool {
	for _, k := range a.Keys {
		if k == key {
			return true
		}
	}
	return false
}

// Find gives the action that key stands for.
func Find(all []Action, key string) (Action, bool) {
	for _, a := range all {
		if a.Has(key) {
			return a, true
		}
	}
	return Action{}, false
}
