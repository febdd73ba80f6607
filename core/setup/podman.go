package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/google/renameio/v2"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/host"
	"flatnet/core/journal"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/say"
)

// settingsFile is where we tell Podman what it has to know of the plugin.
const settingsFile = "/etc/containers/containers.conf.d/flatnet.conf"

// useCNI has Podman 4 call the plugin. Podman 5 does nothing at all while it
// is there.
const useCNI = "# Flatnet is a CNI plugin.\n[network]\nnetwork_backend = \"cni\"\n"

// findPlugin has Podman 5 find the plugin where CNI has it.
func findPlugin(dir string) string {
	return fmt.Sprintf("# Flatnet speaks netavark's plugin API.\n[network]\nnetavark_plugin_dirs = [%q, {append=true}]\n", dir)
}

// settingsSteps plan what Podman's settings need for netavark: CNI no longer
// asked for, and the plugin found. refused is what Podman said when it was
// asked, nil where it answered.
func settingsSteps(ctx context.Context, o Options, refused error) ([]repair.Step, error) {
	path := filepath.Join(o.Root, settingsFile)
	is, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ours := string(is) == useCNI
	if errors.Is(refused, podman.ErrNoCNI) && !ours {
		file := host.LookBackend(o.host(config.Config{})).File
		return nil, &core.OpError{
			Op: "use Podman", Err: say.Errorf("%w: %s", podman.ErrNoCNI, file),
			Hint: "take network_backend out of that file, then run this again",
		}
	}
	want := string(is)
	if ours {
		want = ""
	}
	if both := host.LookPlugins(ctx, o.host(config.Config{})); !both.Netavark.Exists {
		if !both.CNI.Exists {
			return nil, &core.OpError{Op: "find the plugin", Target: both.Netavark.Path, Err: fs.ErrNotExist, Hint: "run: sudo make install (in the directory of Flatnet's source)"}
		}
		want = findPlugin(filepath.Dir(both.CNI.Path))
	}
	if want == string(is) {
		return nil, nil
	}
	if len(is) > 0 && !ours {
		return nil, &core.OpError{
			Op: "tell Podman where the plugin is", Target: settingsFile, Err: say.New("somebody has written that file"),
			Hint: say.F("run sudo make install, which puts the plugin where netavark looks, or add this to the file: %s", want),
		}
	}
	return []repair.Step{rewrite(path, settingsFile, string(is), want)}, nil
}

// rewrite plans to give a file another text; "" stands for no file.
func rewrite(path, name, from, to string) repair.Step {
	put := func(text string) error {
		if text != "" {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			return renameio.WriteFile(path, []byte(text), 0o644)
		}
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text := say.F("write %s", name)
	if to == "" {
		text = say.F("take %s away", name)
	}
	return repair.Step{
		Text: text, Diff: udiff.Unified(name, name, from, to),
		Do:   func(context.Context) ([]journal.Entry, error) { return nil, put(to) },
		Undo: func(context.Context) error { return put(from) },
	}
}

// createNetwork has Podman know a network of which o tells where it will be.
// What is taken back is its file: podman network rm refuses while there are
// containers of that network, as those that Podman 4 made on one of its name.
func createNetwork(described string, args []string, o host.Options) repair.Step {
	return repair.Step{
		Text:    say.F("make the network %s known to Podman", described),
		Command: "podman " + strings.Join(args, " "),
		Do:      func(ctx context.Context) ([]journal.Entry, error) { return nil, execute(ctx, "podman", args...) },
		Undo: func(context.Context) error {
			if made := host.LookNetwork(o); made.Exists {
				return os.Remove(made.Path)
			}
			return nil
		},
	}
}

// execute runs a program of this machine; its error has the last line that it
// printed.
func execute(ctx context.Context, program string, args ...string) error {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return say.Errorf("%s: %w: %q", program, err, lines[len(lines)-1])
	}
	return nil
}
