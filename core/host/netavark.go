package host

import (
	"context"
	"encoding/json"
	"path/filepath"
	"sync"

	"flatnet/core/config"
	"flatnet/core/netavark"
	"flatnet/core/say"
)

// Netavark is what Podman needs to call the plugin through netavark.
type Netavark struct {
	Plugin  Plugin      `json:"plugin"`
	Network NetworkList `json:"network"`
}

// LookNetwork looks at the network alone.
func LookNetwork(o Options) NetworkList {
	return lookNetwork(o.settings().netavark.networkDir, o.Config)
}

// Plugins are the plugin as each of Podman's network backends finds it.
type Plugins struct{ CNI, Netavark Plugin }

// LookPlugins looks at the plugins alone. Both are started at once: each may
// hang.
func LookPlugins(ctx context.Context, o Options) Plugins { return new(Looker).lookPlugins(ctx, o) }

func (l *Looker) lookPlugins(ctx context.Context, o Options) (found Plugins) {
	p := o.settings()
	var both sync.WaitGroup
	both.Go(func() { found.CNI = l.lookPlugin(ctx, p.cni.pluginDirs, o.Version) })
	both.Go(func() { found.Netavark = l.lookPlugin(ctx, p.netavark.pluginDirs, o.Version) })
	both.Wait()
	return found
}

// LookBackend tells which network backend Podman's settings ask for.
func LookBackend(o Options) Backend { return o.settings().backend }

// lookNetwork finds the file by which Podman knows the network.
func lookNetwork(dir string, c config.Config) NetworkList {
	return findNetwork(filepath.Join(dir, c.Network.Name+".json"), c.Network.Name, func(file string) (described, error) {
		n, err := readNetwork(file)
		return described{n.Name, func(l *NetworkList) { l.useNetwork(n, c) }}, err
	})
}

func readNetwork(file string) (n netavark.Network, err error) {
	data, err := readBounded(file)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(data, &n); err != nil {
		return n, say.Errorf("not a network of Podman's: %w", err)
	}
	if n.Name == "" {
		return n, say.New("not a network of Podman's: it has no name")
	}
	return n, nil
}

// useNetwork asks what the plugin would say of the network.
func (l *NetworkList) useNetwork(n netavark.Network, c config.Config) {
	if l.Ours = n.Driver == netavark.Driver; !l.Ours {
		return
	}
	asked, err := n.Check(netavark.ForSetup)
	if err != nil {
		l.Problem = say.Of(err)
		return
	}
	l.Differs = differences(asked.Config, c)
}
