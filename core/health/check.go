package health

import (
	"slices"

	"flatnet/core/say"
)

// Group is the part of the path that a check is about, as doctor heads it.
type Group string

// The groups, in the order of the path from this machine outwards.
const (
	GroupConfig    Group = "Configuration"
	GroupMachine   Group = "Machine"
	GroupPodman    Group = "Podman"
	GroupBridge    Group = "Bridge"
	GroupFirewall  Group = "Firewall"
	GroupLeases    Group = "Leases"
	GroupNames     Group = "Names"
	GroupWindows   Group = "Windows route"
	GroupGateway   Group = "Gateway"
	GroupUpstreams Group = "Upstreams"
)

// Check is one question with a stable code. Look is a pure function of what
// was seen.
type Check struct {
	Code    Code
	Group   Group
	Good    say.Text // the title where nothing is wrong
	Meaning string   // what the code says, for the table in docs
	Remedy  say.Text // what mends it: key and command
	Repair  string   // id of the repair in core/repair, "" where none does
	// After lists causes that hide this check: while one of them is there,
	// nothing is said, because mending it may mend this, and because it could
	// not be told apart.
	After []Code
	// Each: a finding of this check is about its Target alone, and hides
	// only findings about the same Target.
	Each bool
	// Applies tells whether there is anything to ask and it was seen; nil:
	// always. Where it does not apply nothing is said, not even ok.
	Applies func(Facts) bool
	// Look gives what is wrong, nothing if all is well. Code, Remedy, Repair
	// and DependsOn are filled in from the Check where Look leaves them empty;
	// a finding with a remedy of its own has its own repair, too, or none.
	Look func(Facts) []Finding
}

// Evaluate runs all checks on what was seen. Every check that applies gives
// at least one finding, ok where nothing is wrong. Consequences of a cause
// that was found are left out. The worst come first, and among equally bad
// ones the cause before what may follow from it.
func Evaluate(f Facts) []Finding {
	if len(f.Problems) > 0 {
		return evaluate(configChecks(), f) // nothing else can be judged by it
	}
	return evaluate(Checks(), f)
}

// evaluate expects causes ahead of what they hide.
func evaluate(checks []Check, f Facts) []Finding {
	var out []Finding
	known := causes{}
	for _, c := range checks {
		if c.Applies != nil && !c.Applies(f) {
			continue
		}
		found := c.Look(f)
		for i := range found {
			found[i] = c.complete(found[i])
		}
		if len(found) == 0 {
			found = []Finding{c.complete(Finding{Severity: OK, Title: c.Good})}
		}
		shown := slices.DeleteFunc(slices.Clone(found), known.hide)
		known.add(c, found) // one that is hidden hides what follows from it, too
		out = append(out, shown...)
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return b.Severity.rank() - a.Severity.rank() })
	return out
}

// complete fills in what the check says for all of its findings.
func (c Check) complete(f Finding) Finding {
	f.Code = c.Code
	if f.Severity == OK {
		f.DependsOn = c.After
		return f
	}
	if f.Remedy == "" {
		f.Remedy, f.Repair = c.Remedy, c.Repair
	}
	if f.DependsOn == nil {
		f.DependsOn = c.After
	}
	return f
}

// causes are the findings so far that hide others: by code the targets that
// they are about, "" standing for everything.
type causes map[Code][]string

// add takes in what is failing or unknown. A warning hides nothing: what it
// is about still works.
func (k causes) add(c Check, found []Finding) {
	for _, f := range found {
		if f.Severity != Fail && f.Severity != Unknown {
			continue
		}
		if !c.Each {
			k[c.Code] = append(k[c.Code], "")
			continue
		}
		k[c.Code] = append(append(k[c.Code], f.Target), f.about...)
	}
}

// hide tells whether a cause of f was found.
func (k causes) hide(f Finding) bool {
	return slices.ContainsFunc(f.DependsOn, func(cause Code) bool {
		return slices.ContainsFunc(k[cause], func(target string) bool {
			return target == "" || target == f.Target || slices.Contains(f.about, target)
		})
	})
}

// NotOK leaves out what is well.
func NotOK(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Severity == OK })
}

// Of gives the worst severity among findings, OK where there are none.
func Of(findings []Finding) Severity {
	worst := OK
	for _, f := range findings {
		worst = Worst(worst, f.Severity)
	}
	return worst
}

// Checks lists every check, causes before what they hide.
func Checks() []Check {
	return slices.Concat(configChecks(), podmanChecks(), machineChecks(), installedChecks(), bridgeChecks(), firewallChecks(), leaseChecks(), nameChecks(),
		windowsChecks(), gatewayChecks(), upstreamChecks(), []Check{windowsReaches(), gatewayErrorsCheck()})
}
