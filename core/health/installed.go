package health

import (
	"strings"

	"flatnet/core/host"
	"flatnet/core/say"
)

// installedChecks are about what Podman needs to call the plugin.
func installedChecks() []Check {
	return []Check{
		machineCheck(Check{
			Code: PluginMissing, Good: "the plugin is installed", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI},
			Meaning: "The plugin's program is not in any directory where Podman looks, so no container can start on the network.",
			Remedy:  byInstall,
		}, pluginMissing),
		machineCheck(Check{
			Code: PluginNotExecutable, Good: "the plugin can be executed", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI, PluginMissing},
			Meaning: "The plugin's file is there, and is not a program that may be run.",
			Remedy:  byInstall + ". By hand: sudo chmod 755 FILE",
		}, pluginNotExecutable),
		machineCheck(Check{
			Code: PluginOtherVersion, Good: "the plugin is of this version", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI, PluginMissing, PluginNotExecutable},
			Meaning: "The plugin and this console are of different versions and may read state and configuration differently.",
			Remedy:  byInstall,
		}, pluginVersion),
		machineCheck(Check{
			Code: NetworkListMissing, Good: "Podman knows the network", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI},
			Meaning: "Podman does not know the network, so --network finds none: with CNI there is no network list for it, with netavark no network.",
			Remedy:  byInstall,
		}, networkListMissing),
		machineCheck(Check{
			Code: NetworkListShadowed, Good: "one network has the name", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI, NetworkListMissing},
			Meaning: "Several network lists have the network's name, and Podman takes the first and passes over the others; or a network of the name is not of our plugin.",
			Remedy:  "Delete or rename the file that is not meant (sudo podman network inspect NAME shows which one is used).",
		}, networkListShadowed),
		machineCheck(Check{
			Code: NetworkListInvalid, Good: "the network can be used", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI, NetworkListMissing},
			Meaning: "The network list, or Podman's network, is not valid or does not fit the configuration, so Podman or the plugin refuses it.",
			Remedy:  "Mend the file, or run sudo make install after moving it away.",
		}, networkListInvalid),
		machineCheck(Check{
			Code: NetworkListDiffers, Good: "Podman's network agrees with the configuration", After: []Code{PodmanSettings, PodmanWithoutCNI, PodmanNotCNI, NetworkListMissing, NetworkListShadowed, NetworkListInvalid},
			Meaning: "Keys in the network list, or in the configuration that Podman's network names, are others than in the console's configuration, so the plugin works on another network than the console shows.",
			Remedy:  "Take those keys out of the network list, or give the configuration the same values.",
		}, networkListDiffers),
	}
}

// overNetavark tells whether it is netavark through which Podman calls the
// plugin. Where Podman cannot be asked, it is if there is a network for
// netavark and none for CNI.
func overNetavark(s host.Status, f Facts) bool {
	if f.Podman.Known() {
		return f.Podman.Value.Info.NetworkBackend == "netavark"
	}
	return s.Netavark.Network.Exists && !s.NetworkList.Exists
}

// pluginOf gives the plugin that Podman calls.
func pluginOf(s host.Status, f Facts) host.Plugin {
	if overNetavark(s, f) {
		return s.Netavark.Plugin
	}
	return s.Plugin
}

func pluginMissing(s host.Status, f Facts) []Finding {
	p := pluginOf(s, f)
	switch {
	case p.Exists:
		return nil
	case p.Err != "":
		return []Finding{{Severity: Unknown, Target: p.Path, Title: "whether the plugin is installed is not known", Detail: p.Err, Remedy: byRoot}}
	}
	found := Finding{
		Severity: Fail, Target: p.Path, Title: "the plugin is not installed",
		Detail: say.F("There is no %s, nor a %s in any other of Podman's plugin directories.", p.Path, host.PluginName),
	}
	if overNetavark(s, f) {
		found.Detail = say.F("There is no %s, nor a %s in any other directory where Podman looks for netavark's plugins.", p.Path, host.PluginName)
		found.Remedy = byInstall + ". If Podman looks elsewhere: sudo flatnet-tui init"
	}
	return []Finding{found}
}

