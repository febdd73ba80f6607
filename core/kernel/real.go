package kernel

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"flatnet/core/say"
)

// namedDir is where `ip netns` and Podman keep namespaces by name.
const namedDir = "/run/netns"

// real is the running Linux kernel.
type real struct {
	*namespace
}

// New gives the kernel as this process sees it. It opens nothing until it is
// first used; Close gives back what it opened since.
func New() Kernel { return real{&namespace{fd: -1}} }

// At gives a kernel whose own network namespace is the one at path: netlink,
// sysctls and the iptables programs all act in it. ErrNoNamespace as Open.
func At(path string) (Kernel, error) {
	ns, err := openNamespace(path)
	if err != nil {
		return nil, err
	}
	return real{ns}, nil
}

func (real) Open(ctx context.Context, path string) (Namespace, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return openNamespace(path)
}

func (real) Identify(ctx context.Context, path string) (NamespaceID, error) {
	if err := ctx.Err(); err != nil {
		return NamespaceID{}, err
	}
	fd, id, err := openNetNS(path)
	if err != nil {
		return NamespaceID{}, err
	}
	return id, fd.Close()
}

func (real) Namespaces(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(namedDir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, say.Errorf("list the named namespaces: %w", err)
	}
	paths := make([]string, len(entries))
	for i, e := range entries {
		paths[i] = filepath.Join(namedDir, e.Name())
	}
	return paths, nil
}

func (real) BootID(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", say.Errorf("read the boot id: %w", err)
	}
	return strings.TrimSpace(string(id)), nil
}
