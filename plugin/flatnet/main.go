// Command flatnet is the CNI plugin that Podman runs. It only puts the real
// parts together; see package plugin.
package main

import (
	"os"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/plugin"
)

// version is set by the build.
var version = "unknown"

func main() {
	os.Exit(plugin.Run(plugin.Parts{
		Version:   version,
		Kernel:    kernel.New(),
		OpenStore: func(dir string, o ipam.Options) ipam.Store { return ipam.OpenFile(dir, o) },
		Now:       time.Now,
	}))
}
