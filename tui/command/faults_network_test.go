package command_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"flatnet/core/health"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/ports"
)

// hook makes the kernel refuse some operations, as it refuses an ordinary user.
func (r *rig) hook(ops ...string) {
	r.kernel = kernel.Hooked(kernel.New(), func(op, target string) error {
		for _, one := range ops {
			if op == one {
				return fmt.Errorf("%s %s: %w", op, target, kernel.ErrPermission)
			}
		}
		return nil
	})
}

func (r *rig) unhook() { r.kernel = kernel.New() }

// addVeth makes a veth pair that has nothing to do with any container.
func (r *rig) addVeth(name, alias string) netlink.Link {
	r.t.Helper()
	r.must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "-p"}))
	l := r.link(name)
	if alias != "" {
		r.must(netlink.LinkSetAlias(l, alias))
	}
	r.must(netlink.LinkSetUp(r.link(name + "-p")))
	r.must(netlink.LinkSetUp(l))
	return l
}

func bridgeFaults() map[string]fault {
	const apply = "bridge apply"
	return map[string]fault{
		"bridge that cannot be looked at": {
			code: health.BridgeUnseen, severity: health.Unknown,
			make: func(r *rig) { r.hook("Addrs") },
			mend: (*rig).unhook,
		},
		"bridge missing": {
			code: health.BridgeMissing, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("ip link delete flatnet-br0") },
		},
		"bridge down": {
			code: health.BridgeDown, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("ip link set flatnet-br0 down") },
		},
		"no bridge in its place": {
			code: health.BridgeNotABridge, severity: health.Fail,
			make: func(r *rig) {
				r.exec("ip link delete flatnet-br0")
				r.addVeth("flatnet-br0", "")
			},
			mend: func(r *rig) {
				r.exec("ip link delete flatnet-br0")
				r.run("bridge", "apply", "--yes")
			},
		},
		"bridge without its address": {
			code: health.BridgeWrongAddress, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("ip address delete 10.87.1.1/24 dev flatnet-br0") },
		},
		"bridge with another address besides": {
			code: health.BridgeWrongAddress, severity: health.Fail, typed: "ip address del 10.99.0.1/24 dev flatnet-br0",
			make: func(r *rig) { r.exec("ip address add 10.99.0.1/24 dev flatnet-br0") },
		},
		"bridge with the wrong MTU": {
			code: health.BridgeWrongMTU, severity: health.Warn, command: apply,
			make: func(r *rig) { r.exec("ip link set flatnet-br0 mtu 1280") },
		},
		"subnet overlapped": {
			code: health.SubnetOverlap, severity: health.Fail,
			make: func(r *rig) {
				r.addVeth("vpn", "")
				r.exec("ip route add 10.87.1.128/25 dev vpn")
			},
			mend: func(r *rig) { r.exec("ip link delete vpn") },
		},
		"ip_forward off": {
			code: health.IPForwardOff, severity: health.Fail, command: apply,
			make: func(r *rig) { r.write("/proc/sys/net/ipv4/ip_forward", "0") },
		},
		"ping to the bridge dropped": {
			code: health.BridgeSilent, severity: health.Warn,
			make: func(r *rig) { r.exec("iptables -A INPUT -d 10.87.1.1 -p icmp -j DROP") },
			mend: func(r *rig) { r.exec("iptables -D INPUT -d 10.87.1.1 -p icmp -j DROP") },
		},
	}
}

