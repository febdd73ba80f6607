package gateway

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
)

func TestDirectNameMatchesTheSubnetOnly(t *testing.T) {
	for _, subnet := range []string{"10.87.1.0/24", "10.87.0.0/16", "10.87.1.128/25", "192.168.96.0/20", "172.16.0.0/12", "10.0.0.0/30"} {
		p := netip.MustParsePrefix(subnet)
		n := config.Network{Subnet: p, Gateway: p.Addr().Next()}
		closed := p.Addr().Next().Next()
		// Go has no lookahead: the exceptions are tried against nginx in
		// TestDirectNames, the addresses here.
		pattern := regexp.MustCompile("^(?:" + subnetPattern(p) + ")$")
		for a := range around(p) {
			if got := pattern.MatchString(a.String()); got != p.Contains(a) {
				t.Errorf("%s: %s matches %v", subnet, a, got)
			}
		}
		name := directName(n, []netip.Addr{closed})
		for _, a := range append(edges(p), n.Gateway, closed) {
			if !strings.Contains(name, strings.ReplaceAll(a.String(), ".", `\.`)) {
				t.Errorf("%s: %s is not excepted in %s", subnet, a, name)
			}
		}
	}
}

// around gives addresses within and next to a network.
func around(p netip.Prefix) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	e := edges(p)
	for _, start := range []netip.Addr{e[0], e[1]} {
		up, down := start, start
		for range 600 {
			all[up], all[down] = true, true
			up, down = up.Next(), down.Prev()
			if !up.IsValid() || !down.IsValid() {
				break
			}
		}
	}
	b := e[0].As4()
	for i := range b {
		for _, v := range []byte{0, 1, 9, 10, 99, 100, 199, 200, 249, 250, 255} {
			c := b
			c[i] = v
			all[netip.AddrFrom4(c)] = true
		}
	}
	return all
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"plain": `"plain"`, `a"b`: `"a\"b"`, `a\b`: `"a\\b"`, "a;b}c{d#e'f": `"a;b}c{d#e'f"`, "a\nb": `"a\nb"`,
		`~^a\.b$`: `"~^a\\.b$"`,
	} {
		if got, err := quote(in); got != want || err != nil {
			t.Errorf("quote(%q) = %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"$host", "a$", "~^a$b$", "a\x00b", "a\rb", "\x7f", "~^${x}$"} {
		if got, err := quote(in); err == nil {
			t.Errorf("quote(%q) = %s, want it refused", in, got)
		}
	}
}

func TestLimitAndSize(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1ms", time.Microsecond: "1ms", 1500 * time.Millisecond: "1500ms", time.Hour: "3600s"} {
		if got := limit(d); got != want {
			t.Errorf("limit(%s) = %s, want %s", d, got, want)
		}
	}
	for s, want := range map[string]int64{"0": 0, "1": 1, "8k": 8 << 10, "8K": 8 << 10, "20m": 20 << 20, "1G": 1 << 30} {
		if got := bytesOf(s); got != want {
			t.Errorf("bytesOf(%s) = %d, want %d", s, got, want)
		}
	}
}

var windows = layout{local: "/mnt/f/flatnet/config", nginx: "F:/flatnet/config"}

func TestPathsOfWSLAndWindows(t *testing.T) {
	if got := windows.seen("/mnt/f/flatnet/config/conf.d/flatnet.conf"); got != "F:/flatnet/config/conf.d/flatnet.conf" {
		t.Errorf("seen: %s", got)
	}
	if got, ok := windows.reach("F:/flatnet/config/tls/a.crt"); got != "/mnt/f/flatnet/config/tls/a.crt" || !ok {
		t.Errorf("reach within: %s, %v", got, ok)
	}
	if got, ok := windows.reach("Q:/other/a.crt"); got != "/mnt/q/other/a.crt" || ok {
		t.Errorf("reach of a drive that is not there: %s, %v", got, ok)
	}
	if _, ok := windows.reach("/etc/ssl/a.crt"); ok {
		t.Error("a path of Linux is said to be reachable by nginx on Windows")
	}
}

const existing = `# The gateway of phase 1.
worker_processes 1;
events { worker_connections 1024; }
http {
    include mime.types; # the brace in this comment } means nothing
    server {
        listen 80;
        server_name localhost;
        location /lua {
            content_by_lua_block {
                -- } include F:/flatnet/config/conf.d/*.conf;
                ngx.say("}")
            }
        }
        location / { return 200 "}"; }
    }
}
`

