package windows

import "context"

// Enabled tells whether there is a Windows to ask, without starting any of
// its programs. It ends with ctx.
func (s *System) Enabled(ctx context.Context) bool {
	var st Status
	on, err := s.enabled(ctx, &st)
	return on || (err != nil && st.Enabled)
}