func firewallFaults() map[string]fault {
	const apply = "firewall apply"
	return map[string]fault{
		"no iptables": {
			code: health.FirewallUnseen, severity: health.Unknown,
			make: func(r *rig) {
				r.must(unix.Mount("tmpfs", "/usr/sbin", "tmpfs", 0, ""))
				r.t.Cleanup(func() { _ = unix.Unmount("/usr/sbin", unix.MNT_DETACH) })
			},
			mend: func(r *rig) { r.must(unix.Unmount("/usr/sbin", 0)) },
		},
		"FORWARD flushed, policy DROP": {
			code: health.ForwardMissing, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("iptables -P FORWARD DROP"); r.exec("iptables -F FORWARD") },
		},
		"FORWARD flushed, policy ACCEPT": {
			code: health.ForwardMissing, severity: health.Warn, command: apply,
			make: func(r *rig) { r.exec("iptables -F FORWARD") },
		},
		"our chain flushed": {
			code: health.ForwardMissing, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("iptables -P FORWARD DROP"); r.exec("iptables -F FLATNET-FORWARD") },
		},
		"a drop ahead of our rules": {
			code: health.ForwardBehindDrop, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("iptables -I FORWARD 1 -d 10.87.1.0/24 -j DROP") },
		},
		"a drop in our own chain": {
			code: health.ForwardBehindDrop, severity: health.Fail, typed: "iptables-nft -D FLATNET-FORWARD -j DROP",
			make: func(r *rig) { r.exec("iptables -I FLATNET-FORWARD 1 -j DROP") },
		},
		"rule of a published port gone": {
			code: health.PortRulesMissing, severity: health.Fail, command: apply,
			make: func(r *rig) {
				r.stop(r.web)
				r.web.ports = []ports.Mapping{{Host: 8080, Container: 3000, Count: 1, Protocol: "tcp"}}
				r.start(r.web)
				if found := r.doctor(); len(found) > 0 {
					r.t.Fatalf("published, and there is\n%s", describe(found))
				}
				r.exec("iptables -t nat -F FLATNET-PORTS")
			},
		},
		"Docker came": {
			code: health.DockerMissing, severity: health.Warn, command: apply,
			make: func(r *rig) { r.exec("iptables -N DOCKER-USER") },
		},
		"a rule there twice": {
			code: health.ForwardDoubled, severity: health.Warn, command: apply,
			make: func(r *rig) { r.exec("iptables -A FORWARD -j FLATNET-FORWARD") },
		},
		"masquerading not wanted any more": {
			code: health.FirewallLeftOver, severity: health.Warn, command: apply,
			make: func(r *rig) { r.edit("mtu = 1400", "mtu = 1400\nmasquerade = false") },
		},
		"legacy rules besides": {
			code: health.FirewallMixed, severity: health.Warn,
			make: func(r *rig) {
				r.needLegacy()
				r.exec("iptables-legacy -A FORWARD -p tcp --dport 9 -j ACCEPT")
			},
			typed: "iptables-legacy -F",
		},
		"legacy rules that drop": {
			code: health.FirewallMixed, severity: health.Fail,
			make: func(r *rig) {
				r.needLegacy()
				r.exec("iptables-legacy -P FORWARD DROP")
				r.exec("iptables-legacy -A FORWARD -p tcp --dport 9 -j ACCEPT")
			},
			typed: "iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F",
		},
		"bridged packets pass FORWARD": {
			code: health.BridgeNFCall, severity: health.Warn,
			make: func(r *rig) {
				if _, err := os.Stat(bridgeNFCall); err != nil {
					r.t.Skip("the kernel module br_netfilter is not loaded")
				}
				r.exec("iptables -P FORWARD DROP")
				r.write(bridgeNFCall, "1")
			},
			typed: "sysctl -w net.bridge.bridge-nf-call-iptables=0",
		},
		"masquerading missing": {
			code: health.MasqueradeMissing, severity: health.Fail, command: apply,
			make: func(r *rig) { r.exec("iptables -t nat -F FLATNET-POSTROUTING") },
		},
	}
}

// needLegacy skips where the kernel has only nf_tables.
func (r *rig) needLegacy() {
	if out, err := exec.Command("iptables-legacy", "-S").CombinedOutput(); err != nil {
		r.t.Skipf("iptables-legacy does not work here: %v: %s", err, out)
	}
}

