package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNextBoot(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string // below the test's directory
		want  string
		file  string
	}{
		"no file":                        {nil, "", ""},
		"on":                             {map[string]string{"etc/99-flatnet.conf": "net.ipv4.ip_forward=1\n"}, "1", "etc/99-flatnet.conf"},
		"slashes, spaces, minus":         {map[string]string{"etc/a.conf": "  -net/ipv4/ip_forward = 1  \n"}, "1", "etc/a.conf"},
		"the other name":                 {map[string]string{"etc/a.conf": "net.ipv4.conf.all.forwarding=1"}, "1", "etc/a.conf"},
		"comments":                       {map[string]string{"etc/a.conf": "#net.ipv4.ip_forward=1\n;net.ipv4.ip_forward=1\n"}, "", ""},
		"a later name has the last word": {map[string]string{"etc/10.conf": "net.ipv4.ip_forward=1", "usr/20.conf": "net.ipv4.ip_forward=0"}, "0", "usr/20.conf"},
		"one name: /etc wins":            {map[string]string{"etc/a.conf": "x=1", "usr/a.conf": "net.ipv4.ip_forward=1"}, "", ""},
		"within a file the last wins":    {map[string]string{"etc/a.conf": "net.ipv4.ip_forward=1\nnet.ipv4.ip_forward=0"}, "0", "etc/a.conf"},
		"sysctl.conf is last of all":     {map[string]string{"etc/zz.conf": "net.ipv4.ip_forward=1", "sysctl.conf": "net.ipv4.ip_forward=0"}, "0", "sysctl.conf"},
		"other files do not count":       {map[string]string{"etc/README": "net.ipv4.ip_forward=1"}, "", ""},
	} {
		dir := t.TempDir()
		for path, text := range tt.files {
			write(t, filepath.Join(dir, path), text)
		}
		got := lookNextBoot([]string{filepath.Join(dir, "etc"), filepath.Join(dir, "usr"), filepath.Join(dir, "sysctl.conf")})
		want := NextBoot{Forward: tt.want}
		if tt.file != "" {
			want.File = filepath.Join(dir, tt.file)
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestNextBootMaskedFile(t *testing.T) {
	dir := t.TempDir()
	etc, usr := filepath.Join(dir, "etc"), filepath.Join(dir, "usr")
	write(t, filepath.Join(usr, "a.conf"), "net.ipv4.ip_forward=1")
	write(t, filepath.Join(etc, "other"), "")
	if err := os.Symlink(os.DevNull, filepath.Join(etc, "a.conf")); err != nil {
		t.Fatal(err)
	}
	if got := lookNextBoot([]string{etc, usr}); got.Forward != "" {
		t.Errorf("a masked file counts: %+v", got)
	}
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "containers.conf")
	for name, tt := range map[string]struct {
		text string
		edit func(*settings)
	}{
		"both": {"[network]\ncni_plugin_dirs = [\"/a\", \"/b\"]\nnetwork_config_dir = \"/c\"\n", func(s *settings) {
			s.cni, s.netavark.networkDir = place{[]string{"/a", "/b"}, "/c"}, "/c"
		}},
		"netavark's": {"[network]\nnetwork_backend = \"netavark\"\nnetavark_plugin_dirs = [\"/a\"]\n", func(s *settings) {
			s.netavark.pluginDirs, s.backend = []string{"/a"}, Backend{"netavark", conf}
		}},
		"appended": {"[network]\nnetavark_plugin_dirs = [\"/a\", {append=true}]\n", func(s *settings) {
			s.netavark.pluginDirs = append(s.netavark.pluginDirs, "/a")
		}},
		"neither":           {"[engine]\nruntime = \"runc\"\n", nil},
		"not TOML":          {"[network", nil},
		"relative":          {"[network]\ncni_plugin_dirs = [\"a\"]\nnetwork_config_dir = \"c\"\n", nil},
		"of the wrong type": {"[network]\ncni_plugin_dirs = \"/a\"\n", nil},
	} {
		write(t, conf, tt.text)
		want := defaults()
		if tt.edit != nil {
			tt.edit(&want)
		}
		got := (Options{ContainersConf: conf}).settings()
		if told := strings.HasPrefix(got.problem.String(), conf+": "); told != (name == "not TOML" || name == "of the wrong type") {
			t.Errorf("%s: the problem is %q", name, got.problem)
		}
		if got.problem = ""; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for what, path := range map[string]string{"a file that is not there": filepath.Join(dir, "none"), "a directory": dir} {
		if got := (Options{ContainersConf: path}).settings(); !reflect.DeepEqual(got, defaults()) {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// The administrator's files come after the distribution's, in the order of
// their names.
func TestSettingsOfTheMachine(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"usr/share/containers/containers.conf":        "network_backend = \"cni\"\nnetavark_plugin_dirs = [\"/usr\"]",
		"etc/containers/containers.conf":              "network_config_dir = \"/nets\"",
		"etc/containers/containers.conf.d/10-a.conf":  "network_backend = \"netavark\"\nnetavark_plugin_dirs = [\"/a\", {append=true}]",
		"etc/containers/containers.conf.d/20-b.conf":  "netavark_plugin_dirs = [\"/b\", {append=true}]",
		"etc/containers/containers.conf.d/99-ignored": "network_backend = \"cni\"",
	} {
		write(t, filepath.Join(root, path), "[network]\n"+text+"\n")
	}
	s := Options{Root: root}.settings()
	if want := (place{[]string{"/usr", "/a", "/b"}, "/nets"}); !reflect.DeepEqual(s.netavark, want) {
		t.Errorf("netavark: %+v, want %+v", s.netavark, want)
	}
	if want := (Backend{"netavark", filepath.Join(root, "etc/containers/containers.conf.d/10-a.conf")}); s.backend != want {
		t.Errorf("backend: %+v, want %+v", s.backend, want)
	}
}

func TestPluginIsTheFirstOfItsName(t *testing.T) {
	a, b, c := t.TempDir(), t.TempDir(), t.TempDir()
	script := "#!/bin/sh\necho 'flatnet v1.2-3 puts containers on a bridge' >&2\nexit 2\n"
	for _, dir := range []string{b, c} {
		if err := os.Chmod(write(t, filepath.Join(dir, PluginName), script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got := new(Looker).lookPlugin(t.Context(), []string{a, b, c}, "v1.2-3")
	want := Plugin{
		Path: filepath.Join(b, PluginName), Exists: true, Executable: true, Version: "v1.2-3", Want: "v1.2-3",
		Others: []string{filepath.Join(c, PluginName)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestPluginIsAskedOnce, and again when it is another.
func TestPluginIsAskedOnce(t *testing.T) {
	dir := t.TempDir()
	asked := filepath.Join(dir, "asked")
	path := filepath.Join(dir, PluginName)
	var l Looker
	for i, version := range []string{"v1", "v1", "v2", "v2"} {
		script := "#!/bin/sh\necho x >>" + asked + "\necho flatnet " + version + " >&2\nexit 2\n"
		if i%2 == 0 {
			_ = os.Remove(path)
			if err := os.Chmod(write(t, path, script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.lookPlugin(t.Context(), []string{dir}, version); got.Version != version || got.Err != "" {
			t.Errorf("look %d: %+v", i, got)
		}
		if log, _ := os.ReadFile(asked); len(log) != 2*(1+i/2) {
			t.Errorf("look %d: it was asked %d times", i, len(log)/2)
		}
	}
}

func TestPluginThatIsADirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, PluginName), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := new(Looker).lookPlugin(t.Context(), []string{dir}, "v1"); !got.Exists || got.Executable {
		t.Errorf("a directory is taken for a program: %+v", got)
	}
}

// What a plugin has started may hang too: nobody waits for it.
func TestPluginWithAChildThatHangs(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(write(t, filepath.Join(dir, PluginName), "#!/bin/sh\nsleep 60\n:\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	seen := make(chan Plugin, 1)
	go func() { seen <- new(Looker).lookPlugin(ctx, []string{dir}, "v1") }()
	select {
	case got := <-seen:
		if !strings.Contains(got.Err.String(), "in time") || !got.Executable {
			t.Errorf("%+v", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("it is waited for")
	}
}

func TestPluginThatSaysTooMuch(t *testing.T) {
	dir := t.TempDir()
	flood := "#!/bin/sh\nwhile :; do echo flooding the reader >&2; done\n"
	if err := os.Chmod(write(t, filepath.Join(dir, PluginName), flood), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := new(Looker).lookPlugin(t.Context(), []string{dir}, "v1"); got.Version != "" || !got.Executable {
		t.Errorf("%+v", got)
	}
}

func TestNetworkList(t *testing.T) {
	c := config.Default()
	const ours = `{"cniVersion":"1.0.0","name":"flatnet","plugins":[{"type":"flatnet"},{"type":"portmap"}]}`
	for name, tt := range map[string]struct {
		files map[string]string
		check func(NetworkList) bool
	}{
		"none":           {nil, func(l NetworkList) bool { return !l.Exists && l.Err == "" }},
		"ours":           {map[string]string{"flatnet": ours}, func(l NetworkList) bool { return l.Exists && l.Ours && l.Problem == "" && l.Differs == nil }},
		"by any name":    {map[string]string{"87-office": ours}, func(l NetworkList) bool { return l.Ours && strings.Contains(l.Path, "87-office") }},
		"other networks": {map[string]string{"podman": `{"name":"podman","plugins":[{"type":"bridge"}]}`}, func(l NetworkList) bool { return !l.Exists }},
		"broken":         {map[string]string{"flatnet": "{"}, func(l NetworkList) bool { return l.Exists && l.Problem != "" }},
		"no plugins":     {map[string]string{"flatnet": `{"name":"flatnet","plugins":[]}`}, func(l NetworkList) bool { return l.Problem != "" }},
		"broken, and another that works": {map[string]string{"flatnet": "{", "zz": ours}, func(l NetworkList) bool {
			return l.Ours && l.Problem == "" && strings.HasSuffix(l.Path, "zz.conflist")
		}},
		"shadowed": {map[string]string{"00": `{"name":"flatnet","plugins":[{"type":"bridge"}]}`, "flatnet": ours}, func(l NetworkList) bool {
			return l.Exists && !l.Ours && len(l.Others) == 1
		}},
		"another subnet": {map[string]string{"flatnet": strings.Replace(ours, `"type":"flatnet"`, `"type":"flatnet","bridge":"other0"`, 1)}, func(l NetworkList) bool {
			return len(l.Differs) == 1 && strings.Contains(l.Differs[0], "other0")
		}},
		"another state": {map[string]string{"flatnet": strings.Replace(ours, `"type":"flatnet"`, `"type":"flatnet","ipam":{"state_dir":"/elsewhere"}`, 1)}, func(l NetworkList) bool {
			return len(l.Differs) == 1 && strings.Contains(l.Differs[0], "/elsewhere")
		}},
		"unknown key":        {map[string]string{"flatnet": strings.Replace(ours, `"type":"flatnet"`, `"type":"flatnet","subnets":1`, 1)}, func(l NetworkList) bool { return l.Problem != "" }},
		"configuration gone": {map[string]string{"flatnet": strings.Replace(ours, `"type":"flatnet"`, `"type":"flatnet","config":"/nowhere.toml"`, 1)}, func(l NetworkList) bool { return strings.Contains(l.Problem.String(), "/nowhere.toml") }},
	} {
		t.Setenv("FLATNET_CONFIG", "")
		dir := t.TempDir()
		for file, text := range tt.files {
			write(t, filepath.Join(dir, file+".conflist"), text)
		}
		if got := lookNetworkList(dir, c); !tt.check(got) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := lookNetworkList(filepath.Join(t.TempDir(), "none"), c); got.Exists || got.Err != "" {
		t.Errorf("no directory: %+v", got)
	}
}

func TestReadBounded(t *testing.T) {
	dir := t.TempDir()
	if _, err := readBounded(write(t, filepath.Join(dir, "big"), strings.Repeat("x", maxFile+1))); err == nil {
		t.Error("a file that is too large is read")
	}
	if text, err := readBounded(write(t, filepath.Join(dir, "fits"), strings.Repeat("x", maxFile))); err != nil || len(text) != maxFile {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if _, err := readBounded("/dev/zero"); err == nil {
		t.Error("a device is read")
	}
}

func TestDisksAreNamedOnce(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.IPAM.StateDir, c.Log.File, c.Gateway.ConfigDir = filepath.Join(dir, "not", "yet"), filepath.Join(dir, "flatnet.log"), dir
	disks := lookDisks(c)
	if len(disks) != 1 || disks[0].Path != dir || disks[0].Total == 0 || disks[0].Err != "" {
		t.Errorf("%+v", disks)
	}
}

func TestClockTakesTheNewestFile(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.IPAM.StateDir, c.Log.File = dir, filepath.Join(dir, "flatnet.log")
	write(t, c.Log.File, "x")
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	state := write(t, filepath.Join(dir, "allocations.json"), "{}")
	if err := os.Chtimes(state, later, later); err != nil {
		t.Fatal(err)
	}
	if got := lookClock(c, time.Now()); got.Of != state || !got.Newest.Equal(later) {
		t.Errorf("%+v", got)
	}
}

const logged = `2026/11/23 20:10:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 192.168.1.9, server: forgejo.local, request: "GET /login?token=hush HTTP/1.1", upstream: "http://10.87.1.2:3000/login?token=hush", host: "forgejo.local"
2026/11/23 20:10:01 [notice] 7#7: signal process started
2026/11/23 20:10:02 [error] 5488#9124: *3 upstream timed out (10060: A connection attempt failed) while reading response header from upstream, client: 192.168.1.9, server: wiki.local, request: "GET / HTTP/1.1", upstream: "http://10.87.1.3:8080/", host: "wiki.local"
`

func TestErrorLog(t *testing.T) {
	got := parseErrors([]byte(logged), time.UTC)
	want := []GatewayError{
		{At: time.Date(2026, 11, 23, 20, 10, 0, 0, time.UTC), Text: "connect() failed (111: Connection refused)", Upstream: "10.87.1.2:3000", Host: "forgejo.local"},
		{At: time.Date(2026, 11, 23, 20, 10, 2, 0, time.UTC), Text: "upstream timed out (10060: A connection attempt failed)", Upstream: "10.87.1.3:8080", Host: "wiki.local"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if s := fmt.Sprint(got); strings.Contains(s, "hush") {
		t.Errorf("a request's secret is kept: %s", s)
	}
	if n := len(parseErrors([]byte(strings.Repeat(logged, 50)), time.UTC)); n != maxErrors {
		t.Errorf("%d errors are kept, want %d", n, maxErrors)
	}
}

func TestErrorLogIsReadFromItsEnd(t *testing.T) {
	c := config.Default()
	c.Windows.Root, c.Gateway.ConfigDir = t.TempDir(), t.TempDir()
	if got := lookErrorLog(c); got.Path != "" || got.Err != "" {
		t.Errorf("no log: %+v", got)
	}
	path := write(t, filepath.Join(c.Windows.Root, "logs", "error.log"), strings.Repeat("x", 2*maxTail)+"\n"+logged)
	if got := lookErrorLog(c); got.Path != path || len(got.Errors) != 2 {
		t.Errorf("%+v", got)
	}
}

func FuzzErrorLog(f *testing.F) {
	f.Add([]byte(logged))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, e := range parseErrors(text, time.UTC) {
			if e.Upstream == "" || e.Text == "" || e.At.IsZero() || strings.ContainsAny(e.Upstream+e.Host, "\"\n") {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzSysctlFile(f *testing.F) {
	f.Add([]byte("net.ipv4.ip_forward=1\n-net/ipv4/ip_forward = 0\n# x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if v, ok := forwardIn(text); !ok && v != "" || strings.TrimSpace(v) != v {
			t.Errorf("%q, %v", v, ok)
		}
	})
}

func FuzzContainersConf(f *testing.F) {
	f.Add([]byte("[network]\nnetavark_plugin_dirs = [\"/a\", {append=true}, 3, {append=\"x\"}]\n"))
	f.Add([]byte("[network]\ncni_plugin_dirs = [\"/a\"]\nnetwork_config_dir = \"/b\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := defaults()
		s.apply("", text)
		for _, p := range []place{s.cni, s.netavark} {
			for _, dir := range append(p.pluginDirs, p.networkDir) {
				if !filepath.IsAbs(dir) {
					t.Errorf("a relative directory: %q", dir)
				}
			}
		}
	})
}

func FuzzNetworkList(f *testing.F) {
	f.Add([]byte(`{"cniVersion":"1.0.0","name":"flatnet","plugins":[{"type":"flatnet","ipam":{"sticky":true}}]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, "flatnet.conflist"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if l := lookNetworkList(dir, config.Default()); !l.Exists && len(l.Others) > 0 {
			t.Errorf("%+v", l)
		}
	})
}
