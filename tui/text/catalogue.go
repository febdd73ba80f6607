package text

// Panes are the titles.
type Panes struct{ Bridge, Leases, Windows, Upstreams, Findings string }

// State are the words of a state, and what is said while there is none.
type State struct {
	OK, Warn, Fail, Unknown string
	Looking                 string // the first look is under way
	NotSeen                 string // it could not be looked at: reason
	Stale, StaleNow         string // age
	NoSource                string
	Empty                   string // nothing there
	NoMatch                 string // filter
	And                     string // between two things that are said
}

// Ages are formats of a coarse age.
type Ages struct{ Now, Seconds, Minutes, Hours, Days string }

// Bridge is the bridge pane.
type Bridge struct {
	Link, Address, MTU, Forwarding, Rules, NAT, Policy string

	Up, Down, NoPorts, Missing, NotBridge  string
	AddressMissing, AddressForeign         string
	MTUDiffers                             string
	On, Off                                string
	Present, RulesMissing, RulesExtra      string
	NATOff, Doubled, BehindDrop, Mixed     string
	PolicyDocker                           string
	Overlap                                string
	PortUp, PortDown                       string
	Sum                                    string // ports attached
	Backend, Have, Want, Alias, MAC, Kinds string
}

// Leases is the leases pane.
type Leases struct {
	Address, Name, State, Age, Container, Interface string

	Active, Stale, Reserved, Quarantined string
	NoName                               string
	Sum, SumStale                        string
	None                                 string
	Namespace, Boot, Veth, MAC, Since    string
	Reason, Until                        string
}

// Windows is the route pane.
type Windows struct {
	Route, Mode, WSL, Facing, Wins, Reach, Windows string

	NotHere, Present, Missing, Persistent, Temporary string
	Via, Direct, Metric, Verdict, Remedy, ReadAt     string
	Unknown                                          string

	OldAddress, OtherGateway, Shadowed, Duplicate, PersistentDisagrees, Mirrored string // verdicts
}

// Sites is the upstreams pane.
type Sites struct {
	Name, State, Latency, History, Loss, Kind, Target, Since string

	Up, Down, Unknown                  string
	Sum, SumDown                       string
	None                               string
	Role, Host, Cause, Median, Slowest string
	Status, Detail                     string
	Roles                              Roles
	Gateway, SetAside                  string
	Maintenance                        string
}

// Roles are what a probe stands for.
type Roles struct{ Upstream, Bridge, Windows, Gateway, Target string }

// Findings is the pane of all checks.
type Findings struct{ State, What, Target, Code, Seen, Remedy, Since, Sum string }

// Screen is the frame around the panes.
type Screen struct {
	AllGood, Findings, NoFindings         string
	TooSmall                              string
	Planning, Applying, Done, Failed      string
	Step, Nothing, ByHand, Idle           string
	Refreshed                             string
	Cancelled, ReadOnly, Copied           string
	Filter, Marked, Help, Palette, Detail string
	Theme, ScrollCopy, Scroll, Choose     string
	ErrorTitle, Hint, Quitting            string
	Probing                               string
	PathTitle, Following, Broken, Whole   string
	BundleWritten, Writing, Parts         string
	Stopping, StoppedTitle, LastError     string
	MouseOn, MouseOff, Probed             string
	Editor, Unsaved, Valid                string
	PlainHelp, PlainAsk, Gone             string
}

// Editor is the configuration editor.
type Editor struct {
	Key, Value, Meaning, Default string
	FormKeys, ValueKeys          string
	TextKeys, Leave              string
	Bad, Right, Wrong            string
	Adopted, Joined, Clash       string
}

// Confirm is the dialog before a change.
type Confirm struct {
	Cancel, Apply, Keys, Nothing, Note string
	Steps, ByHand                      string
}

// Actions are what a person can do, as the help lists it; Short ones stand in
// the line of hints.
type Actions struct {
	Quit, Help, Palette, Refresh, RefreshAll             string
	Next, Previous, Right, Left, Pane, Zoom, Theme       string
	Up, Down, PageUp, PageDown, First, Last              string
	Filter, Back, Sort, Reverse, Mark, MarkAll           string
	Detail, Copy, CopyAll                                string
	Release, Firewall, Bridge, Gateway, Rollback         string
	Route, Maintenance, Undo, Mend                       string
	Probe, Path, Bundle, Config, Editor, Mouse, Suspend  string
	ShortQuit, ShortHelp, ShortPalette, ShortRefresh     string
	ShortPane, ShortZoom, ShortFilter, ShortDetail       string
	ShortRelease, ShortFirewall, ShortGateway, ShortMend string
	ShortRoute, ShortStop                                string
	Cancel, Activity                                     string
}

// Groups are the headings of the help.
type Groups struct{ Repair, Look, List, Screen string }

// Why are the reasons why an action cannot be used now.
type Why struct {
	NoColour, NeedsScreen                            string
	ReadOnly, NotHere, NoStale, NoRow, Busy, NotSite string
	NothingToMend, NoJob, NoPath, NoError            string
}
