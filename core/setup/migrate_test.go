package setup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flatnet/core"
	"flatnet/core/journal"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/core/setup"
)

// upgraded is a machine whose Podman 4 with CNI has become a Podman 5.
type upgraded struct {
	t       *testing.T
	dir     string
	options setup.Options
}

// refusing is a Podman 5 that says nothing while the settings ask for CNI.
type refusing struct {
	asked
	settings string
}

func (r refusing) Info(ctx context.Context) (podman.Info, error) {
	if text, _ := os.ReadFile(r.settings); strings.Contains(string(text), `"cni"`) {
		return podman.Info{}, fmt.Errorf("%w: cni support is not enabled in this build", podman.ErrNoCNI)
	}
	return r.asked.Info(ctx)
}

const (
	settingsFile = "etc/containers/containers.conf.d/flatnet.conf"
	useCNI       = "# Flatnet is a CNI plugin.\n[network]\nnetwork_backend = \"cni\"\n"
)

// program stands in for podman: it keeps the networks that it is told to make,
// and fails where a test wants it to: before or after it did as it was told.
const program = `#!/bin/sh
told="$*"
[ -z "$MIGRATE_BEFORE" ] || case "$told" in *$MIGRATE_BEFORE*) echo "no: $MIGRATE_BEFORE" >&2; exit 125;; esac
for name; do :; done
file="$MIGRATE_DIR/etc/containers/networks/$name.json"
case "$2" in
create) bridge=; subnet=; options=
  while [ $# -gt 1 ]; do
    case $1 in
    --interface-name) bridge=$2;;
    --subnet) subnet="\"subnet\":\"$2\"";;
    --gateway) subnet="$subnet,\"gateway\":\"$2\"";;
    --ip-range) subnet="$subnet,\"lease_range\":{\"start_ip\":\"${2%-*}\",\"end_ip\":\"${2#*-}\"}";;
    --opt) options="$options${options:+,}\"${2%%=*}\":\"${2#*=}\"";;
    esac
    shift
  done
  mkdir -p "${file%/*}"
  echo "{\"name\":\"$name\",\"driver\":\"${MIGRATE_DRIVER-flatnet}\",\"network_interface\":\"$bridge\",\"subnets\":[{$subnet}],\"options\":{$options},\"ipam_options\":{\"driver\":\"none\"}}" >"$file";;
esac
[ -z "$MIGRATE_AFTER" ] || case "$told" in *$MIGRATE_AFTER*) echo "no: $MIGRATE_AFTER" >&2; exit 125;; esac
`

// newUpgraded makes one with these network lists, by name the plugin's entry.
func newUpgraded(t *testing.T, lists map[string]string) *upgraded {
	t.Helper()
	t.Setenv("FLATNET_CONFIG", "")
	u := &upgraded{t: t, dir: root(t)}
	for _, dir := range []string{"usr/lib/netavark", "opt/cni/bin", "bin"} {
		u.write(dir+"/flatnet", "#!/bin/sh\necho flatnet v1 puts >&2\n")
	}
	for name, entry := range lists {
		u.write("etc/cni/net.d/"+name+".conflist", fmt.Sprintf(`{"cniVersion":"1.0.0","name":%q,"plugins":[%s]}`, name, entry))
	}
	u.write("bin/podman", program)
	t.Setenv("PATH", filepath.Join(u.dir, "bin")+":"+os.Getenv("PATH"))
	t.Setenv("MIGRATE_DIR", u.dir)
	u.options = setup.Options{Root: u.dir, Podman: refusing{
		asked{info: podman.Info{Version: "5.4.2", NetworkBackend: "netavark"}}, filepath.Join(u.dir, settingsFile),
	}}
	return u
}

func (u *upgraded) write(name, text string) {
	u.t.Helper()
	path := filepath.Join(u.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		u.t.Fatal(err)
	}
}

// picture is what the machine's files say, but for what podman was told.
func (u *upgraded) picture() string {
	u.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(filepath.Join(u.dir, "etc"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s: %s\n", path, text)
		return err
	})
	if err != nil {
		u.t.Fatal(err)
	}
	return b.String()
}

func (u *upgraded) plan(names ...string) repair.Plan {
	u.t.Helper()
	p, err := setup.Migrate(u.t.Context(), u.options, names)
	if err != nil {
		u.t.Fatal(err)
	}
	return p
}