func TestIncludeIsAddedAtTheEndOfHTTP(t *testing.T) {
	got, err := windows.withInclude([]byte(existing))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSuffix(existing, "}\n") + "\n    # Flatnet\n    include F:/flatnet/config/conf.d/*.conf;\n}\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := windows.withInclude(got)
	if err != nil || string(again) != string(got) {
		t.Errorf("a second time (%v):\n%s", err, again)
	}
}

func TestIncludeIsFoundInEveryForm(t *testing.T) {
	for _, form := range []string{
		"include F:/flatnet/config/conf.d/*.conf;", `include "F:/flatnet/config/conf.d/*.conf";`, "include 'f:/Flatnet/config/conf.d/*.conf' ;",
		"include conf.d/*.conf;", "include conf.d/flatnet.conf;", "include conf.d/f*;",
	} {
		text := "events {}\nhttp {\n    " + form + "\n}\n"
		if got, err := windows.withInclude([]byte(text)); err != nil || string(got) != text {
			t.Errorf("%s: not found (%v)", form, err)
		}
		got, _, err := windows.redirected([]byte(text), "F:/flatnet/config/flatnet/test.conf")
		if err != nil || !strings.Contains(string(got), `include "F:/flatnet/config/flatnet/test.conf"`) || strings.Contains(string(got), "conf.d") {
			t.Errorf("%s: redirected (%v):\n%s", form, err, got)
		}
	}
}

func TestNoPlaceForTheInclude(t *testing.T) {
	for _, text := range []string{"events {}\n", "http {\n", "http {\n}}\n}", "http { \"", "http { content_by_lua_block { }", "stream { http {} }"} {
		if got, err := windows.withInclude([]byte(text)); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func FuzzMain(f *testing.F) {
	f.Add(existing)
	f.Add("http {\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := windows.withInclude([]byte(text))
		if err != nil || string(got) == text {
			return
		}
		again, err := windows.withInclude(got)
		if err != nil || string(again) != string(got) {
			t.Errorf("what was added to %q is not found again (%v): %q", text, err, again)
		}
	})
}

func TestEscape(t *testing.T) {
	p := page(words{Title: `<b>"$x" \ @since@`, Message: "日本語 'a' &amp;", Since: "now"})
	if strings.ContainsAny(p, "\"$\\\n") || strings.Contains(p, "<b>") || strings.Contains(p, "@since@") || !strings.Contains(p, "日本語") {
		t.Errorf("%s", p)
	}
	if len(page(downWords(Site{Site: config.Site{Host: strings.Repeat("a", 253), DownMessage: strings.Repeat("&", 500)}}, sinceText(time.Now())))) > 4000 {
		t.Error("a page can be longer than nginx takes in one parameter (4096 bytes)")
	}
}

func TestComplaint(t *testing.T) {
	for said, want := range map[string]string{
		"nginx: [warn] x\nnginx: [emerg] unknown directive \"a\" in f:3\nnginx: configuration file f test failed\n": `unknown directive "a" in f:3`,
		"2026/11/23 21:15:43 [emerg] 25692#25692: host not found":                                                   "host not found",
		"boom": "boom",
	} {
		if got := complaint([]byte(said)); got != want {
			t.Errorf("complaint(%q) = %q, want %q", said, got, want)
		}
	}
	for said, want := range map[string]bool{
		`nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)`:                   true,
		`nginx: [error] invalid PID number "" in "/run/nginx.pid"`:                                       true,
		`nginx: [alert] kill(4242, 1) failed (3: No such process)`:                                       true,
		`nginx: [error] OpenEvent("Global\ngx_reload_4242") failed (2: The system cannot find the file)`: true,
		`nginx: [error] OpenEvent("Global\ngx_reload_4242") failed (5: Access is denied)`:                false,
		`nginx: [alert] kill(4242, 1) failed (1: Operation not permitted)`:                               false,
	} {
		if got := noProcess.MatchString(said); got != want {
			t.Errorf("%s: not running %v, want %v", said, got, want)
		}
	}
}

// What is shown to be typed can be typed, also where a folder has a space.
func TestCommandsOfPathsWithSpaces(t *testing.T) {
	c := config.Default().Gateway
	c.Nginx, c.ConfigDir, c.WindowsPath = "/mnt/c/Program Files/nginx/nginx.exe", "/mnt/f/config", "F:/config"
	want := `'/mnt/c/Program Files/nginx/nginx.exe' -c F:/config/nginx.conf`
	if got := New(Options{Config: c}).Commands(); got != want+" -t && "+want+" -s reload" {
		t.Errorf("got %s", got)
	}
}
