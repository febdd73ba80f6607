package kernel

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"flatnet/core/say"
)

// namespace is one network namespace of the running kernel.
type namespace struct {
	fd netns.NsHandle // -1: the one that the caller is in

	mu      sync.Mutex
	closed  bool
	handle  *netlink.Handle          // nil until first used
	sockets map[int]*nl.SocketHandle // for what handle cannot ask
}

// descriptor is the open namespace, -1 for the one that the caller is in.
func (n *namespace) descriptor() netns.NsHandle { return n.fd }

func openNamespace(path string) (*namespace, error) {
	fd, _, err := openNetNS(path)
	if err != nil {
		return nil, err
	}
	return &namespace{fd: fd}, nil
}

// openNetNS opens the network namespace at path. Only a regular file is
// opened, as namespaces are: to open a pipe or a device can hang.
func openNetNS(path string) (netns.NsHandle, NamespaceID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return -1, NamespaceID{}, noNamespace(path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return -1, NamespaceID{}, say.Errorf("%s: %w", path, ErrNoNamespace)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, NamespaceID{}, noNamespace(path, err)
	}
	kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
	if err == nil && kind == unix.CLONE_NEWNET {
		err = unix.Fstat(fd, &st)
	} else {
		err = unix.ENOENT
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, NamespaceID{}, noNamespace(path, err)
	}
	return netns.NsHandle(fd), NamespaceID{Device: st.Dev, Inode: st.Ino}, nil
}

func noNamespace(path string, err error) error {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return say.Errorf("%s: %w", path, ErrPermission)
	}
	return say.Errorf("%s: %w", path, ErrNoNamespace)
}

// inside runs f on a thread that is in the namespace.
func (n *namespace) inside(f func() error) error {
	if err := n.alive(); err != nil {
		return err
	}
	return n.enter(f)
}

// enter is inside for whoever knows that the namespace is open.
func (n *namespace) enter(f func() error) error {
	if n.fd < 0 {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = home.Close() }()
		if err := netns.Set(n.fd); err != nil {
			done <- say.Errorf("enter the namespace: %w", meaning(err))
			return
		}
		err = f()
		// A thread that cannot go home is never used again: still locked, it
		// ends with this goroutine.
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// alive refuses what is closed: its descriptor may be another file by now.
func (n *namespace) alive() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return say.Errorf("use the namespace: %w", os.ErrClosed)
	}
	return nil
}

// open gives the netlink handle, made at the first call.
func (n *namespace) open() (*netlink.Handle, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, say.Errorf("use the namespace: %w", os.ErrClosed)
	}
	if n.handle != nil {
		return n.handle, nil
	}
	var h *netlink.Handle
	var s *nl.SocketHandle
	// Entered here and not by the library, whose error does not say why.
	err := n.enter(func() (err error) {
		if h, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
			return err
		}
		socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
		if err != nil {
			h.Close()
			return err
		}
		// An older kernel does not know this, and gives more than was asked for.
		_ = unix.SetsockoptInt(socket.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
		s = &nl.SocketHandle{Socket: socket}
		return nil
	})
	if err != nil {
		return nil, say.Errorf("open netlink: %w", meaning(err))
	}
	n.handle = h
	n.sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: s}
	return h, nil
}

// do gives f the netlink handle; what f returns is about target.
func (n *namespace) do(ctx context.Context, target string, f func(*netlink.Handle) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := n.open()
	if err != nil {
		return err
	}
	if err := f(h); err != nil {
		return say.Errorf("%s: %w", target, meaning(err))
	}
	return nil
}

// Close gives the handles back; nothing can be done with the namespace then.
// It may be called again.
func (n *namespace) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	if n.handle != nil {
		n.handle.Close()
		n.sockets[unix.NETLINK_ROUTE].Close()
	}
	if n.fd < 0 {
		return nil
	}
	return unix.Close(int(n.fd))
}

// meaning puts the package's sentinel in place of the kernel's error number.
func meaning(err error) error {
	var gone netlink.LinkNotFoundError
	switch {
	case errors.As(err, &gone), errors.Is(err, unix.ENODEV):
		return ErrNotFound
	case errors.Is(err, unix.EEXIST):
		return ErrExists
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return ErrPermission
	case errors.Is(err, unix.EXFULL):
		return ErrBridgeFull
	}
	return err
}

// Sysctl reads /proc/sys, where the kernel shows the reader's own namespace.
func (n *namespace) Sysctl(ctx context.Context, key string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	var value []byte
	err := n.inside(func() (err error) {
		value, err = os.ReadFile(sysctlPath(key))
		return err
	})
	if err != nil {
		return "", sysctlError(key, err)
	}
	return strings.TrimSuffix(string(value), "\n"), nil
}

func (n *namespace) SetSysctl(ctx context.Context, key, value string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := n.inside(func() error {
		f, err := os.OpenFile(sysctlPath(key), os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(value)
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return sysctlError(key, err)
	}
	return nil
}

func (n *namespace) Do(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return n.inside(f)
}

// sysctlPath turns dots into folders. A slash in a key stands for a dot in a
// link's name, as in sysctl(8).
func sysctlPath(key string) string {
	return "/proc/sys/" + strings.NewReplacer(".", "/", "/", ".").Replace(key)
}

func sysctlError(key string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		err = ErrNotFound
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return say.Errorf("%s: %w", key, meaning(err))
}
