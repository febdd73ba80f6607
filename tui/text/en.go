package text

// English is the catalogue in English.
func English() *Texts {
	return &Texts{
		Panes: Panes{Bridge: "Bridge", Leases: "Leases", Windows: "Windows route", Upstreams: "Upstreams", Findings: "Findings"},
		State: State{
			OK: "ok", Warn: "warning", Fail: "failing", Unknown: "unknown",
			Looking:  "looking…",
			NotSeen:  "could not be looked at",
			Stale:    "seen %s ago",
			StaleNow: "seen just now",
			NoSource: "there is nothing to ask here",
			Empty:    "nothing here",
			NoMatch:  "nothing matches the filter",
			And:      ", ",
		},
		Ages:     Ages{Now: "now", Seconds: "%d s", Minutes: "%d min", Hours: "%d h", Days: "%d d"},
		Bridge:   englishBridge(),
		Leases:   englishLeases(),
		Windows:  englishWindows(),
		Sites:    englishSites(),
		Findings: Findings{State: "State", What: "What", Target: "On", Code: "Code", Seen: "Seen", Remedy: "What to do", Since: "Since", Sum: "%d %s"},
		Screen:   englishScreen(),
		Editor: Editor{
			Key: "Key", Value: "Value", Meaning: "Meaning", Default: "default: %s",
			FormKeys:  "enter change · ctrl+s save · esc leave · / find · ctrl+t text · d default",
			ValueKeys: "enter take it · esc leave it as it was",
			TextKeys:  "ctrl+t form · ctrl+s save · esc leave",
			Leave:     "There are changes that are not saved: esc once more leaves them, ctrl+s saves.",
			Bad:       "the configuration is wrong, the last good one stays",
			Right:     "the configuration is right again",
			Wrong:     "configuration wrong (e)",
			Joined:    "Somebody else has changed the file meanwhile. Their change and yours are both in it.",
			Clash:     "ctrl+r opens what is on the disk now and drops your changes.",
			Adopted:   "the configuration has changed and is in use",
		},
		Confirm: Confirm{
			Cancel: "Cancel", Apply: "Apply",
			Keys:    "←→ choose · enter do it · esc cancel · ↑↓ scroll",
			Nothing: "There is nothing to do.", ByHand: "For you to run in an administrator's PowerShell",
			Note:  "Note",
			Steps: "This will be done:",
		},
		Actions: englishActions(),
		Groups:  Groups{Repair: "Repair", Look: "Look closer", List: "Lists", Screen: "Screen"},
		Why: Why{
			NeedsScreen:   "only on a screen; E edits the configuration in $EDITOR",
			NoColour:      "the terminal has no colours, or NO_COLOR is set",
			ReadOnly:      "the console was started with --read-only",
			NotHere:       "not available here",
			NoStale:       "no lease is stale",
			NoRow:         "no row is selected",
			Busy:          "busy; x stops it",
			NotSite:       "select a site in Upstreams first",
			NothingToMend: "no finding here has a repair",
			NoJob:         "nothing is under way",
			NoError:       "nothing has failed",
			NoPath:        "select a site in Upstreams first",
		},
	}
}

func englishBridge() Bridge {
	return Bridge{
		Link: "Link", Address: "Address", MTU: "MTU", Forwarding: "Forwarding", Rules: "FORWARD rules", NAT: "Masquerade",
		Policy: "FORWARD policy",
		Up:     "up", Down: "down", NoPorts: "up, no container attached", Missing: "missing", NotBridge: "%s is a %s, not a bridge",
		AddressMissing: "%s is missing", AddressForeign: "%s does not belong here",
		MTUDiffers: "%d, wanted %d",
		On:         "on", Off: "off",
		Present: "present", RulesMissing: "%d missing", RulesExtra: "%d too many",
		NATOff: "off, as configured", Doubled: "doubled", BehindDrop: "behind a rule that drops",
		Mixed:        "%s holds rules too",
		PolicyDocker: "%s (Docker)",
		Overlap:      "overlaps %s",
		PortUp:       "up", PortDown: "down",
		Sum:     "%d attached",
		Backend: "Backend", Have: "Rules there", Want: "Rules wanted", Alias: "Belongs to", MAC: "MAC", Kinds: "Kind",
	}
}

func englishLeases() Leases {
	return Leases{
		Address: "Address", Name: "Name", State: "State", Age: "Age", Container: "Container", Interface: "If",
		Active: "active", Stale: "stale", Reserved: "reserved", Quarantined: "quarantine",
		NoName: "(no name)",
		Sum:    "%d active", SumStale: "%d stale",
		None:      "no address is held: start a container with --network flatnet",
		Namespace: "Namespace", Boot: "Boot", Veth: "Host link", MAC: "MAC", Since: "Since",
		Reason: "Why", Until: "Until",
	}
}

func englishWindows() Windows {
	return Windows{
		Route: "Route", Mode: "WSL mode", WSL: "WSL address", Facing: "Windows side", Wins: "Taken now", Reach: "Reach",
		Windows: "Windows",
		NotHere: "not on WSL", Present: "present", Missing: "missing", Persistent: "persistent", Temporary: "until restart",
		Via: "via %s", Direct: "directly connected", Metric: "metric %d", Verdict: "Verdict", Remedy: "What to do",
		ReadAt: "Table read", Unknown: "not known",
		OldAddress: "goes to an old address", OtherGateway: "goes elsewhere", Shadowed: "another route wins",
		Duplicate: "there twice", PersistentDisagrees: "lost at restart", Mirrored: "mirrored, no route possible",
	}
}

func englishSites() Sites {
	return Sites{
		Name: "Name", State: "State", Latency: "Latency", History: "History", Loss: "Loss", Kind: "Kind", Target: "Target",
		Since: "Since",
		Up:    "up", Down: "down", Unknown: "unknown",
		Sum: "%d up", SumDown: "%d down",
		None: "nothing to probe: add [[gateway.site]] to the configuration",
		Role: "Is a", Host: "Site", Cause: "Cause", Median: "Median", Slowest: "99 of 100 within",
		Status: "HTTP status", Detail: "Detail",
		Roles: Roles{
			Upstream: "server behind a site", Bridge: "the bridge's own address", Windows: "Windows",
			Gateway: "the gateway", Target: "target of [[probes.target]]",
		},
		Gateway: "gateway", SetAside: "set aside",
		Maintenance: "maintenance",
	}
}
