package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/google/renameio/v2"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/host"
	"flatnet/core/journal"
	"flatnet/core/netavark"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// ID names the first set-up among the repairs.
const ID = "init"

// Choices are what a person decided; what is empty is as found.
type Choices struct {
	Subnet    netip.Prefix
	Drive     string // windows.root
	Nginx     string
	ConfigDir string
	Listen    string
}

// Settings gives the keys that this machine needs, in the order of the file.
// A default is not written down, and what the file says stays unless a choice
// says otherwise.
func Settings(m Machine, c Choices, file *edit.File) [][2]string {
	usual := config.Default()
	var keys [][2]string
	set := func(key, chosen, found, standard string) {
		_, isSet := file.Value(key)
		switch {
		case chosen != "":
			keys = append(keys, [2]string{key, config.Quote(chosen)})
		case !isSet && found != "" && found != standard:
			keys = append(keys, [2]string{key, config.Quote(found)})
		}
	}
	chosen := ""
	if c.Subnet.IsValid() {
		chosen = c.Subnet.String()
	}
	set("network.subnet", chosen, m.Subnet.String(), usual.Network.Subnet.String())
	set("windows.system_root", "", m.SystemRoot, usual.Windows.SystemRoot)
	set("windows.root", c.Drive, m.Drive, usual.Windows.Root)
	set("gateway.config_dir", c.ConfigDir, m.ConfigDir, usual.Gateway.ConfigDir)
	set("gateway.nginx", c.Nginx, m.Nginx, m.standardNginx(c))
	set("gateway.listen", c.Listen, "", "")
	return keys
}

// standardNginx is what gateway.nginx is without being set.
func (m Machine) standardNginx(c Choices) string {
	drive := config.Default().Windows.Root
	switch {
	case c.Drive != "":
		drive = c.Drive
	case m.Drive != "":
		drive = m.Drive
	}
	return filepath.Join(drive, "openresty", "nginx.exe")
}

// Plan plans what this machine lacks: keys in file, network list, Podman's
// backend, forwarding at boot, the unit.
func Plan(ctx context.Context, o Options, m Machine, c Choices, file *edit.File) (repair.Plan, error) {
	if file.Text() == "" {
		if err := file.SetText(config.Sample()); err != nil {
			return repair.Plan{}, err
		}
	}
	for _, kv := range Settings(m, c, file) {
		if err := file.Set(kv[0], kv[1]); err != nil {
			return repair.Plan{}, err
		}
	}
	p, err := repair.Config(file)
	if err != nil {
		return repair.Plan{}, err
	}
	p.Repair, p.Title, p.Notes = ID, "Set Flatnet up on this machine", nil
	p.Steps = append(p.Steps, missing(o.Root, "/etc/cni/net.d/flatnet.conflist", NetworkList(m.Portmap))...)
	p.Steps = append(p.Steps, missing(o.Root, "/etc/sysctl.d/99-flatnet.conf", Forwarding())...)
	wanted, err := config.Parse(file.Path(), []byte(file.Text()))
	if err != nil {
		return repair.Plan{}, err
	}
	m.planPodman(ctx, o, &p, wanted)
	m.planUnit(&p)
	routes, err := o.Kernel.Routes(ctx)
	if err != nil {
		return repair.Plan{}, err
	}
	if by := overlap(routes, wanted.Network); by != "" {
		p.Notes = append(p.Notes, say.F("%s overlaps a route of this machine (%s), and no container would start on it: choose another one with --subnet.", wanted.Network.Subnet, by))
	}
	m.note(&p, c, o.Root, wanted)
	return p, nil
}

// missing plans to write a file that is not there.
func missing(root, path string, data []byte) []repair.Step {
	target := filepath.Join(root, path)
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return []repair.Step{{
		Text: say.F("write %s", path),
		Diff: udiff.Unified("/dev/null", path, "", string(data)),
		Do: func(context.Context) ([]journal.Entry, error) {
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
				return nil, err
			}
			return nil, renameio.WriteFile(target, data, 0o644)
		},
	}}
}

