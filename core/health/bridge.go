package health

import (
	"errors"
	"slices"
	"strings"

	"flatnet/core"
	"flatnet/core/bridge"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// Codes of the bridge.
const (
	BridgeUnseen       Code = "bridge-unseen"
	BridgeMissing      Code = "bridge-missing"
	BridgeNotABridge   Code = "bridge-not-a-bridge"
	BridgeDown         Code = "bridge-down"
	BridgeWrongAddress Code = "bridge-wrong-address"
	BridgeWrongMTU     Code = "bridge-wrong-mtu"
	SubnetOverlap      Code = "subnet-overlap"
	IPForwardOff       Code = "ip-forward-off"
	BridgeSilent       Code = "bridge-silent"
)

func bridgeChecks() []Check {
	return slices.Concat(bridgeThere(), bridgeAsConfigured(), bridgeAround())
}

// bridgeThere is about the link of the bridge's name.
func bridgeThere() []Check {
	return []Check{
		{
			Code: BridgeUnseen, Group: GroupBridge, Good: "the bridge can be looked at",
			Meaning: "The kernel could not be asked about links and addresses, so nothing is known of the bridge.",
			Remedy:  "Run as root, in the network namespace that the containers are reached from.",
			Look: func(f Facts) []Finding {
				return unseen(f.Bridge, "the bridge could not be looked at", f.Config.Network.Bridge)
			},
		},
		bridgeCheck(BridgeMissing, nil, "the bridge is there",
			"There is no link of the bridge's name, so no container can be reached. The first container started makes it.",
			func(b bridge.Status) say.Text {
				if b.Exists {
					return ""
				}
				return say.F("%s is missing", b.Name)
			}),
		{
			Code: BridgeNotABridge, Group: GroupBridge, Good: "it is a bridge", After: []Code{BridgeUnseen, BridgeMissing},
			Applies: bridgeSeen,
			Meaning: "A link of another kind has the bridge's name; the plugin refuses to touch it.",
			Remedy:  "Rename or delete that link (sudo ip link delete NAME), or set another name: key bridge in [network].",
			Look: func(f Facts) []Finding {
				b := f.Bridge.Value
				if b.IsBridge {
					return nil
				}
				return bridgeFault(f, Fail, say.F("%s is a %s, not a bridge", b.Name, b.Kind))
			},
		},
	}
}

// bridgeAsConfigured is about what the configuration says of the bridge.
func bridgeAsConfigured() []Check {
	return []Check{
		bridgeCheck(BridgeDown, []Code{BridgeMissing, BridgeNotABridge}, "the bridge is up",
			"The bridge is switched off: no packet passes.",
			func(b bridge.Status) say.Text {
				if b.Up {
					return ""
				}
				return say.F("%s is down", b.Name)
			}),
		{
			Code: BridgeWrongAddress, Group: GroupBridge, Good: "the bridge has the gateway's address", Repair: repair.BridgeID,
			After: []Code{BridgeUnseen, BridgeMissing, BridgeNotABridge}, Applies: bridgeSeen,
			Meaning: "The bridge does not have the gateway's address, so containers do not find their way out; or it has another one besides, and the plugin refuses to touch it.",
			Remedy:  byBridge + ". If another address is in the way, the finding names the command that takes it off.",
			Look:    bridgeAddress,
		},
		{
			Code: BridgeWrongMTU, Group: GroupBridge, Good: "the bridge has the right MTU", Repair: repair.BridgeID,
			After: []Code{BridgeUnseen, BridgeMissing, BridgeNotABridge}, Applies: bridgeSeen,
			Meaning: "The bridge's MTU differs from the configured one, or from the default route's link: large packets vanish, under a VPN above all (WSL#4698).",
			Remedy:  byBridge + ". Containers that run keep their MTU until they are started again.",
			Look: func(f Facts) []Finding {
				b := f.Bridge.Value
				if b.WantMTU == 0 || b.MTU == b.WantMTU {
					return nil
				}
				return bridgeFault(f, Warn, say.F("%s has MTU %d, not %d", b.Name, b.MTU, b.WantMTU))
			},
		},
	}
}

// bridgeAddress: an address that is not ours is somebody's, and the bridge's
// repair leaves it alone.
func bridgeAddress(f Facts) []Finding {
	b := f.Bridge.Value
	if len(b.Addresses) == 1 && b.Addresses[0] == b.Want {
		return nil
	}
	title := say.F("%s has %s, not %s", b.Name, strings.Join(b.Addresses, ", "), b.Want)
	if len(b.Addresses) == 0 {
		title = say.F("%s has no address, not %s", b.Name, b.Want)
	}
	found := bridgeFault(f, Fail, title)
	if err := b.Obstacle(); errors.Is(err, bridge.ErrForeignAddress) {
		found[0].Remedy = say.Sentence(say.F("Take the other address off: %s", core.Hint(err)))
	}
	return found
}

// bridgeAround is about what packets over the bridge need besides.
func bridgeAround() []Check {
	return []Check{
		{
			Code: SubnetOverlap, Group: GroupBridge, Good: "no other route covers the subnet",
			After: []Code{BridgeUnseen}, Applies: bridgeSeen,
			Meaning: "Another link's route covers addresses of the subnet, so some containers are looked for there.",
			Remedy:  "Take that network away (sudo podman network rm, docker network rm, or the VPN), or choose another subnet: key subnet in [network].",
			Look: func(f Facts) []Finding {
				over := f.Bridge.Value.Overlaps
				if len(over) == 0 {
					return nil
				}
				return []Finding{{
					Severity: Fail, Target: f.Config.Network.Subnet.String(),
					Title:  say.F("another route covers %s", f.Config.Network.Subnet),
					Detail: say.F("Routes of other links: %s.", strings.Join(over, ", ")),
				}}
			},
		},
		{
			Code: IPForwardOff, Group: GroupBridge, Good: "the kernel forwards packets", Repair: repair.BridgeID,
			After: []Code{BridgeUnseen}, Applies: bridgeSeen,
			Meaning: "net.ipv4.ip_forward is 0: nothing passes between Windows and the containers (seed, Troubleshooting).",
			Remedy:  byBridge + ". By hand: sudo sysctl -w net.ipv4.ip_forward=1",
			Look: func(f Facts) []Finding {
				if f.Bridge.Value.IPForward {
					return nil
				}
				return []Finding{{
					Severity: Fail, Target: "net.ipv4.ip_forward",
					Title:  "the kernel does not forward packets",
					Detail: "net.ipv4.ip_forward is 0.",
				}}
			},
		},
		probeCheck(Check{
			Code: BridgeSilent, Group: GroupBridge, Good: "the bridge's address answers",
			After:   []Code{BridgeUnseen, BridgeMissing, BridgeNotABridge, BridgeDown, BridgeWrongAddress},
			Meaning: "The bridge is up with its address, and does not answer a ping from this machine: a rule in INPUT or OUTPUT drops it.",
			Remedy:  "Look for the rule: sudo iptables -L INPUT -n -v, and the same for OUTPUT.",
		}, "", func(p Probe) (Severity, say.Text) {
			return Warn, say.F("%s does not answer a ping", p.Target)
		}, func(p Probe) bool { return p.Role == RoleBridge && p.State == Fail }),
	}
}

// bridgeCheck makes a check of something that fails the whole bridge and that
// the bridge's repair mends. wrong gives the title, "" where all is well.
func bridgeCheck(code Code, after []Code, good say.Text, meaning string, wrong func(bridge.Status) say.Text) Check {
	return Check{
		Code: code, Group: GroupBridge, Good: good, Meaning: meaning, Remedy: byBridge, Repair: repair.BridgeID,
		After: append([]Code{BridgeUnseen}, after...), Applies: bridgeSeen,
		Look: func(f Facts) []Finding {
			title := wrong(f.Bridge.Value)
			if title == "" {
				return nil
			}
			return bridgeFault(f, Fail, title)
		},
	}
}

func bridgeSeen(f Facts) bool { return f.Bridge.Known() }

func bridgeFault(f Facts, s Severity, title say.Text) []Finding {
	b := f.Bridge.Value
	detail := say.F("ip link and ip address: there %s, up %s, addresses %s, MTU %d, %s.",
		yesNo(b.Exists), yesNo(b.Up), orNone(strings.Join(b.Addresses, ", ")), b.MTU, say.Count(len(b.Ports), "%d port", "%d ports"))
	return []Finding{{Severity: s, Title: title, Detail: detail, Target: f.Config.Network.Bridge}}
}
