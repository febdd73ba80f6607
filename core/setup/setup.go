// Package setup is what an installation consists of besides its programs: the
// network list, the settings for the next boot, the unit, and the few keys of
// the configuration that differ from machine to machine. It looks at the
// machine for these and plans to write what is missing; install.sh beside it
// puts the rest in place. It installs no programs and edits nothing that
// somebody else has written.
package setup

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flatnet/core/bridge"
	"flatnet/core/config"
	"flatnet/core/host"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/say"
)

//go:embed files
var files embed.FS

// Options say where to look.
type Options struct {
	Root           string // put before every path; "": this machine
	ContainersConf string // Podman's CONTAINERS_CONF; "": its usual files
	Kernel         kernel.Kernel
	Podman         podman.Client
}

// host gives where core/host is to look for a network of that configuration.
func (o Options) host(c config.Config) host.Options {
	return host.Options{Root: o.Root, ContainersConf: o.ContainersConf, Config: c}
}

// Machine is what was found.
type Machine struct {
	SystemRoot string // Windows' directory, "/mnt/c/Windows"; "": no Windows here
	Drive      string // Flatnet's directory on a Windows drive, "/mnt/f/flatnet"
	Nginx      string // the gateway's program; "": none found
	ConfigDir  string // its configuration, where that is not below Drive

	Subnet netip.Prefix // free of routes
	Taken  string       // why the default subnet is not free; "": it is

	Podman    podman.Info
	PodmanErr error
	Portmap   bool // the portmap plugin is where Podman looks
	Systemd   bool // systemd runs this machine
}

// Look looks at the machine. What cannot be seen is left empty.
func Look(ctx context.Context, o Options) (Machine, error) {
	var m Machine
	m.lookWindows(o.Root)
	m.lookNginx(o.Root)
	if err := m.lookSubnet(ctx, o.Kernel); err != nil {
		return m, err
	}
	m.lookPodman(ctx, o.Podman)
	for _, dir := range pluginDirs() {
		m.Portmap = m.Portmap || exists(o.Root, dir+"/portmap")
	}
	m.Systemd = exists(o.Root, "/run/systemd/system")
	return m, nil
}

// lookPodman asks Podman. Its first answer on a machine can take longer than
// any later one, since it makes its store.
func (m *Machine) lookPodman(ctx context.Context, client podman.Client) {
	for range 10 {
		m.Podman, m.PodmanErr = client.Info(ctx)
		if !errors.Is(m.PodmanErr, podman.ErrTimeout) {
			return
		}
	}
}

// pluginDirs are those where Podman looks for plugins by itself.
func pluginDirs() []string {
	return []string{"/usr/local/libexec/cni", "/usr/libexec/cni", "/usr/local/lib/cni", "/usr/lib/cni", "/opt/cni/bin"}
}

func exists(root, path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
}

// glob finds paths below root, and gives them without it.
func glob(root, pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(root, pattern)) // the pattern is ours and right
	for i, f := range found {
		found[i] = "/" + strings.TrimPrefix(strings.TrimPrefix(f, root), "/")
	}
	return found
}

// lookWindows finds Windows among the drives that WSL mounts, and the drive
// for the gateway: the one that has OpenResty or Flatnet already, else the
// seed's, else a data drive, else Windows' own.
func (m *Machine) lookWindows(root string) {
	routes := glob(root, "/mnt/?/Windows/System32/route.exe")
	if len(routes) == 0 {
		return
	}
	m.SystemRoot = strings.TrimSuffix(routes[0], "/System32/route.exe")
	drives := glob(root, "/mnt/?")
	candidates := slices.Concat(glob(root, "/mnt/?/flatnet/openresty/nginx.exe"), glob(root, "/mnt/?/flatnet"))
	candidates = append(candidates, "/mnt/f")
	candidates = append(candidates, drives...)
	system := filepath.Dir(m.SystemRoot)
	for _, c := range candidates {
		drive := c[:len("/mnt/x")]
		if slices.Contains(drives, drive) && (drive != system || strings.HasPrefix(c, drive+"/flatnet")) {
			m.Drive = drive + "/flatnet"
			return
		}
	}
	m.Drive = system + "/flatnet"
}

// lookNginx finds the gateway's program: OpenResty on a Windows drive, or an
// nginx of this machine where there is no Windows.
func (m *Machine) lookNginx(root string) {
	if m.SystemRoot != "" {
		found := slices.Concat(
			glob(root, m.Drive+"/openresty/nginx.exe"), glob(root, m.Drive+"/openresty*/nginx.exe"),
			glob(root, "/mnt/?/openresty*/nginx.exe"), glob(root, "/mnt/?/nginx*/nginx.exe"))
		if len(found) > 0 {
			m.Nginx = found[0]
		}
		return
	}
	for _, known := range [][2]string{
		{"/usr/local/openresty/nginx/sbin/nginx", "/usr/local/openresty/nginx/conf"},
		{"/usr/sbin/nginx", "/etc/nginx"},
		{"/usr/local/nginx/sbin/nginx", "/usr/local/nginx/conf"},
	} {
		if exists(root, known[0]) {
			m.Nginx, m.ConfigDir = known[0], known[1]
			return
		}
	}
}

// lookSubnet takes the default subnet, or the next one that no route of this
// machine overlaps. Our own bridge is no obstacle.
func (m *Machine) lookSubnet(ctx context.Context, k kernel.Kernel) error {
	routes, err := k.Routes(ctx)
	if err != nil {
		return err
	}
	c := config.Default()
	usual := c.Network.Subnet
	base := usual.Addr().As4()
	for n := range 255 {
		candidate := base
		candidate[2] = byte((int(base[2]) + n) % 256)
		c.Network.Subnet = netip.PrefixFrom(netip.AddrFrom4(candidate), usual.Bits())
		by := overlap(routes, c.Network)
		if by == "" {
			m.Subnet = c.Network.Subnet
			return nil
		}
		if n == 0 {
			m.Taken = by
		}
	}
	return say.Errorf("every subnet like %s overlaps a route of this machine; choose one with --subnet", usual)
}

// overlap names a route for which the plugin would refuse the network, "" if
// there is none.
func overlap(routes []kernel.Route, n config.Network) string {
	found := bridge.Overlaps(routes, n)
	if len(found) == 0 {
		return ""
	}
	return fmt.Sprintf("%s by %s", found[0].Dst, found[0].Link)
}

// NetworkList is the CNI network list, with portmap for podman run -p if
// that plugin is there.
func NetworkList(portmap bool) []byte {
	if portmap {
		return file("flatnet-portmap.conflist")
	}
	return file("flatnet.conflist")
}

// Forwarding is the file for sysctl.d.
func Forwarding() []byte { return file("99-flatnet.conf") }

func file(name string) []byte {
	data, err := files.ReadFile("files/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return data
}
