package gateway_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// clock lets a test set nginx's clock back: Lua asks for the time only by
// these.
const clock = `http {
    init_by_lua_block {
        local now, time = ngx.now, ngx.time
        local function ahead()
            local file = io.open("%", "r")
            if not file then return 0 end
            file:close()
            return -3600
        end
        ngx.now = function() return now() + ahead() end
        ngx.time = function() return time() + ahead() end
    }
`

// WSL's clock is set back when the machine wakes up: the table is read on, and
// a server that comes back is noticed.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, "lua")
	back := filepath.Join(t.TempDir(), "an-hour")
	conf := filepath.Join(w.nginx.Dir, "nginx.conf")
	changed := strings.Replace(read(t, conf), "http {\n", strings.Replace(clock, "%", back, 1), 1)
	if err := os.WriteFile(conf, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, "10.87.1.2:80", "web")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(t)
	w.apply()
	stop()
	eventually(t, "the page says since when", func() bool { return strings.Contains(get(t, "web.local", "/").Body, "Since <time") })
	if strings.Contains(w.nginx.Log(), "ngx.timer") {
		t.Errorf("the probes of what is down fill nginx's log:\n%s", w.nginx.Log())
	}
	if err := os.WriteFile(back, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	serve(t, "10.87.1.2:80", "web")
	eventually(t, "it is back", func() bool { return get(t, "web.local", "/").Body == "web" })
	w.run("more", "10.87.1.2", "host=more.local")
	if out := w.apply(); !out.Confirmed || get(t, "more.local", "/").Body != "web" {
		t.Errorf("a new site after the clock was set back: %+v", out)
	}
}

// Lua mode's other files are looked after like flatnet.conf.
func TestEditedFilesOfLuaMode(t *testing.T) {
	w := newWorld(t, "lua")
	serve(t, "10.87.1.2:80", "web")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(t)
	w.apply()
	place := func(name string) string {
		found, err := filepath.Glob(filepath.Join(w.nginx.Dir, "flatnet", "lua", "*", name))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		return found[0]
	}
	for _, name := range []string{"flatnet.lua", "routes.json"} {
		file := place(name)
		good := read(t, file)
		if err := os.WriteFile(file, []byte(good+" "), 0o644); err != nil {
			t.Fatal(err)
		}
		if s := w.look(); len(s.Drift) != 1 || s.Drift[0].String() != file+" was edited by hand." || s.Held == "" {
			t.Errorf("edited %s: drift %q, held %q", name, s.Drift, s.Held)
		}
		w.apply()
		kept, err := filepath.Glob(filepath.Join(w.nginx.Dir, "flatnet", "kept", name+"-*"))
		if err != nil || len(kept) != 1 || read(t, kept[0]) != good+" " {
			t.Errorf("%s is not kept aside: %v, %v", name, kept, err)
		}
	}
	if err := os.Remove(place("flatnet.lua")); err != nil {
		t.Fatal(err)
	}
	w.apply()
	if text, err := os.ReadFile(place("flatnet.lua")); err != nil || !bytes.Contains(text, []byte("function M.route")) {
		t.Errorf("flatnet.lua is not put back: %v", err)
	}
	if s := w.look(); len(s.Drift) != 0 || s.Held != "" {
		t.Errorf("afterwards: drift %q, held %q", s.Drift, s.Held)
	}
}

// A deployment that was killed before its reload leaves a configuration that
// does not run yet: the next one has to reload, though only the table changes.
func TestTableAfterAConfigurationThatWasNotReloaded(t *testing.T) {
	w := newWorld(t, "lua")
	serve(t, "10.87.1.2:80", "web")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(t)
	w.apply()
	first := read(t, filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf"))
	w.containers[0].Labels["flatnet.max_body"] = "5m"
	w.apply()
	if err := os.WriteFile(filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf"), []byte(first), 0o644); err != nil {
		t.Fatal(err)
	}
	delete(w.containers[0].Labels, "flatnet.max_body")
	w.run("more", "10.87.1.2", "host=more.local")
	if out := w.apply(); !out.Reloaded || !out.Confirmed {
		t.Errorf("outcome %+v", out)
	}
	if a := get(t, "more.local", "/"); a.Body != "web" {
		t.Errorf("the new site: %d %q", a.Status, a.Body)
	}
}
