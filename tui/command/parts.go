package command

import (
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/repair"
)

// Parts are the real things that one configuration asks for. Whoever needs
// only some of them takes those as arguments, not Parts.
type Parts struct {
	Config  config.Config
	Now     func() time.Time
	Kernel  kernel.Kernel
	Store   ipam.Store
	Journal repair.Recorder
	Podman  podman.Client
}
