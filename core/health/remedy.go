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