func pluginNotExecutable(s host.Status, f Facts) []Finding {
	p := pluginOf(s, f)
	if p.Executable {
		return nil
	}
	found := Finding{
		Severity: Fail, Target: p.Path, Title: "the plugin cannot be executed",
		Detail: say.F("%s is not a file with the right to be executed.", p.Path),
	}
	if p.Err != "" {
		found.Detail = say.F("%s was started, and is not a whole program of this machine: %s", p.Path, p.Err)
		found.Remedy = byInstall
	}
	return []Finding{found}
}

func pluginVersion(s host.Status, facts Facts) []Finding {
	p := pluginOf(s, facts)
	f := Finding{Severity: Warn, Target: p.Path, Title: say.F("the plugin is %s, this program %s", p.Version, p.Want)}
	switch {
	case p.Version == p.Want:
		return nil
	case p.Err != "":
		f.Severity, f.Title, f.Detail = Unknown, "the plugin's version is not known", p.Err
	case p.Version == "":
		f.Title = say.F("the plugin does not say its version; this program is %s", p.Want)
		f.Detail = say.F("%s, started by hand, did not present itself.", p.Path)
	default:
		f.Detail = say.F("%s says %s.", p.Path, p.Version)
	}
	if len(p.Others) > 0 {
		f.Detail = say.Join(" ", f.Detail, say.F("Passed over by Podman: %s.", strings.Join(p.Others, ", ")))
	}
	return []Finding{f}
}

func networkListMissing(s host.Status, f Facts) []Finding {
	if overNetavark(s, f) {
		return networkMissing(s, f)
	}
	l := s.NetworkList
	switch {
	case l.Exists:
		return nil
	case l.Err != "":
		return []Finding{{Severity: Unknown, Target: l.Path, Title: "whether Podman has a network list is not known", Detail: l.Err, Remedy: byRoot}}
	}
	return []Finding{{
		Severity: Fail, Target: l.Path, Title: say.F("Podman has no network list for %s", f.Config.Network.Name),
		Detail: say.F("No *.conflist beside %s has the name %s.", l.Path, f.Config.Network.Name),
	}}
}

func networkListShadowed(s host.Status, f Facts) []Finding {
	if overNetavark(s, f) {
		return networkForeign(s, f)
	}
	l := s.NetworkList
	switch {
	case l.Ours && len(l.Others) == 0, l.Problem != "":
		return nil
	case !l.Ours:
		return []Finding{{
			Severity: Fail, Target: l.Path, Title: say.F("another network has the name %s", f.Config.Network.Name),
			Detail: say.F("Podman takes %s, which does not call the plugin %s. Passed over: %s.",
				l.Path, host.PluginName, orNone(strings.Join(l.Others, ", "))),
		}}
	}
	return []Finding{{
		Severity: Warn, Target: l.Path, Title: say.F("several network lists have the name %s", f.Config.Network.Name),
		Detail: say.F("Podman takes %s and passes over %s.", l.Path, strings.Join(l.Others, ", ")),
	}}
}

func networkListInvalid(s host.Status, f Facts) []Finding {
	if overNetavark(s, f) {
		return networkUnusable(s, f)
	}
	if s.NetworkList.Problem == "" {
		return nil
	}
	return []Finding{{
		Severity: Fail, Target: s.NetworkList.Path, Title: "the network list is not valid",
		Detail: say.F("%s: %s", s.NetworkList.Path, s.NetworkList.Problem),
	}}
}

func networkListDiffers(s host.Status, f Facts) []Finding {
	l, title := s.NetworkList, say.Text("the network list says otherwise than the configuration")
	if overNetavark(s, f) {
		l, title = s.Netavark.Network, "Podman's network is another than the configuration's"
	}
	if len(l.Differs) == 0 {
		return nil
	}
	return []Finding{{Severity: Warn, Target: l.Path, Title: title, Detail: say.F("%s: %s.", l.Path, strings.Join(l.Differs, "; "))}}
}
