package health

import (
	"time"

	"flatnet/core/host"
	"flatnet/core/say"
)

// Codes of the machine and its configuration.
const (
	ConfigInvalid        Code = "config-invalid"
	MachineUnseen        Code = "machine-unseen"
	PluginMissing        Code = "plugin-missing"
	PluginNotExecutable  Code = "plugin-not-executable"
	PluginOtherVersion   Code = "plugin-other-version"
	NetworkListMissing   Code = "network-list-missing"
	NetworkListInvalid   Code = "network-list-invalid"
	NetworkListShadowed  Code = "network-list-shadowed"
	NetworkListDiffers   Code = "network-list-differs"
	DiskFull             Code = "disk-full"
	ClockJumped          Code = "clock-jumped"
	IPForwardNotNextBoot Code = "ip-forward-next-boot"
)

// Thresholds of the machine's checks.
const (
	diskLow   = 64 << 20 // bytes free at which it is a warning
	diskFull  = 1 << 20  // bytes free at which nothing more can be written for sure
	clockSlip = time.Minute
)

func configChecks() []Check {
	return []Check{{
		Code: ConfigInvalid, Group: GroupConfig, Good: "the configuration is valid",
		Meaning: "The configuration file has mistakes, and nothing else can be judged. The plugin refuses to work with it, unless they are all in tables that only the console uses: podman, windows, gateway, probes, tui.",
		Remedy:  byConfig,
		Look: func(f Facts) []Finding {
			if len(f.Problems) == 0 {
				return nil
			}
			lines := make([]say.Text, len(f.Problems))
			for i, p := range f.Problems {
				lines[i] = p.Say()
			}
			return []Finding{{
				Severity: Fail, Target: f.Problems[0].File, Detail: say.Join("\n", lines...),
				Title: say.Count(len(lines), "the configuration has %d mistake", "the configuration has %d mistakes"),
			}}
		},
	}}
}

func machineChecks() []Check {
	return []Check{
		{
			Code: MachineUnseen, Group: GroupMachine, Good: "the machine can be looked at",
			Meaning: "Plugin, network list, disks and clock could not be looked at in time.",
			Remedy:  "Look whether a disk or a network drive hangs (ls of the directories in the configuration).",
			Look: func(f Facts) []Finding {
				return unseen(f.Host, "the machine could not be looked at", "")
			},
		},
		machineCheck(Check{
			Code: DiskFull, Good: "there is room on the disks", Each: true,
			Meaning: "A file system that state, log or gateway configuration are written to has next to no room, so containers cannot start.",
			Remedy:  "Make room on it: df -h, sudo podman system prune, or a smaller [log] max_size and keep.",
		}, disks),
		machineCheck(Check{
			Code: ClockJumped, Good: "the clock runs forward",
			Meaning: "The clock stands before the time at which our own files were written, or far from the gateway's: ages, quarantine and logs cannot be trusted. WSL's clock falls behind after Windows slept.",
			Remedy:  "Set the clock: sudo hwclock -s (in WSL), or sudo timedatectl set-ntp true.",
		}, clock),
		machineCheck(Check{
			Code: IPForwardNotNextBoot, Good: "the kernel will forward packets after the next boot",
			Meaning: "No sysctl file switches net.ipv4.ip_forward on, so after a boot nothing passes until a container was started (seed 4.1).",
			Remedy:  "Run: echo net.ipv4.ip_forward=1 | sudo tee /etc/sysctl.d/99-flatnet.conf",
		}, nextBoot),
	}
}

// machineCheck completes a check of what core/host saw.
func machineCheck(c Check, look func(host.Status, Facts) []Finding) Check {
	c.Group = GroupMachine
	c.After = append([]Code{MachineUnseen}, c.After...)
	c.Applies = func(f Facts) bool { return f.Host.Known() }
	c.Look = func(f Facts) []Finding { return look(f.Host.Value, f) }
	return c
}

func disks(s host.Status, _ Facts) []Finding {
	var out []Finding
	for _, d := range s.Disks {
		out = append(out, disk(d)...)
	}
	return out
}

func disk(d host.Disk) []Finding {
	f := Finding{Target: d.Path, Detail: say.F("df: %s free of %s, %d of %d inodes.", bytesText(d.Free), bytesText(d.Total), d.FreeInodes, d.Inodes)}
	switch {
	case d.Err != "":
		f.Severity, f.Title, f.Detail = Unknown, say.F("the room at %s is not known", d.Path), d.Err
	case d.Total == 0: // a file system that does not count
		return nil
	case d.Free < diskFull || (d.Inodes > 0 && d.FreeInodes == 0):
		f.Severity, f.Title = Fail, say.F("the disk at %s is full", d.Path)
	case d.Free < diskLow:
		f.Severity, f.Title = Warn, say.F("the disk at %s is nearly full", d.Path)
	default:
		return nil
	}
	return []Finding{f}
}

func clock(s host.Status, f Facts) []Finding {
	if ahead := s.Clock.Newest.Sub(s.Clock.Now); ahead > clockSlip {
		return []Finding{{
			Severity: Warn, Target: "clock", Title: say.F("the clock was set back by at least %s", round(ahead)),
			Detail: say.F("It is %s, and %s was written at %s.", stamp(s.Clock.Now), s.Clock.Of, stamp(s.Clock.Newest)),
		}}
	}
	for _, p := range f.Probes.Value {
		if p.Role != RoleGateway || p.Skew == nil || (*p.Skew).Abs() <= clockSlip {
			continue
		}
		return []Finding{{
			Severity: Warn, Target: "clock", Title: say.F("the clock is %s away from the gateway's", round((*p.Skew).Abs())),
			Detail: say.F("The Date header of %s is %s ahead of this machine's clock.", p.Target, round(*p.Skew)),
		}}
	}
	return nil
}

func nextBoot(s host.Status, _ Facts) []Finding {
	n := s.NextBoot
	if n.Forward != "" && n.Forward != "0" {
		return nil
	}
	f := Finding{
		Severity: Warn, Target: host.ForwardKey, Title: "the kernel will not forward packets after the next boot",
		Detail: say.F("No sysctl file sets %s.", host.ForwardKey),
	}
	if n.File != "" {
		f.Detail = say.F("%s sets %s to %s and has the last word.", n.File, host.ForwardKey, n.Forward)
		f.Remedy = say.F("Set it to 1 in %s.", n.File)
	}
	return []Finding{f}
}

func round(d time.Duration) string { return d.Round(time.Second).String() }

func stamp(t time.Time) string { return t.Format(time.RFC3339) }
