package health

import (
	"path/filepath"
	"strings"

	"flatnet/core/host"
	"flatnet/core/say"
)

// The checks of installed.go where Podman calls the plugin through netavark:
// what stands for a network list there is Podman's own file of the network.

func networkMissing(s host.Status, f Facts) []Finding {
	n, name := s.Netavark.Network, f.Config.Network.Name
	switch {
	case n.Exists:
		return nil
	case n.Err != "":
		return []Finding{{Severity: Unknown, Target: n.Path, Title: "whether Podman knows the network is not known", Detail: n.Err, Remedy: byRoot}}
	}
	found := Finding{
		Severity: Fail, Target: name, Title: say.F("Podman does not know the network %s", name),
		Detail: say.F("No network in %s has the name %s.", filepath.Dir(n.Path), name),
		Remedy: say.F("Run: sudo flatnet-tui init. By hand: sudo podman network create -d flatnet %s", name),
	}
	if s.NetworkList.Ours {
		found.Detail = say.Join(" ", found.Detail, say.F("For CNI, which this Podman does not use, there is %s.", s.NetworkList.Path))
		found.Remedy = "Run: sudo flatnet-tui migrate. It makes the network from that list, and containers keep their addresses."
	}
	return []Finding{found}
}

func networkForeign(s host.Status, f Facts) []Finding {
	n, name := s.Netavark.Network, f.Config.Network.Name
	switch {
	case n.Problem != "":
		return nil
	case !n.Ours:
		return []Finding{{
			Severity: Fail, Target: name, Title: say.F("another network has the name %s", name),
			Detail: say.F("%s is a network of another driver than %s.", n.Path, host.PluginName),
			Remedy: remake(name),
		}}
	case len(n.Others) > 0:
		return []Finding{{
			Severity: Warn, Target: n.Path, Title: say.F("several networks have the name %s", name),
			Detail: say.F("Podman takes %s and passes over %s.", n.Path, strings.Join(n.Others, ", ")),
		}}
	}
	return nil
}

func networkUnusable(s host.Status, f Facts) []Finding {
	n := s.Netavark.Network
	if n.Problem == "" {
		return nil
	}
	return []Finding{{
		Severity: Fail, Target: f.Config.Network.Name, Title: "Podman's network cannot be used",
		Detail: say.F("%s: %s", n.Path, n.Problem), Remedy: remake(f.Config.Network.Name),
	}}
}

// remake has Podman make a network anew; it refuses while containers are on it.
func remake(name string) say.Text {
	return say.F("Run: sudo podman network rm %s && sudo podman network create -d flatnet %s (sudo podman ps --all --filter network=%s lists the containers that are on it)", name, name, name)
}