// change alters the leases behind everybody's back.
func (r *rig) change(f func(*ipam.State) error) {
	r.t.Helper()
	r.must(r.store(r.config()).Update(r.t.Context(), func(s *ipam.State) ([]journal.Entry, error) { return nil, f(s) }))
}

func leaseFaults() map[string]fault {
	return map[string]fault{
		"state directory that is a file": {
			code: health.LeasesUnseen, severity: health.Unknown,
			make: func(r *rig) {
				r.move(r.stateDir(), r.stateDir()+".aside")
				r.write(r.stateDir(), "")
			},
			mend: func(r *rig) {
				r.remove(r.stateDir())
				r.move(r.stateDir()+".aside", r.stateDir())
			},
		},
		"container that Podman does not know": {
			code: health.LeaseUnknown, severity: health.Unknown,
			make: func(r *rig) { r.db.state = "removed" }, // its namespace lives: another user's Podman, say
			mend: func(r *rig) { r.db.state = "running" },
		},
		"container crashed": {
			code: health.LeaseStale, severity: health.Warn, command: "leases release --stale",
			make: func(r *rig) { r.crash(r.db) },
		},
		"two links with one address": {
			code: health.LeaseDoubled, severity: health.Fail,
			make: func(r *rig) {
				alias := "flatnet flatnet " + strings.Repeat("ab", 32) + " eth0 " + r.db.ip.String() + " twin"
				r.must(netlink.LinkSetMaster(r.addVeth("fn-twin", alias), r.link("flatnet-br0")))
			},
			mend: func(r *rig) { r.exec("ip link delete fn-twin") },
		},
		"pool full": {
			code: health.PoolNearlyFull, severity: health.Fail,
			make: func(r *rig) { r.edit("mtu = 1400", "mtu = 1400\nrange_end = \"10.87.1.3\"") },
			mend: func(r *rig) { r.edit("range_end = \"10.87.1.3\"", "range_end = \"10.87.1.9\"") },
		},
		"pool nearly full": {
			code: health.PoolNearlyFull, severity: health.Warn,
			make: func(r *rig) {
				r.edit("mtu = 1400", "mtu = 1400\nrange_end = \"10.87.1.13\"")
				var reserved strings.Builder
				for i := 4; i <= 12; i++ {
					fmt.Fprintf(&reserved, "[[ipam.reservation]]\nname = \"later%d\"\nip = \"10.87.1.%d\"\n", i, i)
				}
				r.edit("[log]", reserved.String()+"\n[log]")
			},
			mend: func(r *rig) { r.edit("range_end = \"10.87.1.13\"", "range_end = \"10.87.1.254\"") },
		},
		"link taken off the bridge": {
			code: health.LeaseWithoutVeth, severity: health.Fail, command: "bridge apply",
			make: func(r *rig) { r.must(netlink.LinkSetNoMaster(r.veth(r.web))) },
		},
		"link switched off": {
			code: health.LeaseWithoutVeth, severity: health.Fail, command: "bridge apply",
			make: func(r *rig) { r.must(netlink.LinkSetDown(r.veth(r.web))) },
		},
		"link deleted": {
			code: health.LeaseWithoutVeth, severity: health.Fail, said: "sudo podman restart web",
			make: func(r *rig) { r.must(netlink.LinkDel(r.veth(r.web))) },
			mend: func(r *rig) { r.stop(r.web); r.start(r.web) },
		},
		"link without a lease": {
			code: health.VethWithoutLease, severity: health.Warn, said: "sudo podman restart db",
			make: func(r *rig) {
				r.change(func(s *ipam.State) error {
					if _, err := ipam.Release(s, r.db.ip, "test", r.now()); err != nil {
						return err
					}
					if _, held := s.Lease(netip.MustParseAddr("10.87.1.2")); !held {
						return errors.New("the wrong lease was released")
					}
					return nil
				})
			},
			mend: func(r *rig) { r.stop(r.db); r.start(r.db) },
		},
	}
}
