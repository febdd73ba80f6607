package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"flatnet/testdata/windows/standin"
)

// windowsDir is what stands for C:\Windows in the lab.
var windowsDir = filepath.Join(labDir, "windows")

// The lab's WSL network: addresses as in NAT mode, and as the stand-in
// Windows has them in its table.
const (
	wslAddress     = "172.27.224.53/20"
	windowsAddress = "172.27.224.1/20"
)

// connectWindows gives the lab an eth0 as WSL has one, with a default route
// to the other end, which stands in a namespace for Windows' side.
func connectWindows() error {
	path := filepath.Join(labDir, "windows-netns")
	if err := newNamespace(path); err != nil {
		return err
	}
	side, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = side.Close() }()
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "vEthernet", PeerNamespace: netlink.NsFd(int(side.Fd()))}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("make the lab's eth0: %w", err)
	}
	if err := addressUp("eth0", wslAddress); err != nil {
		return err
	}
	if err := inNamespace(path, func() error { return addressUp("vEthernet", windowsAddress) }); err != nil {
		return err
	}
	gateway, _, _ := net.ParseCIDR(windowsAddress)
	return netlink.RouteAdd(&netlink.Route{Gw: gateway})
}

func addressUp(name, cidr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("give %s its address: %w", name, err)
	}
	return netlink.LinkSetUp(link)
}

// newNamespace makes a network namespace and names it by path.
func newNamespace(path string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		return unix.Mount(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), path, "", unix.MS_BIND, "")
	})
}

// inNamespace runs f in the namespace at path.
func inNamespace(path string, f func() error) error {
	return onThread(func() error {
		ns, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = ns.Close() }()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// onThread runs f on a thread of its own that ends with it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked
		done <- f()
	}()
	return <-done
}

// placeWindows puts the stand-ins of Windows' programs at the paths that the
// lab's configuration names. As after a restart of WSL, Windows' route leads
// to an address that WSL had before; the scheduled task can mend it.
func placeWindows() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return standin.Install(windowsDir, self, standin.AfterRestart())
}
