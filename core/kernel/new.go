package kernel

import "context"

// New gives the kernel as this process sees it. It opens nothing until it is
// first used; Close gives back what it opened since.
func New() Kernel { return nil }

// At gives a kernel whose own network namespace is the one at path: netlink,
// sysctls and the iptables programs all act in it. ErrNoNamespace as Open.
func At(path string) (Kernel, error) { return nil, nil }

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

// Hooked is a Kernel that asks Before ahead of every operation; an error from
// it is the operation's result, and the kernel is left alone. op is the
// method's name ("AddVeth"), target what it is about; in a namespace opened
// through it the target starts with the namespace's path and a colon.
type Hooked struct {
	Kernel
	Before func(op, target string) error
}

// Open gives a namespace whose operations are hooked as well.
func (h Hooked) Open(ctx context.Context, path string) (Namespace, error) {
	return h.Kernel.Open(ctx, path)
}
