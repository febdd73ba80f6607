package health

import (
	"flatnet/core/say"
)

// What mends a finding: the console's key and the command that does the same.
const (
	byBridge   say.Text = "Press B in the console, or run: sudo flatnet-tui bridge apply"
	byFirewall say.Text = "Press F in the console, or run: sudo flatnet-tui firewall apply"
	byRelease  say.Text = "Press R in the console, or run: sudo flatnet-tui leases release --stale"
	byGateway  say.Text = "Press G in the console, or run: sudo flatnet-tui gateway apply"
	byRoute    say.Text = "Press W in the console, or run: sudo flatnet-tui route apply"
	byConfig   say.Text = "Run: sudo flatnet-tui config edit. Then: flatnet-tui config check"
	byInstall  say.Text = "Run: sudo make install (in the directory of Flatnet's source)"
	byRoot     say.Text = "Run it again as root."
)

// What mends a container or its program; the first %s is the container's
// name, unnamed where that is not known.
const (
	restartAgain    say.Text = "Start the container again: sudo podman restart %s"
	lookAtContainer say.Text = "Look at its container: sudo podman ps -a, sudo podman logs %s, and whether it listens on that port."
	lookAtListening say.Text = "Look whether the program in the container listens on this port, and on all addresses: sudo podman logs %s"
	lookAtLog       say.Text = "Look at its log: sudo podman logs %s"
	lookAtLoad      say.Text = "Look at the load of its container: sudo podman stats %s"
	startOrMaintain say.Text = "Start its container (sudo podman start %s), or put the site into maintenance: sudo flatnet-tui gateway maintenance %s on"

	unnamed = "NAME"
)
