package gateway_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/podman"
	"flatnet/testdata/nettest"
	"flatnet/testdata/nginx"
)

// injections are values that would mean something to nginx, to Lua, to HTML,
// or to the reader of a path, tried in every label.
var injections = []string{
	";", "}", "{", "\n", "\r\n", "$", "\"", "'", "\\", "#", "\x00", "\x1b[2J", "`id`", "\u202e", "\ufeff", "\xff\xfe",
	"a.local; return 200 pwned;", "a.local;\n}\nserver {\n listen 81;\n}\n", "a.local {", "a.local }", "a.local # comment",
	"a.local\nproxy_pass http://8.8.8.8;", "a.local b.local", "a.local,b.local", "*.local", ".local", "~.", "~^.*$", "_", "\"\"", "''",
	"$host", "${host}", "$http_x", "a$document_root", "a.local\x00.evil", "a.local\t", " a.local", "a.local.", "..", "-a.local", "a..local",
	"localhost", "_health", "LOCALHOST", "10.87.1.9.flatnet.local", "10.87.1.2", "::1", "[::1]", "127.0.0.1:8080",
	"0", "-1", "65536", "99999999999999999999", "80;", "80 }", "0x50", "80/tcp", "1e3",
	"/etc/passwd", "../../etc/passwd", "/etc/nginx/../passwd", "F:/flatnet/config/../secret", "unix:/run/podman/podman.sock",
	"http://8.8.8.8/;", "http://a/$arg_x", "http://a/\r\nSet-Cookie: x=y", "javascript:alert(1)", "http://user:pass@a/", "https://",
	"0;", "20m;", "20mm", "-5m", "999999999999999999999g", "on; lua_code_cache off", "true;", "TRUE",
	"]] os.execute('id') --", "') os.execute('id') --", "%27)os.exit()", "@title@", "</h1><script>alert(1)</script>", "{{.}}", "%s%n", "$(id)",
	strings.Repeat("a", 70) + ".local", strings.Repeat("a.", 200) + "local", strings.Repeat("x", 5000), "/" + strings.Repeat("x", 4095),
	"http://a/" + strings.Repeat("x", 4087), "F:/flatnet/config/" + strings.Repeat("x", 4000), manyPaths(256), "日本.local", "ａ.local",
}

// manyPaths is a list of n different paths.
func manyPaths(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("/p%d", i)
	}
	return strings.Join(all, ",")
}

// labelKeys are the labels of a site, and ones that must not be settable.
var labelKeys = []string{
	"host", "port", "paths", "websocket", "max_body", "connect_timeout", "read_timeout", "headers.X-Test", "allow",
	"auth_file", "redirect", "tls_cert", "tls_key", "maintenance", "down_message", "container", "containers", "address", "headers", "nonsense",
}

