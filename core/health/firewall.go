package health

import (
	"fmt"
	"slices"
	"strings"

	"flatnet/core/firewall"
	"flatnet/core/leases"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// Codes of the packet filter.
const (
	FirewallUnseen    Code = "firewall-unseen"
	ForwardMissing    Code = "forward-rules-missing"
	ForwardBehindDrop Code = "forward-rules-behind-drop"
	DockerMissing     Code = "docker-rules-missing"
	ForwardDoubled    Code = "forward-rules-doubled"
	FirewallLeftOver  Code = "firewall-left-over"
	FirewallMixed     Code = "firewall-mixed"
	BridgeNFCall      Code = "bridge-nf-call"
	MasqueradeMissing Code = "masquerade-missing"
	PortRulesMissing  Code = "port-rules-missing"
)

// firewallTarget is what findings without a chain of their own are about.
const firewallTarget = "iptables"

func firewallChecks() []Check { return slices.Concat(forwardChecks(), filterChecks()) }

// forwardChecks are about the accepts that the network needs.
func forwardChecks() []Check {
	return []Check{
		{
			Code: FirewallUnseen, Group: GroupFirewall, Good: "the packet filter can be looked at",
			Meaning: "The packet filter could not be read, so it is not known whether packets to the containers pass.",
			Remedy:  "Run as root. Where iptables is missing: sudo apt-get install iptables",
			Look: func(f Facts) []Finding {
				return unseen(f.Firewall, "the packet filter could not be looked at", firewallTarget)
			},
		},
		firewallCheck(Check{
			Code: ForwardMissing, Good: "the FORWARD rules are there", Repair: repair.FirewallID,
			Meaning: "Rules that accept the network's packets are missing in FORWARD (seed 4.1): failing where FORWARD drops what no rule accepts, a warning where it does not do so yet.",
			Remedy:  byFirewall,
		}, forwardMissing),
		firewallCheck(Check{
			Code: ForwardBehindDrop, Good: "the FORWARD rules stand first", Repair: repair.FirewallID, After: []Code{ForwardMissing},
			Meaning: "A rule that drops or rejects stands ahead of ours in FORWARD, so packets do not get as far as our accepts; a warning where the rules ahead let packets pass.",
			Remedy:  byFirewall,
		}, behindDrop),
		firewallCheck(Check{
			Code: DockerMissing, Good: "Docker's chain lets the network's packets pass", Repair: repair.FirewallID, After: []Code{ForwardMissing},
			Meaning: "Docker is here and its chain DOCKER-USER has no jump to our rules: when Docker puts its own rules first again, packets to the containers drop (moby#39439).",
			Remedy:  byFirewall,
		}, dockerMissing),
	}
}

// filterChecks are about what else is in the packet filter.
func filterChecks() []Check {
	return []Check{
		firewallCheck(Check{
			Code: ForwardDoubled, Good: "no rule of ours is there twice", Repair: repair.FirewallID,
			Meaning: "A rule or jump of ours is there more than once; packets pass, and taking rules away leaves the second.",
			Remedy:  byFirewall,
		}, doubled),
		firewallCheck(Check{
			Code: FirewallLeftOver, Good: "no rule of ours is left over", Repair: repair.FirewallID,
			Meaning: "Rules of ours are there that the configuration does not ask for any more.",
			Remedy:  byFirewall,
		}, leftOver),
		firewallCheck(Check{
			Code: FirewallMixed, Good: "only one iptables is in use",
			Meaning: "Both iptables-nft and iptables-legacy hold rules, and a packet must pass both (WSL#6044): failing where the other one drops, a warning where it does not.",
			Remedy:  "Decide for one (sudo update-alternatives --config iptables), and start again what put rules into the other. Then empty the other, policies first, as the finding says: sudo iptables-legacy -P FORWARD ACCEPT; sudo iptables-legacy -F",
		}, mixed),
		firewallCheck(Check{
			Code: BridgeNFCall, Good: "packets between containers do not pass FORWARD",
			Meaning: "net.bridge.bridge-nf-call-iptables is 1 and FORWARD drops by default: packets between two containers need our rules, too. With Docker that is usual and not reported.",
			Remedy:  "Run: sudo sysctl -w net.bridge.bridge-nf-call-iptables=0",
		}, bridgeNFCall),
		firewallCheck(Check{
			Code: MasqueradeMissing, Good: "masquerading is as configured", Repair: repair.FirewallID,
			Meaning: "The rule that gives packets from containers the machine's own address is missing, so containers do not reach anything beyond it.",
			Remedy:  byFirewall,
		}, masqueradeMissing),
		{
			Code: PortRulesMissing, Group: GroupFirewall, Good: "published ports lead to their containers", Each: true,
			After: []Code{FirewallUnseen}, Repair: repair.FirewallID,
			Meaning: "Rules that lead a port of this machine to a container (podman run -p, with netavark) are missing: who asks at that port gets nothing.",
			Remedy:  byFirewall,
			Applies: func(f Facts) bool { return f.Firewall.Known() && f.Leases.Known() },
			Look:    portRulesMissing,
		},
	}
}

// firewallCheck completes a check of the packet filter.
func firewallCheck(c Check, look func(firewall.Status) []Finding) Check {
	c.Group = GroupFirewall
	c.After = append([]Code{FirewallUnseen}, c.After...)
	c.Applies = func(f Facts) bool { return f.Firewall.Known() }
	c.Look = func(f Facts) []Finding {
		found := look(f.Firewall.Value)
		for i := range found {
			if found[i].Target == "" {
				found[i].Target = firewallTarget
			}
		}
		return found
	}
	return c
}

// missing gives the rules that are missing in or out of NAT and Docker's chain,
// without those of published ports.
func missing(s firewall.Status, keep func(rule string) bool) []string {
	return slices.DeleteFunc(slices.Clone(s.Missing), func(r string) bool { return isPorts(r) || !keep(r) })
}

func isPorts(rule string) bool {
	return strings.Contains(rule, firewall.PortsChain) || strings.Contains(rule, firewall.HairpinChain)
}

func isNAT(rule string) bool    { return strings.HasSuffix(chainOf(rule), "POSTROUTING") }
func isDocker(rule string) bool { return chainOf(rule) == "DOCKER-USER" }

// chainOf gives the chain of a rule, "[-t TABLE] -A CHAIN …", "" if there is
// none.
func chainOf(rule string) string {
	words := strings.Fields(rule)
	for i, w := range words[:max(0, len(words)-1)] {
		if w == "-A" || w == "-I" || w == "-N" {
			return words[i+1]
		}
	}
	return ""
}

func rulesText(rules []string) string { return strings.Join(rules, "; ") }

func forwardMissing(s firewall.Status) []Finding {
	rules := missing(s, func(r string) bool { return !isNAT(r) && !isDocker(r) })
	if len(rules) == 0 {
		return nil
	}
	f := Finding{
		Severity: Warn, Target: "FORWARD", Title: "FORWARD rules are missing; nothing drops the packets yet",
		Detail: say.F("%s-save: missing %s. FORWARD's policy is %s.", s.Backend, rulesText(rules), s.Policy),
	}
	if s.Policy != "ACCEPT" || len(s.BehindDrop) > 0 {
		f.Severity, f.Title = Fail, "FORWARD drops packets to the containers: rules are missing"
	}
	if s.BridgeNFCall != nil && *s.BridgeNFCall {
		f.Detail = say.Join(" ", f.Detail, "Packets between containers pass FORWARD too (bridge-nf-call-iptables is 1).")
	}
	return []Finding{f}
}

func behindDrop(s firewall.Status) []Finding {
	if len(s.BehindDrop) == 0 && len(s.Misplaced) > 0 {
		return []Finding{{
			Severity: Warn, Target: "FORWARD", Title: "our rules do not stand first any more; nothing ahead drops packets yet",
			Detail: say.F("Ours stand at: %s.", rulesText(s.Misplaced)),
		}}
	}
	if len(s.BehindDrop) == 0 {
		return nil
	}
	found := Finding{
		Severity: Fail, Target: "FORWARD", Title: "a rule ahead of ours in FORWARD drops packets",
		Detail: say.F("Ahead of ours: %s.", rulesText(s.BehindDrop)),
	}
	if out := takeOut(s); out != "" {
		found.Target, found.Remedy = firewall.ForwardChain, say.F("If nobody needs it: %s", out)
	}
	return []Finding{found}
}

// takeOut gives the commands that take out what drops in our own chain, "" if
// something drops ahead of that: the repair touches nobody else's rule.
func takeOut(s firewall.Status) string {
	var commands []string
	for _, r := range s.BehindDrop {
		rule, within := strings.CutPrefix(r, "-A "+firewall.ForwardChain+" ")
		if !within {
			return ""
		}
		commands = append(commands, fmt.Sprintf("sudo %s -D %s %s", s.Backend, firewall.ForwardChain, rule))
	}
	return strings.Join(commands, "; ")
}

func dockerMissing(s firewall.Status) []Finding {
	rules := missing(s, isDocker)
	if len(rules) == 0 {
		return nil
	}
	return []Finding{{
		Severity: Warn, Target: "DOCKER-USER", Title: "Docker's chain has no jump to our rules",
		Detail: say.F("Missing: %s.", rulesText(rules)),
	}}
}

func doubled(s firewall.Status) []Finding {
	if !s.Doubled {
		return nil
	}
	return []Finding{{
		Severity: Warn, Title: "rules of ours are there twice",
		Detail: say.F("Too many: %s.", orNone(rulesText(s.Extra))),
	}}
}

func leftOver(s firewall.Status) []Finding {
	if len(s.Extra) == 0 || s.Doubled { // what is there twice has a finding
		return nil
	}
	return []Finding{{
		Severity: Warn, Title: "rules of ours are left over",
		Detail: say.F("Not asked for: %s.", rulesText(s.Extra)),
	}}
}

func mixed(s firewall.Status) []Finding {
	if s.OtherError != "" {
		return []Finding{{
			Severity: Unknown, Title: "whether the other iptables holds rules is unknown",
			Detail: say.Sentence(s.OtherError),
		}}
	}
	if !s.Mixed() {
		return nil
	}
	f := Finding{
		Severity: Warn, Target: string(s.Other), Title: say.F("%s holds rules besides %s", s.Other, s.Backend),
		Detail: say.F("Our rules are in %s; %s-save shows rules as well.", s.Backend, s.Other),
	}
	if len(s.EmptyOther) > 0 {
		f.Remedy = say.F("Decide for one (sudo update-alternatives --config iptables), and start again what put rules into %s. Then empty it: sudo %s",
			s.Other, strings.Join(s.EmptyOther, "; sudo "))
	}
	if s.OtherDrops {
		f.Severity, f.Title = Fail, say.F("%s drops packets that %s accepts", s.Other, s.Backend)
	}
	return []Finding{f}
}

func bridgeNFCall(s firewall.Status) []Finding {
	if s.BridgeNFCall == nil || !*s.BridgeNFCall || s.Policy == "ACCEPT" || s.Docker {
		return nil
	}
	return []Finding{{
		Severity: Warn, Target: "net.bridge.bridge-nf-call-iptables", Title: "packets between containers pass FORWARD, which drops by default",
		Detail: say.F("net.bridge.bridge-nf-call-iptables is 1, and FORWARD's policy is %s.", s.Policy),
	}}
}

func masqueradeMissing(s firewall.Status) []Finding {
	rules := missing(s, isNAT)
	if len(rules) == 0 {
		return nil
	}
	return []Finding{{
		Severity: Fail, Target: "POSTROUTING", Title: "masquerading is missing: containers do not get out",
		Detail: say.F("%s-save: missing %s.", s.Backend, rulesText(rules)),
	}}
}

// portRulesMissing goes by the containers that run: a lease that is left over
// has nobody behind its ports.
func portRulesMissing(f Facts) []Finding {
	var out []Finding
	for _, l := range f.Leases.Value {
		if l.State != leases.Active || l.Ports == "" {
			continue
		}
		rules := slices.DeleteFunc(slices.Clone(f.Firewall.Value.Missing), func(r string) bool {
			ofAll := isPorts(r) && !strings.Contains(r, "--comment") // how their chains are reached
			return !ofAll && !strings.Contains(r, l.ContainerID)
		})
		if len(rules) > 0 {
			out = append(out, Finding{
				Severity: Fail, Target: l.IP.String(), Title: say.F("published ports of %s lead nowhere", owner(l)),
				Detail: say.F("Published: %s. %s-save: missing %s.", l.Ports, f.Firewall.Value.Backend, rulesText(rules)),
			})
		}
	}
	return out
}
