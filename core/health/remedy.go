package health

// What mends a finding: the console's key and the command that does the same.
const (
	byBridge   = "Press B in the console, or run: sudo flatnet-tui bridge apply"
	byFirewall = "Press F in the console, or run: sudo flatnet-tui firewall apply"
	byRelease  = "Press R in the console, or run: sudo flatnet-tui leases release --stale"
	byGateway  = "Press G in the console, or run: sudo flatnet-tui gateway apply"
	byRoute    = "Press W in the console, or run: sudo flatnet-tui route apply"
	byConfig   = "Run: sudo flatnet-tui config edit. Then: flatnet-tui config check"
	byInstall  = "Run: sudo make install (in the directory of Flatnet's source)"
	byRoot     = "Run it again as root."
)
