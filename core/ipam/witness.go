package ipam

import "flatnet/core/say"

// Sight is what a witness says about a lease's container.
type Sight int

// What can be said. Unclear is the answer of one who could not look.
const (
	Unclear Sight = iota
	Alive
	Gone
)

// Testimony is what a witness says, with what it saw.
type Testimony struct {
	Says Sight
	Text say.Text
}

// Witness looks at a lease's container.
type Witness func(Lease) Testimony
