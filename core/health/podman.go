package health

import (
	"fmt"
	"strconv"
	"strings"
)

// Codes of Podman.
const (
	PodmanUnreachable Code = "podman-unreachable"
	PodmanNotCNI      Code = "podman-not-cni"
)

func podmanChecks() []Check {
	return []Check{
		{
			Code: PodmanUnreachable, Group: GroupPodman, Good: "Podman answers",
			Meaning: "Podman cannot be asked, so it is not known which leases are stale and which container serves a site.",
			Remedy:  "Run: sudo systemctl enable --now podman.socket. Or set the right path: key socket in [podman].",
			Look: func(f Facts) []Finding {
				return unseen(f.Podman, "Podman cannot be asked", f.Config.Podman.Socket)
			},
		},
		{
			Code: PodmanNotCNI, Group: GroupPodman, Good: "Podman calls the plugin", After: []Code{PodmanUnreachable},
			Meaning: "Podman 4's network backend is not CNI, so it never calls the plugin. (Podman 5 has no CNI, and calls it through netavark.)",
			Remedy:  "Run: sudo flatnet-tui init. It has Podman use CNI; networks made by podman network create, and their containers, are then to be made anew.",
			Applies: func(f Facts) bool { return f.Podman.Known() },
			Look: func(f Facts) []Finding {
				i := f.Podman.Value.Info
				switch {
				case i.NetworkBackend == "cni" || i.NetworkBackend == "netavark" && !beforeFive(i.Version):
					return nil
				case i.NetworkBackend == "":
					return []Finding{{Severity: Unknown, Target: "podman", Title: "Podman's network backend is not known", Detail: "podman info names none."}}
				}
				return []Finding{{
					Severity: Fail, Target: "podman",
					Title:  fmt.Sprintf("Podman uses %s, not CNI", i.NetworkBackend),
					Detail: fmt.Sprintf("podman info: version %s, network backend %s.", i.Version, i.NetworkBackend),
				}}
			},
		},
	}
}

// beforeFive tells whether a version of Podman is known to be older than 5.
func beforeFive(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < 5
}
