package kernel

import (
	"context"
	"net/netip"
)

// Hooked gives a Kernel that asks before ahead of every operation of k; an
// error from it is the operation's result, and k is left alone. op is the
// method's name ("AddVeth"), target what it is about; in a namespace opened
// through it the target starts with the namespace's path and a colon. Close
// is not asked about: it always happens.
func Hooked(k Kernel, before func(op, target string) error) Kernel {
	return hooked{hookedNamespace{k, "", before}, k}
}

// hooked asks before each operation on a machine.
type hooked struct {
	hookedNamespace // its own
	kernel          Kernel
}

func (h hooked) Open(ctx context.Context, path string) (Namespace, error) {
	if err := h.before("Open", path); err != nil {
		return nil, err
	}
	ns, err := h.kernel.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return hookedNamespace{ns, path + ":", h.before}, nil
}

func (h hooked) Identify(ctx context.Context, path string) (NamespaceID, error) {
	if err := h.before("Identify", path); err != nil {
		return NamespaceID{}, err
	}
	return h.kernel.Identify(ctx, path)
}

func (h hooked) Namespaces(ctx context.Context) ([]string, error) {
	if err := h.before("Namespaces", ""); err != nil {
		return nil, err
	}
	return h.kernel.Namespaces(ctx)
}

func (h hooked) BootID(ctx context.Context) (string, error) {
	if err := h.before("BootID", ""); err != nil {
		return "", err
	}
	return h.kernel.BootID(ctx)
}

func (h hooked) ResolveBackend(ctx context.Context, b Backend) (Backend, error) {
	if err := h.before("ResolveBackend", string(b)); err != nil {
		return "", err
	}
	return h.kernel.ResolveBackend(ctx, b)
}

func (h hooked) SaveRules(ctx context.Context, b Backend) (string, error) {
	if err := h.before("SaveRules", string(b)); err != nil {
		return "", err
	}
	return h.kernel.SaveRules(ctx, b)
}

func (h hooked) RestoreRules(ctx context.Context, b Backend, text string) error {
	if err := h.before("RestoreRules", string(b)); err != nil {
		return err
	}
	return h.kernel.RestoreRules(ctx, b, text)
}

func (h hooked) RulesVersion(ctx context.Context, b Backend) (string, error) {
	if err := h.before("RulesVersion", string(b)); err != nil {
		return "", err
	}
	return h.kernel.RulesVersion(ctx, b)
}

func (h hooked) LockRules(ctx context.Context) (func(), error) {
	if err := h.before("LockRules", ""); err != nil {
		return nil, err
	}
	return h.kernel.LockRules(ctx)
}

// hookedNamespace asks before each operation on one namespace.
type hookedNamespace struct {
	Namespace
	prefix string
	before func(op, target string) error
}

func (h hookedNamespace) Links(ctx context.Context) ([]Link, error) {
	if err := h.before("Links", h.prefix); err != nil {
		return nil, err
	}
	return h.Namespace.Links(ctx)
}

func (h hookedNamespace) Link(ctx context.Context, name string) (Link, error) {
	if err := h.before("Link", h.prefix+name); err != nil {
		return Link{}, err
	}
	return h.Namespace.Link(ctx, name)
}

func (h hookedNamespace) AddBridge(ctx context.Context, name string, mtu int) error {
	if err := h.before("AddBridge", h.prefix+name); err != nil {
		return err
	}
	return h.Namespace.AddBridge(ctx, name, mtu)
}

func (h hookedNamespace) AddVeth(ctx context.Context, v Veth) error {
	if err := h.before("AddVeth", h.prefix+v.Host); err != nil {
		return err
	}
	// The kernel below knows only its own namespaces.
	switch peer := v.PeerNS.(type) {
	case hookedNamespace:
		v.PeerNS = peer.Namespace
	case hooked:
		v.PeerNS = peer.Namespace
	}
	return h.Namespace.AddVeth(ctx, v)
}

func (h hookedNamespace) DeleteLink(ctx context.Context, name string) error {
	if err := h.before("DeleteLink", h.prefix+name); err != nil {
		return err
	}
	return h.Namespace.DeleteLink(ctx, name)
}

func (h hookedNamespace) SetUp(ctx context.Context, name string) error {
	if err := h.before("SetUp", h.prefix+name); err != nil {
		return err
	}
	return h.Namespace.SetUp(ctx, name)
}

func (h hookedNamespace) SetMTU(ctx context.Context, name string, mtu int) error {
	if err := h.before("SetMTU", h.prefix+name); err != nil {
		return err
	}
	return h.Namespace.SetMTU(ctx, name, mtu)
}

func (h hookedNamespace) SetMaster(ctx context.Context, link, bridge string, hairpin bool) error {
	if err := h.before("SetMaster", h.prefix+link); err != nil {
		return err
	}
	return h.Namespace.SetMaster(ctx, link, bridge, hairpin)
}

func (h hookedNamespace) Addrs(ctx context.Context, link string) ([]netip.Prefix, error) {
	if err := h.before("Addrs", h.prefix+link); err != nil {
		return nil, err
	}
	return h.Namespace.Addrs(ctx, link)
}

func (h hookedNamespace) AddAddr(ctx context.Context, link string, addr netip.Prefix) error {
	if err := h.before("AddAddr", h.prefix+link); err != nil {
		return err
	}
	return h.Namespace.AddAddr(ctx, link, addr)
}

func (h hookedNamespace) Routes(ctx context.Context) ([]Route, error) {
	if err := h.before("Routes", h.prefix); err != nil {
		return nil, err
	}
	return h.Namespace.Routes(ctx)
}

func (h hookedNamespace) AddRoute(ctx context.Context, r Route) error {
	if err := h.before("AddRoute", h.prefix+r.Dst.String()); err != nil {
		return err
	}
	return h.Namespace.AddRoute(ctx, r)
}

func (h hookedNamespace) Sysctl(ctx context.Context, key string) (string, error) {
	if err := h.before("Sysctl", h.prefix+key); err != nil {
		return "", err
	}
	return h.Namespace.Sysctl(ctx, key)
}

func (h hookedNamespace) SetSysctl(ctx context.Context, key, value string) error {
	if err := h.before("SetSysctl", h.prefix+key); err != nil {
		return err
	}
	return h.Namespace.SetSysctl(ctx, key, value)
}

func (h hookedNamespace) Do(ctx context.Context, f func() error) error {
	if err := h.before("Do", h.prefix); err != nil {
		return err
	}
	return h.Namespace.Do(ctx, f)
}