// structure is what a configuration is made of, without the values that a
// site may choose: its directives, nested.
func structure(t testing.TB, conf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flatnet.conf")
	if err := os.WriteFile(file, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	lua := &crossplane.Lua{}
	parsed, err := crossplane.Parse(file, &crossplane.ParseOptions{
		SkipDirectiveContextCheck: true, SingleFile: true, ErrorOnUnknownDirectives: false, StopParsingOnError: true,
		LexOptions: crossplane.LexOptions{Lexers: []crossplane.RegisterLexer{lua.RegisterLexer()}},
	})
	if err != nil || len(parsed.Errors) > 0 {
		t.Fatalf("it does not parse: %v %v\n%s", err, parsed.Errors, conf)
	}
	var b strings.Builder
	for _, c := range parsed.Config {
		describe(&b, c.Parsed, 0)
	}
	return b.String()
}

func describe(b *strings.Builder, all crossplane.Directives, depth int) {
	for _, d := range all {
		if d.Directive == "#" {
			continue
		}
		fmt.Fprintf(b, "%*s%s/%d\n", depth*2, "", d.Directive, len(d.Args))
		describe(b, d.Block, depth+1)
	}
}

// victim is a site that was there first.
func victim(now time.Time) podman.Container {
	return podman.Container{
		ID: "victim", Name: "victim", State: "running", CreatedAt: now.Add(-time.Hour),
		Labels:   map[string]string{"flatnet.host": "victim.local", "flatnet.port": "3000"},
		Networks: map[string]podman.Attachment{"flatnet": attachment("10.87.1.2")},
	}
}

// resolved gives the sites of the victim and one container with these labels.
func resolved(labels map[string]string, mode string) (gateway.Input, []gateway.Site, []gateway.SetAside) {
	c := config.Default()
	c.Gateway.Mode = mode
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	in := gateway.Input{Config: c.Gateway, Network: c.Network, Now: now, Containers: []podman.Container{victim(now), {
		ID: "evil", Name: "evil", State: "running", CreatedAt: now, Labels: labels,
		Networks: map[string]podman.Attachment{"flatnet": attachment("10.87.1.3")},
	}}}
	sites, aside := gateway.Resolve(in)
	return in, sites, aside
}

// harmless checks what must hold whatever the labels are, and gives the
// rendered configuration.
func harmless(t testing.TB, labels map[string]string, mode string) []byte {
	t.Helper()
	in, sites, _ := resolved(labels, mode)
	seen := map[string]bool{}
	for _, s := range sites {
		seen[s.Host] = true
		if s.Host == "victim.local" && (s.Source.ID != "victim" || len(s.Servers) != 1 || s.Servers[0].Address.String() != "10.87.1.2:3000") {
			t.Errorf("labels %q changed the victim's site: %+v", labels, s)
		}
		for _, srv := range s.Servers {
			if s.Source.ID == "evil" && srv.Address.Addr() != netip.MustParseAddr("10.87.1.3") {
				t.Errorf("labels %q lead to %s", labels, srv.Address)
			}
		}
	}
	if !seen["victim.local"] {
		t.Errorf("labels %q took the victim's site away", labels)
	}
	f, err := gateway.Render(in.Config, in.Network, gateway.Generation{Number: 1, Sites: sites})
	if err != nil {
		t.Fatalf("labels %q: %v", labels, err)
	}
	return f.Conf()
}

// shapeOf is the structure that sites of these options have with harmless
// values in all places.
func shapeOf(t testing.TB, labels map[string]string, mode string) string {
	t.Helper()
	in, sites, _ := resolved(labels, mode)
	for i := range sites {
		s := &sites[i]
		if s.Source.ID != "evil" {
			continue
		}
		s.Host = "evil.local"
		for j := range s.Paths {
			s.Paths[j] = fmt.Sprintf("/path%d", j)
		}
		if s.Redirect != "" {
			s.Redirect = "http://example.local/"
		}
		if s.MaxBody != "0" {
			s.MaxBody = "7m"
		}
		for name := range s.Headers {
			s.Headers[name] = "value"
		}
		for _, file := range []*string{&s.AuthFile, &s.TLSCert, &s.TLSKey} {
			if *file != "" {
				*file = "F:/flatnet/config/file"
			}
		}
		s.DownMessage = ""
	}
	f, err := gateway.Render(in.Config, in.Network, gateway.Generation{Number: 1, Sites: sites})
	if err != nil {
		t.Fatal(err)
	}
	return structure(t, f.Conf())
}

func TestHostileLabels(t *testing.T) {
	w := newWorld(t, "static")
	cases, aside := 0, map[string][][]byte{}
	for _, mode := range []string{"static", "lua"} {
		for _, key := range labelKeys {
			for _, value := range injections {
				labels := map[string]string{"flatnet.host": "evil.local", "flatnet." + key: value}
				conf := harmless(t, labels, mode)
				cases++
				if _, sites, _ := resolved(labels, mode); len(sites) == 1 {
					aside[mode] = append(aside[mode], conf)
					continue
				}
				if got, want := structure(t, conf), shapeOf(t, labels, mode); got != want {
					t.Errorf("%s: label %s = %q changes the structure:\n%s\nwant\n%s", mode, key, value, got, want)
				}
			}
		}
	}
	for mode, all := range aside {
		for _, conf := range all { // the victim alone is left
			if string(conf) != string(all[0]) {
				t.Fatalf("%s: a site that is set aside left something behind:\n%s", mode, conf)
			}
		}
	}
	t.Logf("%d values in %d labels and 2 modes: %d cases, set aside %d", len(injections), len(labelKeys), cases, len(aside["static"])+len(aside["lua"]))

	// All of them at once, each from its own container, through nginx itself.
	serve(t, "10.87.1.2:80", "good")
	w.run("good", "10.87.1.2", "host=good.local")
	for _, key := range labelKeys {
		for i, value := range injections {
			w.run("evil", "10.87.1.3", fmt.Sprintf("host=e%d.%s.local", i, strings.ToLower(key)), key+"="+value)
		}
	}
	w.nginx.Start(t)
	for _, mode := range []string{"static", "lua"} {
		w.config.Gateway.Mode = mode
		if out := w.apply(); !out.Confirmed {
			t.Errorf("%s: %+v", mode, out)
		}
		if a := get(t, "good.local", "/"); a.Body != "good" {
			t.Errorf("%s: the good site got %d", mode, a.Status)
		}
	}
	t.Logf("set aside %d of %d", len(w.look().SetAside), len(w.containers))
}

// One container's labels against another's host, in every way of ownership.
func TestOwners(t *testing.T) {
	in, _, _ := resolved(map[string]string{"flatnet.host": "VICTIM.local"}, "static")
	sites, aside := gateway.Resolve(in)
	if len(sites) != 1 || sites[0].Source.ID != "victim" || len(aside) != 1 || !strings.Contains(aside[0].Reason.String(), "belongs to container victim, which is older") {
		t.Errorf("by age: %+v, aside %+v", sites, aside)
	}

	in.Containers[0].State = "exited"
	if sites, _ := gateway.Resolve(in); len(sites) != 1 || sites[0].Source.ID != "victim" {
		t.Errorf("a stopped owner lost its host: %+v", sites)
	}

	s := config.NewSite()
	s.Host, s.Container, s.Port = "victim.local", "evil", 80
	in.Config.Sites = []config.Site{s}
	sites, aside = gateway.Resolve(in)
	if len(sites) != 1 || sites[0].Source.ID != "" || len(aside) != 2 {
		t.Errorf("the configuration wins: %+v, aside %+v", sites, aside)
	}

	in.Config.Sites = nil
	in.Previous, _ = gateway.Resolve(in)
	in.Containers = in.Containers[1:]
	if sites, _ := gateway.Resolve(in); len(sites) != 1 || sites[0].Source.ID != "evil" {
		t.Errorf("once the owner is removed the host is free: %+v", sites)
	}
}

func FuzzLabels(f *testing.F) {
	for _, key := range labelKeys {
		for _, value := range []string{"a.local; }", "80", "/x\n", "$host"} {
			f.Add(key, value, "down_message", "sorry")
		}
	}
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 string) {
		labels := map[string]string{"flatnet.host": "evil.local", "flatnet." + key1: value1, "flatnet." + key2: value2}
		for _, mode := range []string{"static", "lua"} {
			conf := harmless(t, labels, mode)
			if got, want := structure(t, conf), shapeOf(t, labels, mode); got != want {
				t.Errorf("%s: labels %q change the structure:\n%s\nwant\n%s", mode, labels, got, want)
			}
			if mode == "static" {
				nginxTakes(t, conf)
			}
		}
	})
}