// planPodman has Podman call the plugin: over CNI where it has that, over
// netavark's plugin API where it has not, as from version 5 on.
func (m Machine) planPodman(ctx context.Context, o Options, p *repair.Plan, c config.Config) {
	switch {
	case m.overNetavark():
		p.Notes = append(p.Notes, m.planNetavark(ctx, o, p, c))
	case m.PodmanErr != nil:
		p.Notes = append(p.Notes, say.F("Podman could not be asked, so its network backend is unknown: %w", m.PodmanErr))
	case m.Podman.NetworkBackend != "cni":
		p.Steps = append(p.Steps, missing(o.Root, settingsFile, []byte(useCNI))...)
		p.Notes = append(p.Notes, say.F("Podman's network backend is %s. With CNI instead, networks made with podman network create are to be made anew, and their containers too.", m.Podman.NetworkBackend))
	}
}

// planNetavark has Podman find the plugin and know the network, and gives what
// a person should know of it.
func (m Machine) planNetavark(ctx context.Context, o Options, p *repair.Plan, c config.Config) say.Text {
	steps, err := settingsSteps(ctx, o, m.PodmanErr)
	if err != nil {
		return say.F("Podman calls the plugin through netavark, and cannot yet: %v. Do this, and run init again: %s", err, core.Hint(err))
	}
	p.Steps = append(p.Steps, steps...)
	if !host.LookNetwork(o.host(c)).Exists {
		args := []string{"network", "create", "--driver", netavark.Driver, c.Network.Name}
		p.Steps = append(p.Steps, createNetwork(c.Network.Name, args, o.host(c)))
	}
	return "Podman calls the plugin through netavark."
}

// overNetavark tells whether Podman can only call the plugin through netavark,
// which leaves published ports to the plugin.
func (m Machine) overNetavark() bool {
	return errors.Is(m.PodmanErr, podman.ErrNoCNI) ||
		m.PodmanErr == nil && m.Podman.NetworkBackend != "cni" && major(m.Podman.Version) >= 5
}

func major(version string) int {
	n := 0
	_, _ = fmt.Sscanf(version, "%d", &n) // 0 where it says nothing
	return n
}

// planUnit starts the unit, where there is a systemd and a unit.
func (m Machine) planUnit(p *repair.Plan) {
	if !m.Systemd {
		p.Notes = append(p.Notes, "systemd does not run here. Have this run whenever the machine starts, as root: flatnet-tui watch")
		return
	}
	const units = "podman.socket flatnet.service"
	p.Steps = append(p.Steps, repair.Step{
		Text:    say.F("start %s, now and at every boot", units),
		Command: "systemctl enable --now " + units,
		Do: func(ctx context.Context) ([]journal.Entry, error) {
			return nil, execute(ctx, "systemctl", append([]string{"enable", "--now"}, strings.Fields(units)...)...)
		},
	})
}

// note says what was found that a person should know.
func (m Machine) note(p *repair.Plan, c Choices, root string, wanted config.Config) {
	if len(p.Steps) == 0 {
		p.Notes = append(p.Notes, "Nothing is missing: everything that init sets up is there.")
	}
	if m.Taken != "" && wanted.Network.Subnet == m.Subnet {
		p.Notes = append(p.Notes, say.F("The usual subnet is taken (%s); %s is free.", m.Taken, m.Subnet))
	}
	if m.Nginx == "" && c.Nginx == "" {
		p.Notes = append(p.Notes, "No nginx was found: install OpenResty for the gateway, or name the program with --nginx.")
	}
	if !onWindows(root, wanted.Windows) {
		p.Notes = append(p.Notes, "No Windows was found: the gateway is to run on this machine.")
	}
	if !m.Portmap && !m.overNetavark() {
		p.Notes = append(p.Notes, "The portmap plugin was not found: podman run -p needs it (Debian: containernetworking-plugins).")
	}
}

// onWindows tells whether the console will look for a Windows around this
// machine, with that configuration.
func onWindows(root string, w config.Windows) bool {
	return w.Enabled == config.On || w.Enabled == config.Auto && exists(root, filepath.Join(w.SystemRoot, "System32", "route.exe"))
}
