package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flatnet/core"
	"flatnet/core/bundle"
	"flatnet/core/config"
	"flatnet/core/health"
	"flatnet/core/journal"
	"flatnet/tui"
)

func (a *App) bundleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bundle [FILE]",
		Short: "Write everything that can be seen into one file, for whoever helps",
		Long: `bundle writes one JSON file with everything that can be seen: findings, rules,
links, routes, leases, the journal's end, the generated configuration, versions.
Passwords, tokens and header values are taken out; addresses, names of
containers and sites are not. FILE is made for its owner alone; "-" is stdout.
flatnet-tui --replay FILE opens it on any machine.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("name one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := bundleName(a.Now())
			if len(args) == 1 {
				name = args[0]
			}
			return a.bundle(cmd.Context(), name)
		},
	}
}

func bundleName(now time.Time) string {
	return "flatnet-bundle-" + now.UTC().Format("20060102-150405") + ".json"
}

func (a *App) bundle(ctx context.Context, name string) error {
	p, err := a.parts()
	var wrong *config.Error
	var b bundle.Bundle
	switch {
	case errors.As(err, &wrong): // worth sending, too
		b = bundle.Bundle{Made: a.Now(), Facts: health.Facts{Time: a.Now(), Version: a.Version, Config: config.Default(), Problems: wrong.Problems}}
	case err != nil:
		return err
	default:
		b = p.collect(ctx, p.looks(), func(int, int) {})
	}
	if name == "-" {
		return bundle.Write(a.Out, b)
	}
	if err := writeBundle(name, b); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "Written: %s\nOpen it with: flatnet-tui --replay %s\n", name, name)
	return err
}

// bundleForConsole writes a bundle where the console was started, or else
// into the directory for temporary files. It holds the probes' history so far.
func (p *Parts) bundleForConsole(ctx context.Context, told tui.Progress) (string, error) {
	looks := p.looks()
	looks.Probes = func(context.Context) ([]health.Probe, error) {
		var all []health.Probe
		for _, s := range p.Monitor.Seen() {
			all = append(all, s.Probe)
		}
		return all, nil
	}
	b := p.collect(ctx, looks, told)
	if errors.Is(ctx.Err(), context.Canceled) {
		return "", ctx.Err()
	}
	name, err := filepath.Abs(bundleName(p.Now()))
	if err != nil {
		return "", err
	}
	err = writeBundle(name, b)
	if errors.Is(err, os.ErrPermission) {
		name = filepath.Join(os.TempDir(), filepath.Base(name))
		err = writeBundle(name, b)
	}
	return name, err
}

// writeBundle makes a new file for its owner alone; a half-written one is
// taken away.
func writeBundle(name string, b bundle.Bundle) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &core.OpError{Op: "write the bundle", Target: name, Err: err, Hint: "name a file that is not there yet, in a directory that you can write to"}
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(name)
		}
	}()
	return bundle.Write(f, b)
}

// collect looks at everything that a bundle holds, and tells how far it is:
// first with the looks, then with the paths.
func (p *Parts) collect(ctx context.Context, looks health.Looks, told tui.Progress) bundle.Bundle {
	f := health.Gather(ctx, health.Request{Version: p.Version, Config: p.Config, Looks: looks, Limit: p.limit(), Now: p.Now, Told: told})
	b := bundle.Bundle{
		Made: f.Time, Facts: f, Findings: health.Evaluate(f), Texts: p.texts(ctx),
		Versions: bundle.Versions{
			Flatnet: p.Version, Plugin: f.Host.Value.Plugin.Version, Podman: f.Podman.Value.Info.Version, Go: runtime.Version(),
		},
	}
	ctx, cancel := context.WithTimeout(ctx, p.limit())
	defer cancel()
	b.Versions.Kernel, _ = p.Kernel.Sysctl(ctx, "kernel.osrelease")
	b.Links, _ = p.Kernel.Links(ctx)
	b.Routes, _ = p.Kernel.Routes(ctx)
	entries, err := p.Journal.Recent(ctx, bundle.MaxJournal, func(journal.Entry) bool { return true })
	if err != nil {
		b.Texts["journal"] = err.Error()
	}
	slices.Reverse(entries) // it gives the newest first
	b.Journal = entries
	b.Paths = p.followAll(ctx, f, told)
	return b
}

// followAll follows the path to each site, until its time is up.
func (p *Parts) followAll(ctx context.Context, f health.Facts, told tui.Progress) []health.Path {
	var paths []health.Path
	sites := f.Gateway.Value.Sites
	for i, s := range sites {
		told(i, min(len(sites), bundle.MaxPaths))
		if ctx.Err() != nil || len(paths) == bundle.MaxPaths {
			break
		}
		paths = append(paths, p.trace(ctx, f, s.Host))
	}
	return paths
}

// texts are the files and outputs that a person would look at.
func (p *Parts) texts(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, p.limit())
	defer cancel()
	all := map[string]string{}
	add := func(name, text string, err error) {
		if err != nil {
			text = "not read: " + err.Error()
		}
		all[name] = text
	}
	backend, err := p.Kernel.ResolveBackend(ctx, p.firewall().Backend)
	if err == nil {
		rules, err := p.Kernel.SaveRules(ctx, backend)
		add("iptables-save", rules, err)
	} else {
		add("iptables-save", "", err)
	}
	for name, path := range map[string]string{
		"allocations.json":    filepath.Join(p.Config.IPAM.StateDir, "allocations.json"),
		"flatnet.log":         p.Config.Log.File,
		"conf.d/flatnet.conf": filepath.Join(p.Config.Gateway.ConfigDir, "conf.d", "flatnet.conf"),
		"nginx.conf":          filepath.Join(p.Config.Gateway.ConfigDir, "nginx.conf"),
	} {
		text, err := fileEnd(path, bundle.MaxText)
		add(name, text, err)
	}
	return all
}

// fileEnd reads the last n bytes of a file.
func fileEnd(path string, n int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case !st.Mode().IsRegular():
		return "", errors.New("not a regular file")
	case st.Size() > n:
		if _, err := f.Seek(-n, io.SeekEnd); err != nil {
			return "", err
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, n))
	return strings.ToValidUTF8(string(text), "?"), err
}