// nginxTakes runs nginx -t on a rendered configuration whose files are there.
func nginxTakes(t *testing.T, conf []byte) {
	t.Helper()
	if !strings.Contains(string(conf), "evil") || strings.Contains(string(conf), "ssl_certificate") {
		return // set aside, or names certificates that are not there
	}
	nettest.Need(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flatnet.conf"), conf, 0o600); err != nil {
		t.Fatal(err)
	}
	main := strings.Replace(nginx.Main(dir, 1), "access_log", "include "+dir+"/flatnet.conf;\naccess_log", 1)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), nginx.Program, "-t", "-c", filepath.Join(dir, "nginx.conf")).CombinedOutput(); err != nil {
		t.Errorf("nginx refuses it: %s\n%s", said, conf)
	}
}

// However much a site asks for, all that a subnet has can be read back.
func TestOneSiteTakesLittleRoom(t *testing.T) {
	const most = 32 << 20 / 254
	var clients []string
	for i := range 64 {
		clients = append(clients, fmt.Sprintf("2001:db8:ffff:ffff:ffff:ffff:%d:0/112", i))
	}
	for _, paths := range []int{1, 4, 20, 64} {
		labels := map[string]string{"flatnet.host": "evil.local", "flatnet.paths": manyPaths(paths), "flatnet.allow": strings.Join(clients, ",")}
		for i := range 50 {
			labels[fmt.Sprintf("flatnet.headers.X-%s-%d", strings.Repeat("x", 90), i)] = strings.Repeat("y", 400)
		}
		without := len(harmless(t, nil, "static"))
		if size := len(harmless(t, labels, "static")) - without; size > most {
			t.Errorf("%d paths: %d bytes, want at most %d", paths, size, most)
		}
	}
}
