package health

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
