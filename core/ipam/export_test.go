package ipam

// Clone gives a state that shares nothing with s.
func (s *State) Clone() State {
	c := State{Subnet: s.Subnet, Gateway: s.Gateway, RangeStart: s.RangeStart, RangeEnd: s.RangeEnd}
	for l := range s.All() {
		c.Put(l)
	}
	for f := range s.Recent() {
		c.remember(len(c.recent), f)
	}
	return c
}
