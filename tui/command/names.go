package command

import (
	"context"

	"flatnet/core/config"
	"flatnet/core/resolver"
)

// answerNames answers containers that ask for each other by name, until ctx
// ends.
func (p *Parts) answerNames(ctx context.Context, report func(string)) {
	if p.Config.DNS.Enabled == config.Off {
		return
	}
	boot, err := p.Kernel.BootID(ctx)
	if err != nil {
		report("Names cannot be answered: " + err.Error())
		return
	}
	resolver.New(resolver.Options{
		Config: p.Config, Boot: boot, Holder: "flatnet-tui watch", Containers: p.Podman.Containers,
		ResolvConf: p.ResolvConf, Report: report,
	}).Run(ctx)
}

// lookNames looks whether somebody does.
func (p *Parts) lookNames(ctx context.Context) (resolver.Status, error) {
	return resolver.Look(ctx, resolver.LookOptions{
		Config: p.Config, Kernel: p.Kernel, Leases: p.HeldLeases, ResolvConf: p.ResolvConf,
	})
}
