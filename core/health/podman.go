package health

import (
	"strconv"
	"strings"

	"flatnet/core/podman"
	"flatnet/core/say"
)

// Codes of Podman.
const (
	PodmanSettings    Code = "podman-settings-invalid"
	PodmanWithoutCNI  Code = "podman-without-cni"
	PodmanUnreachable Code = "podman-unreachable"
	PodmanNotCNI      Code = "podman-not-cni"
)

func podmanChecks() []Check {
	return []Check{
		{
			Code: PodmanSettings, Group: GroupPodman, Good: "Podman's settings can be read",
			Meaning: "A file of Podman's settings (containers.conf) has a mistake: Podman does nothing at all until it is corrected, and where it looks for plugin and network is not known.",
			Remedy:  "Correct the file that is named; sudo podman info then answers again.",
			Applies: func(f Facts) bool { return f.Host.Known() },
			Look:    podmanSettings,
		},
		{
			Code: PodmanWithoutCNI, Group: GroupPodman, Good: "Podman has the network backend that it is to use",
			Meaning: "Podman's settings ask for CNI, which Podman 5 does not have: it does nothing at all until that is taken out. Settings of Podman 4 do so after an upgrade.",
			Remedy:  "Run: sudo flatnet-tui migrate",
			Applies: func(f Facts) bool { return f.Podman.Known() || lacksCNI(f) },
			Look:    podmanWithoutCNI,
		},
		{
			Code: PodmanUnreachable, Group: GroupPodman, Good: "Podman answers", After: []Code{PodmanSettings, PodmanWithoutCNI},
			Meaning: "Podman cannot be asked, so it is not known which leases are stale and which container serves a site.",
			Remedy:  "Run: sudo systemctl enable --now podman.socket. Or set the right path: key socket in [podman].",
			Look:    podmanUnreachable,
		},
		{
			Code: PodmanNotCNI, Group: GroupPodman, Good: "Podman calls the plugin", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanUnreachable},
			Meaning: "Podman 4's network backend is not CNI, and it has no network of ours for netavark, so it never calls the plugin. (Podman 5 has no CNI, and calls it through netavark.)",
			Remedy:  "Run: sudo flatnet-tui init. It has Podman use CNI; networks made by podman network create, and their containers, are then to be made anew.",
			Applies: func(f Facts) bool { return f.Podman.Known() },
			Look:    podmanNotCNI,
		},
	}
}

func podmanSettings(f Facts) []Finding {
	problem := f.Host.Value.Settings
	if problem == "" {
		return nil
	}
	return []Finding{{Severity: Fail, Target: "containers.conf", Title: "Podman's settings have a mistake", Detail: problem}}
}

// podmanUnreachable: only root sees Podman's socket.
func podmanUnreachable(f Facts) []Finding {
	found := unseen(f.Podman, "Podman cannot be asked", f.Config.Podman.Socket)
	if f.Host.Known() && !f.Host.Value.Root {
		for i := range found {
			found[i].Remedy = byRoot
		}
	}
	return found
}

// complaint is what Podman says instead of an answer, "" if it answers.
func complaint(f Facts) say.Text {
	if !f.Podman.Known() {
		return f.Podman.Err
	}
	return f.Podman.Value.InfoErr
}

func lacksCNI(f Facts) bool { return podman.LacksCNI(complaint(f).String()) }

func podmanWithoutCNI(f Facts) []Finding {
	if !lacksCNI(f) {
		return nil
	}
	found := Finding{Severity: Fail, Target: "podman", Title: "Podman is to use CNI, and has none", Detail: complaint(f)}
	if b := f.Host.Value.Backend; f.Host.Known() && b.Name != "" {
		found.Target = b.File
		found.Detail = say.F("%s has network_backend = %q. Podman says: %s", b.File, b.Name, complaint(f))
	}
	return []Finding{found}
}

func podmanNotCNI(f Facts) []Finding {
	i := f.Podman.Value.Info
	switch {
	case f.Podman.Value.InfoErr != "":
		return []Finding{{
			Severity: Unknown, Target: "podman", Title: "Podman's network backend is not known",
			Detail: say.Sentence(f.Podman.Value.InfoErr), Remedy: lookAtBackend,
		}}
	case i.NetworkBackend == "cni", i.NetworkBackend == "netavark" && (!beforeFive(i.Version) || f.Host.Value.Netavark.Network.Ours):
		return nil
	case i.NetworkBackend == "":
		return []Finding{{Severity: Unknown, Target: "podman", Title: "Podman's network backend is not known", Detail: "podman info names none.", Remedy: lookAtBackend}}
	}
	return []Finding{{
		Severity: Fail, Target: "podman",
		Title:  say.F("Podman uses %s, not CNI", i.NetworkBackend),
		Detail: say.F("podman info: version %s, network backend %s.", i.Version, i.NetworkBackend),
	}}
}

// lookAtBackend is for a Podman that did not say it in time.
const lookAtBackend = "Try again. By hand: sudo podman info --format '{{.Host.NetworkBackend}}'"

// beforeFive tells whether a version of Podman is known to be older than 5.
func beforeFive(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < 5
}
