package gateway_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
)

func TestDownPageAndComingBack(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		stop := serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local", "down_message=ただいま停止中です $ & ")
		w.run("web2", "10.87.1.2", "host=web2.local")
		w.nginx.Start(t)
		w.apply()
		if a := get(t, "web2.local", "/"); a.Status != 200 {
			t.Fatalf("before: %d", a.Status)
		}

		// Nobody has noticed yet: the page all the same.
		stop()
		a := get(t, "web2.local", "/")
		if a.Status != 503 || !strings.Contains(a.Body, "web2.local is down") || a.Header.Get("Retry-After") == "" {
			t.Errorf("unnoticed: %d %q", a.Status, a.Body)
		}

		// Noticed: with the time.
		w.health[netip.MustParseAddrPort("10.87.1.2:80")] = gateway.Health{Down: true, Since: w.now, Reason: "connection refused"}
		w.apply()
		eventually(t, "a page that says since when", func() bool {
			a = get(t, "web2.local", "/")
			return a.Status == 503 && strings.Contains(a.Body, "Since <time datetime='")
		})

		// It comes back: in lua mode by itself, in static mode with the next look.
		serve(t, "10.87.1.2:80", "web again")
		delete(w.health, netip.MustParseAddrPort("10.87.1.2:80"))
		if w.config.Gateway.Mode == "static" {
			w.apply()
		}
		eventually(t, "the site is back", func() bool { return get(t, "web2.local", "/").Body == "web again" })
	})
}

func TestContainerGone(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local", "down_message=Ask Kenji, extension 12")
		w.nginx.Start(t)
		w.apply()
		w.remove("web")
		w.apply()
		a := get(t, "web.local", "/")
		if a.Status != 503 || !strings.Contains(a.Body, "Since <time datetime='2026-11-23T12:00:00Z'") || !strings.Contains(a.Body, "Ask Kenji, extension 12") {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
		w.now = w.now.Add(25 * time.Hour)
		w.apply()
		if a := get(t, "web.local", "/"); a.Status != 404 {
			t.Errorf("a day later got %d, want 404", a.Status)
		}
	})
}

func TestSeveralServersLeaveTheBadOneOut(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		stop := serve(t, "10.87.1.2:80", "one")
		serve(t, "10.87.1.3:80", "two")
		w.run("one", "10.87.1.2")
		w.run("two", "10.87.1.3")
		w.sites(config.Site{Host: "pair.local", Containers: []string{"one", "two"}})
		w.nginx.Start(t)
		w.apply()
		seen := map[string]int{}
		for range 20 {
			seen[get(t, "pair.local", "/").Body]++
		}
		if seen["one"] == 0 || seen["two"] == 0 {
			t.Errorf("answers: %v, want both", seen)
		}
		stop()
		for range 30 {
			if a := get(t, "pair.local", "/"); a.Body != "two" {
				t.Fatalf("with one gone got %d %q", a.Status, a.Body)
			}
		}
	})
}

func TestMaintenance(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		if err := w.gateway().SetMaintenance(t.Context(), "web.local", true); err != nil {
			t.Fatal(err)
		}
		w.apply()
		eventually(t, "the maintenance page", func() bool {
			a := get(t, "web.local", "/")
			return a.Status == 503 && strings.Contains(a.Body, "is being worked on")
		})
		file := filepath.Join(w.nginx.Dir, "flatnet", "maintenance.json")
		good := read(t, file)
		if err := os.WriteFile(file, []byte("["), 0o644); err != nil {
			t.Fatal(err)
		}
		w.apply()
		if s := w.look(); s.Unknown == "" || !s.Sites[0].Maintenance || s.Pending {
			t.Errorf("with a file that cannot be read: %+v", s)
		}
		if err := os.WriteFile(file, []byte(good), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := w.gateway().SetMaintenance(t.Context(), "web.local", false); err != nil {
			t.Fatal(err)
		}
		w.apply()
		eventually(t, "the site again", func() bool { return get(t, "web.local", "/").Body == "web" })
	})
}

func TestLongHostName(t *testing.T) {
	host := strings.Repeat("a-rather-long-name.", 8) + "local"
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host="+strings.ToUpper(host))
		w.nginx.Start(t)
		w.apply()
		if a := get(t, host, "/"); a.Body != "web" {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
	})
}

// Lua mode needs no reload for addresses: the workers stay.
func TestLuaModeDoesNotReload(t *testing.T) {
	w := newWorld(t, "lua")
	serve(t, "10.87.1.2:80", "old")
	serve(t, "10.87.1.3:80", "new")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(t)
	w.apply()
	eventually(t, "the first workers are gone", func() bool { return len(w.nginx.Workers(t)) == 2 })
	before := w.nginx.Workers(t)
	w.containers[0].Networks["flatnet"] = attachment("10.87.1.3")
	w.run("more", "10.87.1.2", "host=more.local")
	if out := w.apply(); out.Reloaded || !out.Confirmed {
		t.Errorf("outcome %+v, want no reload, and confirmed", out)
	}
	for range 10 {
		if a := get(t, "web.local", "/"); a.Body != "new" {
			t.Errorf("got %d %q, want the new address", a.Status, a.Body)
		}
	}
	if after := w.nginx.Workers(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("workers %v became %v", before, after)
	}
	if bytes.Contains([]byte(w.nginx.Log()), []byte("[error]")) {
		t.Errorf("log:\n%s", w.nginx.Log())
	}
}
