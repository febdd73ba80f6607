// Package plugin is what Podman runs. It has two fronts on the same core: CNI
// (Podman 3 and 4) and netavark's plugin API (Podman 4 and later). Each reads
// what its caller asks for, has core/attach do it, and answers with one JSON
// document on stdout, a result or an error. One line about each call goes to
// the log.
//
// It decides nothing about addresses or links. It must start in milliseconds,
// because Podman starts it several times for each container, so it reaches no
// part of the console.
package plugin

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// limit bounds one call, the wait for the state's lock included.
const limit = 30 * time.Second

// Parts are what the plugin is made of.
type Parts struct {
	Version   string // of this program
	Kernel    kernel.Kernel
	OpenStore func(dir string, o ipam.Options) ipam.Store
	Now       func() time.Time
}

// Run does what the caller asks for and gives the exit status: 0 done, 1
// failed, 2 not called by a container runtime.
func Run(p Parts) int {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if verb := os.Getenv("CNI_COMMAND"); verb != "" {
		return runCNI(ctx, p, verb)
	}
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		return runNetavark(ctx, p, os.Args[1:])
	}
	fmt.Fprint(os.Stderr, usage(p.Version))
	return exitUsage
}

func usage(version string) string {
	return "flatnet " + version + ` puts containers on a bridge of their own. Podman starts it:
with netavark (Podman 4 and later) as a plugin, "flatnet setup" and the like;
with CNI (Podman 3 and 4) with CNI_COMMAND in the environment. "make install"
puts it where both look.

    sudo podman network create -d flatnet flatnet   (netavark: once)
    sudo podman run --network flatnet …

To see and mend the network, run flatnet-tui. CNI versions: ` + strings.Join(versions, ", ") + `
netavark plugin API: ` + apiVersion + "\n"
}
