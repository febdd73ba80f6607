package health

import "fmt"

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
			Code: PodmanNotCNI, Group: GroupPodman, Good: "Podman uses CNI plugins", After: []Code{PodmanUnreachable},
			Meaning: "Podman's network backend is not CNI, so it never calls the plugin.",
			Remedy:  "Run: sudo flatnet-tui init. It has Podman use CNI; networks made by podman network create, and their containers, are then to be made anew. Podman 5 has no CNI: use version 4.",
			Applies: func(f Facts) bool { return f.Podman.Known() },
			Look: func(f Facts) []Finding {
				i := f.Podman.Value.Info
				switch i.NetworkBackend {
				case "cni":
					return nil
				case "":
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
