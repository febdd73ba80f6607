package health

// Groups gives all groups in the order in which they are shown.
func Groups() []Group {
	return []Group{
		GroupConfig, GroupMachine, GroupPodman, GroupBridge, GroupFirewall, GroupLeases, GroupNames, GroupWindows, GroupGateway, GroupUpstreams,
	}
}

// GroupOf gives the group that findings with this code belong to, "" for a
// code that no check has.
func GroupOf(code Code) Group {
	for _, c := range Checks() {
		if c.Code == code {
			return c.Group
		}
	}
	return ""
}

// ByGroup gives the worst severity of each group that has a finding.
func ByGroup(findings []Finding) map[Group]Severity {
	groups := map[Code]Group{}
	for _, c := range Checks() {
		groups[c.Code] = c.Group
	}
	out := map[Group]Severity{}
	for _, f := range findings {
		g := groups[f.Code]
		if was, ok := out[g]; ok {
			out[g] = Worst(was, f.Severity)
		} else {
			out[g] = f.Severity
		}
	}
	return out
}