// entries is a journal in memory.
type entries []journal.Entry

func (e *entries) Append(_ context.Context, more ...journal.Entry) error {
	*e = append(*e, more...)
	return nil
}

var twoLists = map[string]string{
	"flatnet": `{"type":"flatnet"},{"type":"portmap"}`,
	"second":  `{"type":"flatnet","bridge":"flatnet-br1","subnet":"10.88.0.0/24","range_start":"10.88.0.10","mtu":1400}`,
	"theirs":  `{"type":"bridge"}`,
}

func TestMigrate(t *testing.T) {
	u := newUpgraded(t, twoLists)
	u.write(settingsFile, useCNI)
	before := u.picture()
	p := u.plan()
	var commands []string
	for _, s := range p.Steps {
		commands = append(commands, s.Text.String()+": "+s.Command)
	}
	want := []string{
		"take /etc/containers/containers.conf.d/flatnet.conf away: ",
		"make the network flatnet (10.87.1.0/24 on flatnet-br0) known to Podman: podman network create --driver flatnet --subnet 10.87.1.0/24 --gateway 10.87.1.1 --interface-name flatnet-br0 flatnet",
		"make the network second (10.88.0.0/24 on flatnet-br1) known to Podman: podman network create --driver flatnet --subnet 10.88.0.0/24 --gateway 10.88.0.1 --ip-range 10.88.0.10-10.88.0.254 --interface-name flatnet-br1 --opt mtu=1400 second",
	}
	if !slices.Equal(commands, want) {
		t.Errorf("plan:\n%s\nwant\n%s", strings.Join(commands, "\n"), strings.Join(want, "\n"))
	}
	if notes := say.Join("\n", p.Notes...).String(); !strings.Contains(notes, "not Flatnet's: theirs") {
		t.Errorf("notes:\n%s", notes)
	}
	if u.picture() != before {
		t.Error("planning changed something")
	}
	var diary entries
	if _, err := repair.Apply(t.Context(), p, repair.Options{By: "test", Journal: &diary}); err != nil {
		t.Fatal(err)
	}
	if len(diary) != 3 || diary[0].Action != setup.MigrateID {
		t.Errorf("journal: %+v", diary)
	}
	if p := u.plan(); len(p.Steps) > 0 || len(p.Notes) == 0 {
		t.Errorf("once more: %+v", p)
	}
}

