package setup_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flatnet/core/config"
	"flatnet/core/config/edit"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/core/setup"
)

// asked is a Podman that says info.
type asked struct {
	podman.Client
	info podman.Info
	err  error
}

func (a asked) Info(context.Context) (podman.Info, error) { return a.info, a.err }

// root makes a machine's files, all empty.
func root(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLook(t *testing.T) {
	subnet := netip.MustParsePrefix("10.87.1.0/24")
	for _, test := range []struct {
		name  string
		files []string
		want  setup.Machine
	}{
		{"bare Linux", nil, setup.Machine{Subnet: subnet}},
		{"Debian's nginx", []string{"usr/sbin/nginx", "usr/lib/cni/portmap"}, setup.Machine{Nginx: "/usr/sbin/nginx", ConfigDir: "/etc/nginx", Subnet: subnet, Portmap: true}},
		{
			"the seed's machine",
			[]string{"mnt/c/Windows/System32/route.exe", "mnt/f/flatnet/openresty/nginx.exe", "mnt/e/x", "run/systemd/system/x"},
			setup.Machine{SystemRoot: "/mnt/c/Windows", Drive: "/mnt/f/flatnet", Nginx: "/mnt/f/flatnet/openresty/nginx.exe", Subnet: subnet, Systemd: true},
		},
		{
			"one drive",
			[]string{"mnt/c/Windows/System32/route.exe", "mnt/c/openresty-1.25/nginx.exe", "usr/sbin/nginx"},
			setup.Machine{SystemRoot: "/mnt/c/Windows", Drive: "/mnt/c/flatnet", Nginx: "/mnt/c/openresty-1.25/nginx.exe", Subnet: subnet},
		},
		{
			"a data drive",
			[]string{"mnt/c/Windows/System32/route.exe", "mnt/d/x"},
			setup.Machine{SystemRoot: "/mnt/c/Windows", Drive: "/mnt/d/flatnet", Subnet: subnet},
		},
		{
			"Flatnet on Windows' own drive",
			[]string{"mnt/c/Windows/System32/route.exe", "mnt/d/x", "mnt/c/flatnet/x"},
			setup.Machine{SystemRoot: "/mnt/c/Windows", Drive: "/mnt/c/flatnet", Subnet: subnet},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := setup.Look(t.Context(), setup.Options{Root: root(t, test.files...), Kernel: kernel.NewFake(), Podman: asked{}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// slow is a Podman that answers at the third time.
type slow struct {
	podman.Client
	asked int
}

func (s *slow) Info(context.Context) (podman.Info, error) {
	if s.asked++; s.asked < 3 {
		return podman.Info{}, podman.ErrTimeout
	}
	return podman.Info{Version: "5.4.2", NetworkBackend: "netavark"}, nil
}

func TestLookWaitsForPodman(t *testing.T) {
	m, err := setup.Look(t.Context(), setup.Options{Root: root(t), Kernel: kernel.NewFake(), Podman: &slow{}})
	if err != nil || m.PodmanErr != nil || m.Podman.Version != "5.4.2" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestTakenSubnet(t *testing.T) {
	k := kernel.NewFake()
	ctx := t.Context()
	if err := errors.Join(k.AddBridge(ctx, "vpn", 0), k.SetUp(ctx, "vpn"), k.AddAddr(ctx, "vpn", netip.MustParsePrefix("10.87.0.1/23"))); err != nil {
		t.Fatal(err)
	}
	m, err := setup.Look(ctx, setup.Options{Root: root(t), Kernel: k, Podman: asked{}})
	if err != nil || m.Subnet.String() != "10.87.2.0/24" || m.Taken != "10.87.0.0/23 by vpn" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A VPN that takes "everything else" by two halves leaves every subnet free,
// as for the plugin.
func TestHalfOfEverythingTakesNoSubnet(t *testing.T) {
	m, err := setup.Look(t.Context(), setup.Options{Root: root(t), Kernel: routed(t, "0.0.0.0/1"), Podman: asked{}})
	if err != nil || m.Subnet.String() != "10.87.1.0/24" || m.Taken != "" {
		t.Errorf("%+v, %v", m, err)
	}
}

// routed is a machine with a route.
func routed(t *testing.T, to string) *kernel.Fake {
	t.Helper()
	k := kernel.NewFake()
	err := errors.Join(k.AddBridge(t.Context(), "vpn", 0), k.SetUp(t.Context(), "vpn"), k.AddRoute(t.Context(), kernel.Route{Dst: netip.MustParsePrefix(to), Link: "vpn"}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t *testing.T, dir, text string) *edit.File {
	t.Helper()
	path := filepath.Join(dir, "etc/flatnet/flatnet.toml")
	if text != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := edit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPlanWritesWhatIsMissing(t *testing.T) {
	dir := root(t)
	file := open(t, dir, "")
	m := setup.Machine{
		SystemRoot: "/mnt/c/Windows", Drive: "/mnt/d/flatnet", Nginx: "/mnt/d/openresty/nginx.exe",
		Subnet: netip.MustParsePrefix("10.87.2.0/24"), Taken: "10.87.1.0/24 by vpn", Portmap: true,
		Podman: podman.Info{Version: "4.3.1", NetworkBackend: "netavark"},
	}
	plan, err := setup.Plan(t.Context(), setup.Options{Root: dir, Kernel: kernel.NewFake()}, m, setup.Choices{Listen: "8080"}, file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repair.Apply(t.Context(), plan, repair.Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file.Path())
	if err != nil {
		t.Fatal(err)
	}
	if c.Network.Subnet != m.Subnet || c.Windows.WindowsPath != `D:\flatnet` || c.Gateway.Nginx != m.Nginx || c.Gateway.ConfigDir != "/mnt/d/flatnet/config" || c.Gateway.Listen != "8080" {
		t.Errorf("%+v", c)
	}
	for name, want := range map[string]string{
		"etc/cni/net.d/flatnet.conflist":                "portmap",
		"etc/sysctl.d/99-flatnet.conf":                  "net.ipv4.ip_forward = 1",
		"etc/containers/containers.conf.d/flatnet.conf": `network_backend = "cni"`,
	} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
	if notes := say.Join("\n", plan.Notes...).String(); !strings.Contains(notes, "The usual subnet is taken (10.87.1.0/24 by vpn)") || !strings.Contains(notes, "flatnet-tui watch") {
		t.Error(notes)
	}
	again, err := setup.Plan(t.Context(), setup.Options{Root: dir, Kernel: kernel.NewFake()}, m, setup.Choices{}, open(t, dir, ""))
	if err != nil || len(again.Steps) > 0 {
		t.Errorf("once more: %+v, %v", again.Steps, err)
	}
}

// What the file says stays, unless a person says otherwise.
func TestPlanKeepsWhatIsSet(t *testing.T) {
	dir := root(t)
	m := setup.Machine{Subnet: netip.MustParsePrefix("10.87.2.0/24"), Nginx: "/usr/sbin/nginx", ConfigDir: "/etc/nginx"}
	file := open(t, dir, "[network]\nsubnet = \"10.50.0.0/24\" # IT\n[gateway]\nnginx = \"/opt/nginx\"\n")
	want := [][2]string{{"gateway.config_dir", `"/etc/nginx"`}}
	if diff := cmp.Diff(want, setup.Settings(m, setup.Choices{}, file)); diff != "" {
		t.Error(diff)
	}
	want = [][2]string{{"network.subnet", `"10.60.0.0/24"`}, {"gateway.config_dir", `"/srv/gw"`}}
	chosen := setup.Choices{Subnet: netip.MustParsePrefix("10.60.0.0/24"), ConfigDir: "/srv/gw"}
	if diff := cmp.Diff(want, setup.Settings(m, chosen, file)); diff != "" {
		t.Error(diff)
	}
	if _, err := setup.Plan(t.Context(), setup.Options{Root: dir, Kernel: kernel.NewFake()}, m, setup.Choices{Drive: "relative"}, file); err == nil {
		t.Error("a relative drive was taken")
	}
}

func TestPlanSaysWhatItCannotDo(t *testing.T) {
	for want, info := range map[string]asked{
		"cannot yet: cannot find the plugin": {info: podman.Info{Version: "5.4.2", NetworkBackend: "netavark"}},
		"take network_backend out of":        {err: podman.ErrNoCNI},
		"Podman could not be asked":          {err: podman.ErrNoSocket},
		"The portmap plugin was not ":        {info: podman.Info{Version: "4.3.1", NetworkBackend: "cni"}},
	} {
		dir := root(t)
		m, err := setup.Look(t.Context(), setup.Options{Root: dir, Kernel: kernel.NewFake(), Podman: info})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := setup.Plan(t.Context(), setup.Options{Root: dir, Kernel: kernel.NewFake()}, m, setup.Choices{}, open(t, dir, ""))
		if notes := say.Join("\n", plan.Notes...).String(); err != nil || !strings.Contains(notes, want) {
			t.Errorf("notes %s, %v; want %s", notes, err, want)
		}
	}
}

// What a person chooses, or the file says, is looked at like what was found.
func TestPlanLooksAtWhatIsChosen(t *testing.T) {
	dir := root(t, "srv/Windows/System32/route.exe")
	m := setup.Machine{Subnet: netip.MustParsePrefix("10.87.1.0/24"), Taken: "10.87.1.0/24 by vpn"}
	o := setup.Options{Root: dir, Kernel: routed(t, "10.60.0.0/16")}
	file := open(t, dir, "[windows]\nsystem_root = \"/srv/Windows\"\n")
	plan, err := setup.Plan(t.Context(), o, m, setup.Choices{Subnet: netip.MustParsePrefix("10.60.3.0/24")}, file)
	if err != nil {
		t.Fatal(err)
	}
	notes := say.Join("\n", plan.Notes...).String()
	if !strings.Contains(notes, "10.60.3.0/24 overlaps a route of this machine (10.60.0.0/16 by vpn)") {
		t.Error(notes)
	}
	if strings.Contains(notes, "No Windows") || strings.Contains(notes, "The usual subnet") {
		t.Errorf("what is not so: %s", notes)
	}
}
