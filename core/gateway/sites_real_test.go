package gateway_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
)

func TestProxyHeadersOfTheSeed(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		a := get(t, "web.local", "/", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.9") })
		want := map[string]string{"X-Seen-Host": "web.local", "X-Seen-For": "192.0.2.9, 127.0.0.1", "X-Seen-Proto": "http"}
		for name, v := range want {
			if got := a.Header.Get(name); got != v {
				t.Errorf("%s: the container saw %q, want %q", name, got, v)
			}
		}
	})
}

// echo upgrades every connection and sends back what it gets.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
		http.Error(w, "no upgrade", http.StatusUpgradeRequired)
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_, _ = io.Copy(c, rw)
}

// upgrade asks for a WebSocket and gives the connection and the status line.
func upgrade(t *testing.T, host string) (net.Conn, *bufio.Reader, string) {
	t.Helper()
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET /live HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", host)
	r := bufio.NewReader(c)
	status, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return c, r, strings.TrimSpace(status)
}

func TestWebSocket(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serveHandler(t, "10.87.1.2:80", http.HandlerFunc(echo))
		w.run("live", "10.87.1.2", "host=live.local")
		w.run("plain", "10.87.1.2", "host=plain.local", "websocket=false")
		w.nginx.Start(t)
		w.apply()

		c, r, status := upgrade(t, "live.local")
		if !strings.Contains(status, "101") {
			t.Fatalf("got %q\n%s", status, w.nginx.Log())
		}
		fmt.Fprint(c, "ping one\n")
		if got, err := r.ReadString('\n'); got != "ping one\n" {
			t.Fatalf("echo gave %q, %v", got, err)
		}
		if _, _, status := upgrade(t, "plain.local"); !strings.Contains(status, "426") {
			t.Errorf("without websocket got %q", status)
		}

		// A change elsewhere leaves the connection alone.
		serve(t, "10.87.1.3:80", "other")
		w.run("other", "10.87.1.3", "host=other.local")
		w.apply()
		fmt.Fprint(c, "ping two\n")
		if got, err := r.ReadString('\n'); got != "ping two\n" {
			t.Errorf("after a regeneration echo gave %q, %v", got, err)
		}
	})
}

func TestUploadOf200MB(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serveHandler(t, "10.87.1.2:3000", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := crc32.NewIEEE()
			n, err := io.Copy(h, r.Body)
			fmt.Fprintf(w, "%d %x %v", n, h.Sum32(), err)
		}))
		w.run("forgejo", "10.87.1.2", "host=forgejo.local", "port=3000")
		w.nginx.Start(t)
		w.apply()
		for size, chunked := range map[int64]bool{200 << 20: false, 20 << 20: true} {
			h := crc32.NewIEEE()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/push", io.TeeReader(io.LimitReader(&pattern{}, size), h))
			if err != nil {
				t.Fatal(err)
			}
			if req.Host = "forgejo.local"; !chunked {
				req.ContentLength = size
			}
			a := do(t, req)
			if want := fmt.Sprintf("%d %x <nil>", size, h.Sum32()); a.Body != want {
				t.Errorf("chunked %v: got %d %q, want %q\n%s", chunked, a.Status, a.Body, want, w.nginx.Log())
			}
		}
	})
}

// pattern is endless data in which no two blocks are alike.
type pattern struct {
	block [4096]byte
	n     uint64
}

func (p *pattern) Read(b []byte) (int, error) {
	p.n++
	binary.BigEndian.PutUint64(p.block[:], p.n)
	return copy(b, p.block[:]), nil
}

func TestBodyLimit(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serveHandler(t, "10.87.1.2:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%d %v %s", n, err, r.RequestURI)
		}))
		w.run("small", "10.87.1.2", "host=small.local", "max_body=1m", "headers.X-Site=small")
		w.nginx.Start(t)
		w.apply()
		post := func(size int64, chunked bool) answer {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/a%2Fb", io.LimitReader(&pattern{}, size))
			if err != nil {
				t.Fatal(err)
			}
			if req.Host = "small.local"; !chunked {
				req.ContentLength = size
			}
			return do(t, req)
		}
		for _, chunked := range []bool{false, true} {
			if a := post(1<<20, chunked); a.Status != 200 || a.Body != "1048576 <nil> /a%2Fb" || a.Header.Get("X-Site") != "small" {
				t.Errorf("1 MiB, chunked %v: %+v", chunked, a)
			}
			if a := post(1<<20+1, chunked); a.Status != 413 {
				t.Errorf("a byte more, chunked %v: %d %q, want 413", chunked, a.Status, a.Body)
			}
		}
	})
}

