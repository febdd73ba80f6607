// Command flatnet-tui is the console of a Flatnet network, and its
// subcommands. Here the real parts are made and handed over; nothing else.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"

	"flatnet/core/attach"
	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/windows"
	"flatnet/probes"
	"flatnet/tui"
	"flatnet/tui/command"
	"flatnet/tui/monitor"
)

// version is set by the linker.
var version = "unknown"

const program = "flatnet-tui"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return command.Run(ctx, &command.App{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Interactive: term.IsTerminal(os.Stdin.Fd()),
		Screen:      term.IsTerminal(os.Stdout.Fd()) && term.IsTerminal(os.Stdin.Fd()),
		Version:     version,
		Environ:     os.Environ(),
		Now:         time.Now,
		Open:        open,
		Console:     tui.Run,
	}, os.Args[1:])
}

// open makes the real parts of a configuration.
func open(c config.Config) (*command.Parts, error) {
	k := kernel.New()
	p := &command.Parts{
		Version: version, Config: c, Now: time.Now, Kernel: k,
		Journal: journal.Open(c.IPAM.StateDir, program),
		Podman:  podman.New(podman.Options{Socket: c.Podman.Socket, Program: c.Podman.Program()}),
		Probers: probes.New(),
	}
	p.Store = ipam.OpenFile(c.IPAM.StateDir, ipam.Options{
		Pool: ipam.PoolOf(c), Holder: program, Now: time.Now,
		Rebuild: attach.Rebuild(k, c.Network, time.Now),
	})
	p.Windows = windows.New(windows.Options{
		Config: c.Windows, Network: c.Network, Kernel: k, Now: time.Now, Targets: p.RouteTargets,
	})
	p.Monitor = monitor.New(c.Probes, p.Probers, time.Now)
	p.Gateway = gateway.New(gateway.Options{
		Config: c.Gateway, Network: c.Network, Runner: gateway.NewRunner(c.Gateway.Nginx),
		HealthURL:  func(ctx context.Context) string { return c.Gateway.HealthAt(p.WindowsAddress(ctx)) },
		Containers: p.Podman.Containers,
		Leases:     p.HeldLeases,
		Health:     p.Monitor.Health,
		Now:        time.Now,
	})
	return p, nil
}
