package health

import (
	"fmt"
	"strings"

	"flatnet/core/host"
)

// installedChecks are about what Podman needs to call the plugin.
func installedChecks() []Check {
	return []Check{
		machineCheck(Check{
			Code: PluginMissing, Good: "the plugin is installed", After: []Code{PodmanNotCNI},
			Meaning: "The plugin's program is not in any directory where Podman looks, so no container can start on the network.",
			Remedy:  byInstall,
		}, pluginMissing),
		machineCheck(Check{
			Code: PluginNotExecutable, Good: "the plugin can be executed", After: []Code{PodmanNotCNI, PluginMissing},
			Meaning: "The plugin's file is there, and is not a program that may be run.",
			Remedy:  byInstall + ". By hand: sudo chmod 755 FILE",
		}, pluginNotExecutable),
		machineCheck(Check{
			Code: PluginOtherVersion, Good: "the plugin is of this version", After: []Code{PodmanNotCNI, PluginMissing, PluginNotExecutable},
			Meaning: "The plugin and this console are of different versions and may read state and configuration differently.",
			Remedy:  byInstall,
		}, pluginVersion),
		machineCheck(Check{
			Code: NetworkListMissing, Good: "Podman has a network list", After: []Code{PodmanNotCNI},
			Meaning: "Podman has no network list for this network, so --network finds none.",
			Remedy:  byInstall,
		}, networkListMissing),
		machineCheck(Check{
			Code: NetworkListShadowed, Good: "one network list has the name", After: []Code{PodmanNotCNI, NetworkListMissing},
			Meaning: "Several network lists have the network's name; Podman takes the first and passes over the others.",
			Remedy:  "Delete or rename the file that is not meant (sudo podman network inspect NAME shows which one is used).",
		}, networkListShadowed),
		machineCheck(Check{
			Code: NetworkListInvalid, Good: "the network list is valid", After: []Code{PodmanNotCNI, NetworkListMissing},
			Meaning: "The network list is not valid, so Podman or the plugin refuses it.",
			Remedy:  "Mend the file, or run sudo make install after moving it away.",
		}, networkListInvalid),
		machineCheck(Check{
			Code: NetworkListDiffers, Good: "the network list agrees with the configuration", After: []Code{PodmanNotCNI, NetworkListMissing, NetworkListShadowed, NetworkListInvalid},
			Meaning: "Keys in the network list win over the configuration file, so the plugin works on another network than the console shows.",
			Remedy:  "Take those keys out of the network list, or give the configuration the same values.",
		}, networkListDiffers),
	}
}

func pluginMissing(s host.Status, _ Facts) []Finding {
	p := s.Plugin
	switch {
	case p.Exists:
		return nil
	case p.Err != "":
		return []Finding{{Severity: Unknown, Target: p.Path, Title: "whether the plugin is installed is not known", Detail: p.Err, Remedy: byRoot}}
	}
	return []Finding{{
		Severity: Fail, Target: p.Path, Title: "the plugin is not installed",
		Detail: "There is no " + p.Path + ", nor a " + host.PluginName + " in any other of Podman's plugin directories.",
	}}
}

func pluginNotExecutable(s host.Status, _ Facts) []Finding {
	if s.Plugin.Executable {
		return nil
	}
	return []Finding{{
		Severity: Fail, Target: s.Plugin.Path, Title: "the plugin cannot be executed",
		Detail: s.Plugin.Path + " is not a file with the right to be executed.",
	}}
}

func pluginVersion(s host.Status, _ Facts) []Finding {
	p := s.Plugin
	f := Finding{Severity: Warn, Target: p.Path, Title: fmt.Sprintf("the plugin is %s, this program %s", p.Version, p.Want)}
	switch {
	case p.Version == p.Want:
		return nil
	case p.Err != "":
		f.Severity, f.Title, f.Detail = Unknown, "the plugin's version is not known", p.Err
	case p.Version == "":
		f.Title = "the plugin does not say its version; this program is " + p.Want
		f.Detail = p.Path + ", started by hand, did not present itself."
	default:
		f.Detail = p.Path + " says " + p.Version + "."
	}
	if len(p.Others) > 0 {
		f.Detail += " Passed over by Podman: " + strings.Join(p.Others, ", ") + "."
	}
	return []Finding{f}
}

func networkListMissing(s host.Status, f Facts) []Finding {
	l := s.NetworkList
	switch {
	case l.Exists:
		return nil
	case l.Err != "":
		return []Finding{{Severity: Unknown, Target: l.Path, Title: "whether Podman has a network list is not known", Detail: l.Err, Remedy: byRoot}}
	}
	return []Finding{{
		Severity: Fail, Target: l.Path, Title: "Podman has no network list for " + f.Config.Network.Name,
		Detail: "No *.conflist beside " + l.Path + " has the name " + f.Config.Network.Name + ".",
	}}
}

func networkListShadowed(s host.Status, f Facts) []Finding {
	l := s.NetworkList
	switch {
	case l.Ours && len(l.Others) == 0, l.Problem != "":
		return nil
	case !l.Ours:
		return []Finding{{
			Severity: Fail, Target: l.Path, Title: "another network has the name " + f.Config.Network.Name,
			Detail: fmt.Sprintf("Podman takes %s, which does not call the plugin %s. Passed over: %s.",
				l.Path, host.PluginName, orNone(strings.Join(l.Others, ", "))),
		}}
	}
	return []Finding{{
		Severity: Warn, Target: l.Path, Title: "several network lists have the name " + f.Config.Network.Name,
		Detail: fmt.Sprintf("Podman takes %s and passes over %s.", l.Path, strings.Join(l.Others, ", ")),
	}}
}

func networkListInvalid(s host.Status, _ Facts) []Finding {
	if s.NetworkList.Problem == "" {
		return nil
	}
	return []Finding{{
		Severity: Fail, Target: s.NetworkList.Path, Title: "the network list is not valid", Detail: s.NetworkList.Problem,
	}}
}

func networkListDiffers(s host.Status, _ Facts) []Finding {
	l := s.NetworkList
	if len(l.Differs) == 0 {
		return nil
	}
	return []Finding{{
		Severity: Warn, Target: l.Path, Title: "the network list says otherwise than the configuration",
		Detail: l.Path + ": " + strings.Join(l.Differs, "; ") + ".",
	}}
}