func TestHeadersRedirectAllow(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serveHandler(t, "10.87.1.2:80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Frame-Options", "SAMEORIGIN")
			fmt.Fprint(w, "web")
		}))
		w.run("a", "10.87.1.2", "host=a.local", "headers.X-Frame-Options=DENY", "headers.X-Extra=one; two=3")
		w.run("b", "10.87.1.2", "host=b.local", "redirect=https://a.example/path?q=1")
		w.run("c", "10.87.1.2", "host=c.local", "allow=127.0.0.0/30, 2001:db8::/32")
		w.run("d", "10.87.1.2", "host=d.local", "allow=127.0.0.2, 10.0.0.0/9")
		w.nginx.Start(t)
		w.apply()
		if a := get(t, "a.local", "/"); len(a.Header.Values("X-Frame-Options")) != 1 || a.Header.Get("X-Frame-Options") != "DENY" || a.Header.Get("X-Extra") != "one; two=3" {
			t.Errorf("headers: %v", a.Header)
		}
		if a := get(t, "b.local", "/deep"); a.Status != 301 || a.Header.Get("Location") != "https://a.example/path?q=1" {
			t.Errorf("redirect: %d %s", a.Status, a.Header.Get("Location"))
		}
		if a := get(t, "c.local", "/"); a.Status != 200 {
			t.Errorf("an allowed client got %d", a.Status)
		}
		if a := get(t, "d.local", "/"); a.Status != 403 {
			t.Errorf("another client got %d, want 403", a.Status)
		}
	})
}

func TestBasicAuth(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "secret")
		users := filepath.Join(w.nginx.Dir, "users")
		if err := os.WriteFile(users, []byte("kh:{PLAIN}himitsu\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		w.run("a", "10.87.1.2", "host=a.local", "auth_file="+users)
		w.run("b", "10.87.1.2", "host=b.local", "auth_file="+filepath.Join(w.nginx.Dir, "none"))
		w.run("c", "10.87.1.2", "host=c.local", "auth_file=/etc/passwd")
		w.run("open", "10.87.1.2", "host=open.local")
		w.nginx.Start(t)
		w.apply()
		if a := get(t, "a.local", "/"); a.Status != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "a.local") {
			t.Errorf("without a password: %d %v\n%s", a.Status, a.Header, w.nginx.Log())
		}
		if a := get(t, "a.local", "/", func(r *http.Request) { r.SetBasicAuth("kh", "himitsu") }); a.Body != "secret" {
			t.Errorf("with the password: %d", a.Status)
		}
		if a := get(t, "open.local", "/"); a.Status != 200 {
			t.Errorf("another site on the same container: %d", a.Status)
		}
		s := w.look()
		if len(s.SetAside) != 2 || s.SetAside[0].Host != "b.local" || s.SetAside[1].Host != "c.local" {
			t.Errorf("set aside: %+v, want b.local and c.local", s.SetAside)
		}
	})
}

func (w *world) look() gateway.Status {
	w.t.Helper()
	s, err := w.gateway().Look(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestPaths(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "whole")
		serve(t, "10.87.1.3:80", "api")
		serve(t, "10.87.1.4:80", "part")
		w.run("whole", "10.87.1.2")
		w.run("api", "10.87.1.3")
		w.run("part", "10.87.1.4", "host=part.local", "paths=/git,/GIT,/x/")
		w.sites(
			config.Site{Host: "app.local", Container: "whole"},
			config.Site{Host: "app.local", Container: "api", Paths: []string{"/api/", "/v2"}},
		)
		w.nginx.Start(t)
		w.apply()
		for path, want := range map[string]string{"/": "whole", "/api/x": "api", "/apx": "whole", "/v2": "api", "/v2/y": "api"} {
			if a := get(t, "app.local", path); a.Body != want {
				t.Errorf("app.local%s: got %d %q, want %q", path, a.Status, a.Body, want)
			}
		}
		if s := w.look(); len(s.SetAside) > 0 {
			t.Errorf("set aside: %+v", s.SetAside)
		}
		for path, want := range map[string]int{"/git": 200, "/git/x": 200, "/": 404, "/other": 404, "/x/1": 200, "/y": 404} {
			if a := get(t, "part.local", path); a.Status != want {
				t.Errorf("part.local%s: got %d, want %d", path, a.Status, want)
			}
		}
	})
}

// sites sets the [[gateway.site]] tables, with defaults for what is not said.
func (w *world) sites(all ...config.Site) {
	for i, s := range all {
		d := config.NewSite()
		d.Host, d.Container, d.Containers, d.Address, d.Paths = s.Host, s.Container, s.Containers, s.Address, s.Paths
		d.Maintenance, d.DownMessage, d.AuthFile = s.Maintenance, s.DownMessage, s.AuthFile
		if s.Port != 0 {
			d.Port = s.Port
		}
		all[i] = d
	}
	w.config.Gateway.Sites = all
}