// TestMigrateTakesBack lets every step fail, before and after it did its work,
// and leaves the machine as it was.
func TestMigrateTakesBack(t *testing.T) {
	for _, fault := range [][2]string{
		{"MIGRATE_BEFORE", "create*flatnet-br0"},
		{"MIGRATE_AFTER", "create*flatnet-br0"},
		{"MIGRATE_BEFORE", "create*flatnet-br1"},
		{"MIGRATE_AFTER", "create*second"},
		{"MIGRATE_DRIVER", "flatnet\",\"internal\":true,\"x\":\""}, // made, and not as it was to be
	} {
		t.Run(fault[0]+" "+fault[1], func(t *testing.T) {
			u := newUpgraded(t, twoLists)
			u.write(settingsFile, useCNI)
			before, p := u.picture(), u.plan()
			t.Setenv(fault[0], fault[1])
			_, err := repair.Apply(t.Context(), p, repair.Options{})
			if err == nil || !strings.Contains(err.Error(), "what was done was taken back") {
				t.Errorf("%v", err)
			}
			if after := u.picture(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
	t.Run("settings that cannot be written", func(t *testing.T) {
		u := newUpgraded(t, twoLists)
		u.write(settingsFile, useCNI)
		p := u.plan()
		p.Steps[0].Do = func(context.Context) ([]journal.Entry, error) { return nil, os.ErrPermission }
		before := u.picture()
		if _, err := repair.Apply(t.Context(), p, repair.Options{}); !errors.Is(err, os.ErrPermission) || u.picture() != before {
			t.Errorf("%v\n%s", err, u.picture())
		}
	})
}

func TestMigrateByName(t *testing.T) {
	u := newUpgraded(t, twoLists)
	if p := u.plan("second"); len(p.Steps) != 1 || !strings.Contains(p.Steps[0].Text.String(), "second") {
		t.Errorf("%+v", p.Steps)
	}
	for _, name := range []string{"theirs", "nobody"} {
		if _, err := setup.Migrate(t.Context(), u.options, []string{name}); !errors.Is(err, setup.ErrNoList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMigrateFindsThePlugin: where only CNI has it, Podman is told of it.
func TestMigrateFindsThePlugin(t *testing.T) {
	u := newUpgraded(t, twoLists)
	if err := os.RemoveAll(filepath.Join(u.dir, "usr/lib/netavark")); err != nil {
		t.Fatal(err)
	}
	u.write(settingsFile, useCNI)
	p := u.plan("flatnet")
	if len(p.Steps) != 2 || !strings.Contains(p.Steps[0].Diff, "+netavark_plugin_dirs = [\""+u.dir+"/opt/cni/bin\", {append=true}]") {
		t.Errorf("%+v", p.Steps)
	}
	if _, err := repair.Apply(t.Context(), p, repair.Options{}); err != nil {
		t.Error(err)
	}
}

// TestMigrateRefuses what would do harm or cannot be, with what to do instead.
func TestMigrateRefuses(t *testing.T) {
	one := map[string]string{"flatnet": `{"type":"flatnet"}`}
	for name, tt := range map[string]struct {
		lists map[string]string
		make  func(u *upgraded)
		err   error
		say   string
	}{
		"a network of another driver": {one, func(u *upgraded) {
			u.write("etc/containers/networks/flatnet.json", `{"name":"flatnet","driver":"bridge"}`)
		}, repair.ErrHarm, "podman network rm flatnet"},
		"a network of another subnet": {map[string]string{"second": twoLists["second"]}, func(u *upgraded) {
			u.write("etc/containers/networks/x.json", `{"name":"second","driver":"flatnet","network_interface":"flatnet-br1","subnets":[{"subnet":"10.99.0.0/24"}],"ipam_options":{"driver":"none"}}`)
		}, repair.ErrHarm, "podman network rm second"},
		"settings of somebody else": {one, func(u *upgraded) {
			u.write(settingsFile, "[network]\nnetwork_backend = \"cni\"\n")
		}, podman.ErrNoCNI, "take network_backend out"},
		"no plugin at all": {one, func(u *upgraded) {
			for _, dir := range []string{"usr/lib/netavark", "opt/cni"} {
				if err := os.RemoveAll(filepath.Join(u.dir, dir)); err != nil {
					u.t.Fatal(err)
				}
			}
		}, os.ErrNotExist, "make install"},
		"a list that is wrong":                      {map[string]string{"flatnet": `{"type":"flatnet","subnet":"everything"}`}, nil, nil, "flatnet.conflist"},
		"a list that contradicts the configuration": {map[string]string{"flatnet": `{"type":"flatnet","subnet":"10.99.0.0/24"}`}, nil, nil, "config edit"},
		"a list that says what has no words":        {map[string]string{"flatnet": `{"type":"flatnet","ipam":{"sticky":false}}`}, nil, setup.ErrUnsaid, "take it out"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpgraded(t, tt.lists)
			if tt.make != nil {
				tt.make(u)
			}
			_, err := setup.Migrate(t.Context(), u.options, nil)
			if err == nil || tt.err != nil && !errors.Is(err, tt.err) || !strings.Contains(core.Hint(err).String(), tt.say) {
				t.Errorf("%v (%s), want something about %q", err, core.Hint(err).String(), tt.say)
			}
		})
	}
}

// TestNothingToMigrate says why.
func TestNothingToMigrate(t *testing.T) {
	u := newUpgraded(t, nil)
	if p := u.plan(); len(p.Steps) > 0 || !strings.Contains(say.Join("", p.Notes...).String(), "no CNI network list") {
		t.Errorf("without lists: %+v", p)
	}
	u = newUpgraded(t, twoLists)
	u.options.Podman = asked{info: podman.Info{Version: "4.3.1", NetworkBackend: "cni"}}
	if p := u.plan(); len(p.Steps) > 0 || !strings.Contains(say.Join("", p.Notes...).String(), "Podman 4.3.1 uses CNI") {
		t.Errorf("with Podman 4: %+v", p)
	}
	u.options.Podman = asked{err: podman.ErrNoSocket}
	if _, err := setup.Migrate(t.Context(), u.options, nil); !errors.Is(err, podman.ErrUnavailable) {
		t.Errorf("with no Podman: %v", err)
	}
}
