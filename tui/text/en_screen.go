package text

func englishScreen() Screen {
	return Screen{
		AllGood: "everything is fine", Findings: "%d more", NoFindings: "There are no findings: every check is ok.",
		TooSmall: "The window is too small: it has %dx%d, the console needs %dx%d.",
		Planning: "planning: %s", Applying: "%s", Done: "done: %s", Failed: "failed: %s",
		Step: "step %d of %d: %s", Nothing: "nothing to do: %s", ByHand: "left to you: %s", Idle: "nothing done yet", Refreshed: "looked again",
		Cancelled: "cancelled: %s", ReadOnly: "read-only", Copied: "copied: %s",
		Filter: "filter", Marked: "%d marked", Help: "Help", Palette: "Commands", Detail: "Detail",
		Theme: "theme: %s", Scroll: "↑↓ scroll · esc close", ScrollCopy: "↑↓ scroll · c copy · esc close", Choose: "↑↓ choose · enter run · esc close",
		ErrorTitle: "It did not work", Hint: "What to do", Quitting: "waiting for the step under way to end…",
		Probed: "probed: %d asked", Probing: "probing",
		PathTitle: "Path to %s", Following: "following the path to %s", Broken: "broken at %s", Whole: "no hop is broken",
		BundleWritten: "bundle written: %s", Writing: "writing a bundle", Parts: "%s: %d of %d seen",
		Stopping: "stopping: %s", StoppedTitle: "Stopped", LastError: "the last error",
		MouseOn: "the mouse is on; hold shift to select text", MouseOff: "the mouse is off",
		Editor: "Configuration", Unsaved: "not saved", Valid: "valid",
		PlainHelp: "Type a key and Enter: ? for help, q to quit.",
		PlainAsk:  "Type yes and Enter to do this; anything else cancels.",
		Gone:      "gone: %s",
	}
}

func englishActions() Actions {
	return Actions{
		Quit: "quit", Help: "help", Palette: "all commands, by name", Refresh: "look again (this pane)", RefreshAll: "look again (all panes)",
		Next: "next pane", Previous: "previous pane", Right: "pane to the right", Left: "pane to the left", Pane: "go to pane %d: %s", Zoom: "zoom the pane, and back", Theme: "next theme",
		Up: "up", Down: "down", PageUp: "page up", PageDown: "page down", First: "first row", Last: "last row",
		Filter: "filter as you type", Back: "clear filter and marks; back to all panes", Sort: "sort by the next column", Reverse: "reverse the order",
		Mark: "mark the row", MarkAll: "mark all shown rows, or none",
		Detail: "everything about the row", Copy: "copy the row", CopyAll: "copy the last error",
		Release: "release stale leases (or the marked ones)", Firewall: "re-apply the firewall rules", Bridge: "mend the bridge",
		Gateway: "regenerate the gateway's configuration", Rollback: "put the gateway's last configuration back",
		Route: "set Windows' route", Maintenance: "maintenance page for the site, on or off", Undo: "undo the last release or saving",
		Mend:  "mend the worst finding",
		Probe: "probe now", Path: "follow the path to the site", Bundle: "write an incident bundle", Config: "edit the configuration",
		Editor: "edit the configuration in $EDITOR", Mouse: "mouse on or off", Suspend: "suspend",
		ShortQuit: "quit", ShortHelp: "help", ShortPalette: "commands", ShortRefresh: "refresh",
		ShortPane: "pane", ShortZoom: "zoom", ShortFilter: "filter", ShortDetail: "detail",
		ShortRelease: "release", ShortFirewall: "firewall", ShortGateway: "gateway", ShortMend: "mend",
		ShortRoute: "route", ShortStop: "stop",
		Cancel: "stop what is under way", Activity: "what was done",
	}
}
