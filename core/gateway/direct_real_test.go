package gateway_test

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core/config"
	"flatnet/core/gateway"
)

func TestDirectNames(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.7:80", "seven")
		serve(t, "10.87.1.8:80", "eight, with a password on its site")
		serve(t, "127.0.0.5:80", "the gateway's own machine")
		serve(t, "10.87.1.1:8080", "the bridge")
		w.run("guarded", "10.87.1.8", "host=guarded.local", "allow=192.0.2.0/24")
		w.nginx.Start(t)
		w.apply()
		if a := get(t, "10.87.1.7.flatnet.local", "/x"); a.Status != 200 || a.Body != "seven" {
			t.Errorf("got %+v\n%s", a, w.nginx.Log())
		}
		for _, host := range []string{
			"127.0.0.5", "10.87.2.7", "10.87.1.256", "10.87.1.1", "10.87.1.0", "10.87.1.255", "10.87.1.07", "10.87.1.7.8",
			"110.87.1.7", "10.87.1.", "10.87.1.7@127.0.0.5", "x.10.87.1.7", "10a87b1c7", "010.87.1.7", "10.87.1.8", "0x0a.87.1.7", "10.87.1.7%00",
		} {
			if a := get(t, host+".flatnet.local", "/"); a.Status != 404 && a.Status != 400 || strings.Contains(a.Body, "seven") {
				t.Errorf("%s.flatnet.local: got %d %q, want it refused", host, a.Status, a.Body)
			}
		}
		if a := get(t, "10.87.1.99.flatnet.local", "/"); a.Status != 503 {
			t.Errorf("where nothing answers: got %d, want 503", a.Status)
		}
	})
}

// What a site guards stays guarded while the site is set aside.
func TestDirectNamesOfGuardedSitesSetAside(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		for _, ip := range []string{"10.87.1.7", "10.87.1.8", "10.87.1.9", "10.87.1.10"} {
			serve(t, ip+":80", "secret")
		}
		w.run("typo", "10.87.1.7", "host=typo.local", "auth_file="+filepath.Join(w.nginx.Dir, "missing"))
		w.run("wrong", "10.87.1.8", "host=wrong.local", "allow=the office")
		w.run("second", "10.87.1.9", "host=typo.local", "allow=192.0.2.0/24")
		w.run("named", "10.87.1.10")
		w.sites(config.Site{Host: "named.local", Container: "named", AuthFile: filepath.Join(w.nginx.Dir, "missing")})
		w.nginx.Start(t)
		w.apply()
		for _, ip := range []string{"10.87.1.7", "10.87.1.8", "10.87.1.9", "10.87.1.10"} {
			if a := get(t, ip+".flatnet.local", "/"); a.Status != 404 {
				t.Errorf("%s: got %d %q, want it refused", ip, a.Status, a.Body)
			}
		}
	})
}

// The gateway's own pages say nothing of the application, nor may caches keep
// them.
func TestPagesHaveNoHeadersOfTheSite(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		labels := []string{"headers.Cache-Control=public, max-age=3600", "headers.X-Site=yes"}
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", append(labels, "host=web.local")...)
		w.run("down", "10.87.1.3", append(labels, "host=down.local")...)
		w.run("busy", "10.87.1.2", append(labels, "host=busy.local", "maintenance=true")...)
		w.run("away", "10.87.1.2", append(labels, "host=away.local", "redirect=http://elsewhere.example/")...)
		w.health[netip.MustParseAddrPort("10.87.1.3:80")] = gateway.Health{Down: true, Since: w.now, Reason: "refused"}
		w.nginx.Start(t)
		w.apply()
		if a := get(t, "web.local", "/"); a.Header.Get("X-Site") != "yes" || a.Header.Get("Cache-Control") != "public, max-age=3600" {
			t.Errorf("the site itself: %v", a.Header)
		}
		for host, want := range map[string]string{"down.local": "no-store", "busy.local": "no-store", "away.local": ""} {
			a := get(t, host, "/")
			if a.Header.Get("X-Site") != "" || a.Header.Get("Cache-Control") != want {
				t.Errorf("%s: %d %v, want Cache-Control %q and no X-Site", host, a.Status, a.Header, want)
			}
		}
	})
}

// The seed's /health answers by the gateway's address alone, too.
func TestHealthByAddress(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		w.nginx.Start(t)
		w.apply()
		a := get(t, "127.0.0.1", "/health")
		if a.Status != 200 || a.Body != "OK\n" || a.Header.Get("X-Flatnet-Generation") != "1" || a.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("got %+v", a)
		}
		if a := get(t, "127.0.0.1", "/"); a.Status != 404 {
			t.Errorf("another path: %d", a.Status)
		}
	})
}
