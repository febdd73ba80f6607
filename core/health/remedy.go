package health

// What mends a finding: the console's key and the command that does the same.
const (
	byBridge    = "Press b in the console, or run: flatnet-tui bridge apply"
	byFirewall  = "Press f in the console, or run: flatnet-tui firewall apply"
	byRelease   = "Press r in the console, or run: flatnet-tui leases release --stale"
	byGateway   = "Press g in the console, or run: flatnet-tui gateway apply"
	byRoute     = "Press R in the console, or run: flatnet-tui route apply"
	byConfig    = "Press e in the console, or edit the file and run: flatnet-tui config check"
	byInstall   = "Run: make install (in the directory of Flatnet's source)"
	byRoot      = "Run it again as root."
	byContainer = "Start the container (podman start NAME)"
)
