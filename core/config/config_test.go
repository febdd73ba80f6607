package config_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flatnet/core/config"
)

var byValue = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

func TestDefaultIsTheSeedsNetwork(t *testing.T) {
	c := config.Default()
	got := fmt.Sprintln(c.Network.Name, c.Network.Bridge, c.Network.Subnet, c.Network.Gateway, c.Network.RangeStart, c.Network.RangeEnd)
	want := fmt.Sprintln("flatnet", "flatnet-br0", "10.87.1.0/24", "10.87.1.1", "10.87.1.2", "10.87.1.254")
	if got != want {
		t.Errorf("network is %s, want %s", got, want)
	}
	if c.Windows.WindowsPath != `F:\flatnet` || c.Gateway.WindowsPath != "F:/flatnet/config" || c.Gateway.ConfigDir != "/mnt/f/flatnet/config" || c.Gateway.Nginx != "/mnt/f/flatnet/openresty/nginx.exe" {
		t.Errorf("Windows paths are %+v %+v", c.Windows, c.Gateway)
	}
}

func TestEmptyFileIsDefault(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "sample": config.Sample(), "tables": "[network]\n[tui]\n"} {
		c, err := config.Parse("f", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(config.Default(), c, byValue); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Every key's default, written into a file, is accepted and changes nothing.
func TestDefaultsAreRight(t *testing.T) {
	var b strings.Builder
	for _, s := range config.Sections() {
		if s.Repeated {
			continue
		}
		fmt.Fprintf(&b, "[%s]\n", s.Name)
		for _, k := range s.Keys {
			fmt.Fprintf(&b, "%s = %s\n", strings.TrimPrefix(k.Name, s.Name+"."), k.Default)
		}
	}
	c, err := config.Parse("f", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), c, byValue); diff != "" {
		t.Error(diff)
	}
}

func TestParse(t *testing.T) {
	c, err := config.Parse("f", []byte(`
[network]
subnet = "192.168.50.0/25"
mtu = 1400
masquerade = false
[ipam]
sticky = false
quarantine = "90s"
[[ipam.reservation]]
name = "db"
ip = "192.168.50.9"
[windows]
enabled = true
root = "/mnt/d/net/flat"
[log]
max_size = "1MiB"
[gateway]
listen = 8080
[[gateway.site]]
host = "forgejo.local"
containers = ["a", "b"]
port = 3000
allow = ["192.168.0.0/16", "10.0.0.1"]
headers = { X-Frame-Options = "DENY" }
read_timeout = "1h30m"
down_message = "保守中です"
[probes]
target = [{ name = "router", target = "192.168.0.1" }]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Network = config.Network{
		Name: "flatnet", Bridge: "flatnet-br0", Subnet: netip.MustParsePrefix("192.168.50.0/25"), Gateway: netip.MustParseAddr("192.168.50.1"),
		RangeStart: netip.MustParseAddr("192.168.50.2"), RangeEnd: netip.MustParseAddr("192.168.50.126"), MTU: 1400, Hairpin: true,
	}
	want.IPAM.Sticky, want.IPAM.Quarantine = false, 90*time.Second
	want.IPAM.Reservations = []config.Reservation{{Name: "db", IP: netip.MustParseAddr("192.168.50.9")}}
	want.Windows.Enabled, want.Windows.Root, want.Windows.WindowsPath = config.On, "/mnt/d/net/flat", `D:\net\flat`
	want.Log.MaxSize = 1 << 20
	want.Gateway.Listen, want.Gateway.ConfigDir = "8080", "/mnt/d/net/flat/config"
	want.Gateway.WindowsPath, want.Gateway.Nginx = "D:/net/flat/config", "/mnt/d/net/flat/openresty/nginx.exe"
	site := config.NewSite()
	site.Host, site.Containers, site.Port = "forgejo.local", []string{"a", "b"}, 3000
	site.Allow = []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("10.0.0.1/32")}
	site.Headers, site.ReadTimeout, site.DownMessage = map[string]string{"X-Frame-Options": "DENY"}, 90*time.Minute, "保守中です"
	want.Gateway.Sites = []config.Site{site}
	want.Probes.Targets = []config.ProbeTarget{{Name: "router", Kind: "icmp", Target: "192.168.0.1", Enabled: true}}
	if diff := cmp.Diff(want, c, byValue); diff != "" {
		t.Error(diff)
	}
}

func TestDerivedRange(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`subnet = "10.0.0.0/30"`, "10.0.0.1 10.0.0.2 10.0.0.2"},
		{`gateway = "10.87.1.254"`, "10.87.1.254 10.87.1.1 10.87.1.253"},
		{`gateway = "10.87.1.100"`, "10.87.1.100 10.87.1.101 10.87.1.254"},
		{`range_start = "10.87.1.100"`, "10.87.1.1 10.87.1.100 10.87.1.254"},
		{"subnet = \"10.0.0.0/8\"\nrange_end = \"10.0.1.0\"", "10.0.0.1 10.0.0.2 10.0.1.0"},
	} {
		c, err := config.Parse("f", []byte("[network]\n"+test.text))
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got := fmt.Sprint(c.Network.Gateway, c.Network.RangeStart, c.Network.RangeEnd); got != test.want {
			t.Errorf("%s gives %s, want %s", test.text, got, test.want)
		}
	}
}

func TestGatewayPathsFollowNginx(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"[gateway]\nnginx = \"/usr/sbin/nginx\"\nconfig_dir = \"/srv/gw\"", "/srv/gw"},
		{"[gateway]\nconfig_dir = \"/mnt/e/gw\"", "E:/gw"},
		{"[windows]\nroot = \"/srv/win\"\nwindows_path = 'G:\\x'", "G:/x/config"},
		{"[windows]\nroot = \"/srv/win\"", "F:/flatnet/config"},
		{"[gateway]\nwindows_path = \"H:/c\"", "H:/c"},
	} {
		c, err := config.Parse("f", []byte(test.text))
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		} else if c.Gateway.WindowsPath != test.want {
			t.Errorf("%s gives %s, want %s", test.text, c.Gateway.WindowsPath, test.want)
		}
	}
}

func TestHealthAt(t *testing.T) {
	windows := netip.MustParseAddr("172.20.0.1")
	for _, test := range []struct {
		url, listen string
		host        netip.Addr
		want        string
	}{
		{"auto", "80", windows, "http://172.20.0.1/health"},
		{"auto", "8080", netip.Addr{}, "http://127.0.0.1:8080/health"},
		{"auto", "192.168.1.5:81", windows, "http://192.168.1.5:81/health"},
		{"auto", "0.0.0.0:80", windows, "http://172.20.0.1/health"},
		{"http://gw/h", "80", windows, "http://gw/h"},
		{"off", "80", windows, ""},
	} {
		g := config.Gateway{HealthURL: test.url, Listen: test.listen}
		if got := g.HealthAt(test.host); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(config.Env, "")
	good := filepath.Join(dir, "good.toml")
	write(t, good, "[network]\nname = \"office\"\n")

	if c, err := config.Load(good); err != nil || c.Network.Name != "office" || c.Path != good {
		t.Errorf("named: %v %v", c.Network.Name, err)
	}
	t.Setenv(config.Env, good)
	if c, err := config.Load(""); err != nil || c.Network.Name != "office" {
		t.Errorf("by environment: %v %v", c.Network.Name, err)
	}
	missing := filepath.Join(dir, "missing.toml")
	t.Setenv(config.Env, missing)
	for _, path := range []string{missing, ""} {
		if _, err := config.Load(path); !errors.Is(err, config.ErrMissing) {
			t.Errorf("missing %q: %v", path, err)
		}
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, dir, "/dev/zero"} {
		if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	write(t, good, strings.Repeat("#", config.MaxFile+10))
	if _, err := config.Load(good); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("too long: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSiteSet(t *testing.T) {
	s := config.NewSite()
	for key, text := range map[string]string{
		"host": "git.local", "port": "3000", "websocket": "false", "paths": "/a, /b", "max_body": "20m",
		"read_timeout": "90s", "headers.X-One": "1", "allow": "10.0.0.0/8",
	} {
		if err := s.Set(key, text); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := s.Set("headers.X-Two", "2"); err != nil {
		t.Error(err)
	}
	want := config.Site{
		Host: "git.local", Port: 3000, Paths: []string{"/a", "/b"}, MaxBody: "20m", ConnectTimeout: 5 * time.Second, ReadTimeout: 90 * time.Second,
		Headers: map[string]string{"X-One": "1", "X-Two": "2"}, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	if diff := cmp.Diff(want, s, byValue); diff != "" {
		t.Error(diff)
	}
	for key, text := range map[string]string{
		"host": "a.local; }", "port": "0x50", "websocket": "yes", "paths": "/a b", "prot": "80", "headers": "a", "headers.X Y": "1",
		"max_body": "20m;", "redirect": "http://x/$uri", "down_message": "a\nb", "headers.X": "a\" always; deny all",
		"headers.Transfer-Encoding": "chunked",
	} {
		if err := s.Set(key, text); err == nil {
			t.Errorf("%s = %q was taken", key, text)
		}
	}
}

func TestSettings(t *testing.T) {
	c, err := config.Parse("f", []byte("[network]\nmtu = 1400\n[[gateway.site]]\nhost = \"a\"\ncontainer = \"b\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	var changed []string
	for _, s := range config.Settings(c) {
		if s.Changed {
			changed = append(changed, s.Name+"="+s.Value)
		}
	}
	want := []string{"network.mtu=1400", `gateway.site[0].host="a"`, `gateway.site[0].container="b"`}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Error(diff)
	}
}

func TestCheckValue(t *testing.T) {
	for _, test := range []struct {
		key, literal string
		ok           bool
	}{
		{"network.mtu", "1400", true},
		{"network.mtu", "14", false},
		{"network.mtu", "1400\nx = 1", false},
		{"gateway.site[3].host", `"a.local"`, true},
		{"gateway.site[].port", "0", false},
		{"gateway.sitehost", "1", false},
		{"network.mtu", "[", false},
	} {
		if err := config.CheckValue(test.key, test.literal); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// Only the usual socket's containers are the command's, too.
func TestPodmanProgram(t *testing.T) {
	for socket, want := range map[string]string{
		config.Default().Podman.Socket: "podman",
		"/run/user/1000/podman.sock":   "",
		"":                             "",
	} {
		if got := (config.Podman{Socket: socket}).Program(); got != want {
			t.Errorf("%q: %q, want %q", socket, got, want)
		}
	}
}

// TestLiteral: quotes may be left out, and what is no TOML is a text.
func TestLiteral(t *testing.T) {
	for _, test := range []struct{ key, typed, want string }{
		{"network.mtu", "1400", "1400"},
		{"dns.enabled", "true", "true"},
		{"dns.enabled", "auto", `"auto"`},
		{"dns.enabled", "maybe", `"maybe"`},
		{"log.file", `C:\x`, `'C:\x'`},
		{"log.file", `"/var/log`, `"/var/log`},
		{"probes.interval", "10s", `"10s"`},
		{"gateway.site[].paths", "[", "["},
	} {
		if got := config.Literal(test.key, test.typed); got != test.want {
			t.Errorf("%s = %s becomes %s, want %s", test.key, test.typed, got, test.want)
		}
	}
}
