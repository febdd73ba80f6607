package kernel

import (
	"context"
	"net/netip"
)

// Hooked is a Kernel that asks Before ahead of every operation; an error from
// it is the operation's result, and the kernel is left alone. op is the
// method's name ("AddVeth"), target what it is about; in a namespace opened
// through it the target starts with the namespace's path and a colon. Close
// is not asked about: it always happens.
type Hooked struct {
	Kernel
	Before func(op, target string) error
}

// Open gives a namespace whose operations are hooked as well.
func (h Hooked) Open(ctx context.Context, path string) (Namespace, error) {
	if err := h.Before("Open", path); err != nil {
		return nil, err
	}
	ns, err := h.Kernel.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return hookedNamespace{ns, path + ":", h.Before}, nil
}

// own is the hooked side of the kernel's own namespace.
func (h Hooked) own() hookedNamespace { return hookedNamespace{h.Kernel, "", h.Before} }

func (h Hooked) Identify(ctx context.Context, path string) (NamespaceID, error) {
	if err := h.Before("Identify", path); err != nil {
		return NamespaceID{}, err
	}
	return h.Kernel.Identify(ctx, path)
}

func (h Hooked) Namespaces(ctx context.Context) ([]string, error) {
	if err := h.Before("Namespaces", ""); err != nil {
		return nil, err
	}
	return h.Kernel.Namespaces(ctx)
}

func (h Hooked) BootID(ctx context.Context) (string, error) {
	if err := h.Before("BootID", ""); err != nil {
		return "", err
	}
	return h.Kernel.BootID(ctx)
}

func (h Hooked) ResolveBackend(ctx context.Context, b Backend) (Backend, error) {
	if err := h.Before("ResolveBackend", string(b)); err != nil {
		return "", err
	}
	return h.Kernel.ResolveBackend(ctx, b)
}

func (h Hooked) SaveRules(ctx context.Context, b Backend) (string, error) {
	if err := h.Before("SaveRules", string(b)); err != nil {
		return "", err
	}
	return h.Kernel.SaveRules(ctx, b)
}

func (h Hooked) RestoreRules(ctx context.Context, b Backend, text string) error {
	if err := h.Before("RestoreRules", string(b)); err != nil {
		return err
	}
	return h.Kernel.RestoreRules(ctx, b, text)
}

func (h Hooked) LockRules(ctx context.Context) (func(), error) {
	if err := h.Before("LockRules", ""); err != nil {
		return nil, err
	}
	return h.Kernel.LockRules(ctx)
}

func (h Hooked) Links(ctx context.Context) ([]Link, error) { return h.own().Links(ctx) }

func (h Hooked) Link(ctx context.Context, name string) (Link, error) { return h.own().Link(ctx, name) }

func (h Hooked) AddBridge(ctx context.Context, name string, mtu int) error {
	return h.own().AddBridge(ctx, name, mtu)
}

func (h Hooked) AddVeth(ctx context.Context, v Veth) error { return h.own().AddVeth(ctx, v) }

func (h Hooked) DeleteLink(ctx context.Context, name string) error {
	return h.own().DeleteLink(ctx, name)
}

func (h Hooked) SetUp(ctx context.Context, name string) error { return h.own().SetUp(ctx, name) }

func (h Hooked) SetMTU(ctx context.Context, name string, mtu int) error {
	return h.own().SetMTU(ctx, name, mtu)
}

func (h Hooked) SetMaster(ctx context.Context, link, bridge string, hairpin bool) error {
	return h.own().SetMaster(ctx, link, bridge, hairpin)
}

func (h Hooked) Addrs(ctx context.Context, link string) ([]netip.Prefix, error) {
	return h.own().Addrs(ctx, link)
}

func (h Hooked) AddAddr(ctx context.Context, link string, addr netip.Prefix) error {
	return h.own().AddAddr(ctx, link, addr)
}

func (h Hooked) Routes(ctx context.Context) ([]Route, error) { return h.own().Routes(ctx) }

func (h Hooked) AddRoute(ctx context.Context, r Route) error { return h.own().AddRoute(ctx, r) }

func (h Hooked) Sysctl(ctx context.Context, key string) (string, error) {
	return h.own().Sysctl(ctx, key)
}

func (h Hooked) SetSysctl(ctx context.Context, key, value string) error {
	return h.own().SetSysctl(ctx, key, value)
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
	case Hooked:
		v.PeerNS = peer.Kernel
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
