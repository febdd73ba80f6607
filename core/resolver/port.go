package resolver

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// holderOf names a program that has a socket at this port, at this address or
// at all: "dnsmasq (process 412)", "" where it cannot be told.
func holderOf(at netip.AddrPort) string {
	inodes := map[string]bool{}
	for _, table := range []string{"udp", "tcp", "udp6", "tcp6"} {
		text, _ := os.ReadFile("/proc/net/" + table)
		for _, inode := range socketsAt(string(text), at) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, f := range files {
		if to, err := os.Readlink(f); err != nil || !inodes[to] {
			continue
		}
		process := filepath.Dir(filepath.Dir(f))
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), filepath.Base(process))
	}
	return ""
}

// socketsAt gives the inodes of a table's sockets that listen at this port, at
// the address itself or at every one (proc(5), /proc/net/tcp).
func socketsAt(table string, at netip.AddrPort) []string {
	const (
		local, state, inode = 1, 3, 9
		listen, unconnected = "0A", "07"
	)
	var found []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) <= inode || f[state] != listen && f[state] != unconnected {
			continue
		}
		host, port, _ := strings.Cut(f[local], ":")
		if port == fmt.Sprintf("%04X", at.Port()) && (strings.Trim(host, "0") == "" || host == kernelHex(at.Addr())) {
			found = append(found, f[inode])
		}
	}
	return found
}

// kernelHex writes an IPv4 address as the kernel's tables do, last byte first.
func kernelHex(ip netip.Addr) string {
	b := ip.AsSlice()
	slices.Reverse(b)
	return strings.ToUpper(hex.EncodeToString(b))
}
