package health

import (
	"flatnet/core/config"
	"flatnet/core/resolver"
	"flatnet/core/say"
)

// Codes of names between containers.
const (
	NamesUnseen       Code = "names-unseen"
	ResolverPortTaken Code = "resolver-port-taken"
	ResolverOff       Code = "resolver-off"
	ResolverSilent    Code = "resolver-silent"
	ResolverAlone     Code = "resolver-alone"
)

func nameChecks() []Check {
	return []Check{
		{
			Code: NamesUnseen, Group: GroupNames, Good: "it can be seen whether containers' names are answered", After: []Code{LeasesUnseen},
			Applies: func(f Facts) bool { return f.Config.DNS.Enabled != config.Off },
			Meaning: "It could not be looked at whether containers find each other by name.",
			Remedy:  byRoot,
			Look: func(f Facts) []Finding {
				return unseen(f.Names, "whether containers' names are answered is not known", f.Config.Network.Gateway.String())
			},
		},
		namesCheck(Check{
			Code: ResolverPortTaken, Good: "port 53 at the bridge's address is ours or free",
			Meaning: "Another program has port 53 at every address of this machine, the bridge's too, so containers' names cannot be answered there.",
			Remedy:  "Have that program listen at the addresses that it is for (dnsmasq: bind-interfaces and listen-address; unbound: interface; named: listen-on), and restart it. Or do without names: enabled = false in [dns].",
		}, portTaken),
		namesCheck(Check{
			Code: ResolverOff, Good: "containers' names are answered", After: []Code{ResolverPortTaken},
			Meaning: "Containers are told to ask the bridge's address for names ([dns] enabled = true), and nobody answers there: flatnet-tui watch does not run, or cannot.",
			Remedy:  "Run: sudo systemctl enable --now flatnet. Why it cannot: journalctl -u flatnet",
		}, resolverOff),
		namesCheck(Check{
			Code: ResolverSilent, Good: "a container's question for a name has an answer",
			After:   []Code{BridgeUnseen, BridgeMissing, BridgeNotABridge, BridgeDown, BridgeWrongAddress, ResolverPortTaken},
			Meaning: "flatnet-tui watch answers names, and a container that asks gets nothing: a rule of this machine's firewall drops the question, or watch hangs.",
			Remedy:  "Run: sudo systemctl restart flatnet",
		}, resolverSilent),
		namesCheck(Check{
			Code: ResolverAlone, Good: "other names can be asked for",
			Meaning: "This machine's /etc/resolv.conf names no server, so containers find each other and nothing else.",
			Remedy:  "Write a line \"nameserver ADDRESS\" into /etc/resolv.conf. In WSL see generateResolvConf in /etc/wsl.conf.",
		}, resolverAlone),
	}
}

// namesCheck completes a check of what core/resolver saw.
func namesCheck(c Check, look func(resolver.Status, Facts) []Finding) Check {
	c.Group = GroupNames
	c.After = append([]Code{NamesUnseen}, c.After...)
	c.Applies = func(f Facts) bool { return f.Names.Known() && f.Names.Value.Enabled != config.Off }
	c.Look = func(f Facts) []Finding { return look(f.Names.Value, f) }
	return c
}

func portTaken(s resolver.Status, _ Facts) []Finding {
	if !s.Taken {
		return nil
	}
	var who say.Text = "another program"
	if s.TakenBy != "" {
		who = say.Data(s.TakenBy)
	}
	f := Finding{
		Severity: Warn, Target: s.Address.String(), Title: say.F("port 53 at the bridge's address is taken by %s", who),
		Detail: say.F("%s cannot be opened: the address is in use, by %s.", s.Address, who),
	}
	if s.Enabled == config.On {
		f.Severity = Fail // containers were told to ask there
	}
	return []Finding{f}
}

// resolverOff: where containers are told only of what answers, that nobody
// does is no fault, and is not called an answer either.
func resolverOff(s resolver.Status, _ Facts) []Finding {
	switch {
	case s.Serving || s.Taken:
		return nil
	case s.Enabled == config.Auto:
		return []Finding{{Severity: OK, Title: "containers' names are not answered, and no new container is told to ask: flatnet-tui watch does not run"}}
	}
	return []Finding{{
		Severity: Warn, Target: s.Address.String(), Title: "nobody answers containers' names",
		Detail: say.F("No flatnet-tui watch answers at %s.", s.Address),
	}}
}

func resolverSilent(s resolver.Status, f Facts) []Finding {
	if !s.Serving || s.Silent == "" {
		return nil
	}
	var asker say.Text = "this machine"
	if s.Asker != "" {
		asker = say.Data(s.Asker)
	}
	one := Finding{
		Severity: Fail, Target: s.Address.String(), Title: "names are answered, and the answers do not arrive",
		Detail: say.F("Asked from %s: %s.", asker, s.Silent),
	}
	if s.Beside {
		b := f.Config.Network.Bridge
		one.Title = "containers' questions for names are dropped"
		one.Detail = say.F("Asked from %s: %s. Asked from this machine: an answer.", asker, s.Silent)
		one.Remedy = say.F("Let them in: sudo iptables -I INPUT -i %s -p udp --dport 53 -j ACCEPT, and the same with -p tcp. "+
			"With ufw: sudo ufw allow in on %s to any port 53. With firewalld: sudo firewall-cmd --permanent --zone=trusted --add-interface=%s, then --reload.", b, b, b)
	}
	return []Finding{one}
}

func resolverAlone(s resolver.Status, _ Facts) []Finding {
	if !s.Serving || len(s.Servers) > 0 {
		return nil
	}
	return []Finding{{
		Severity: Warn, Target: "/etc/resolv.conf", Title: "names other than containers' cannot be asked for",
		Detail: "/etc/resolv.conf has no line that names a server.",
	}}
}
