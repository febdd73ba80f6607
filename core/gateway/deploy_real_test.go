package gateway_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/podman"
	"flatnet/testdata/nginx"
)

func TestFirstDeploymentAddsTheInclude(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		main := filepath.Join(w.nginx.Dir, "nginx.conf")
		before := read(t, main)
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		c, err := w.gateway().Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(c.MainDiff, "+    include "+w.nginx.Dir+"/conf.d/*.conf;") {
			t.Errorf("diff of nginx.conf:\n%s", c.MainDiff)
		}
		if _, err := os.Stat(filepath.Join(w.nginx.Dir, "conf.d")); err == nil {
			t.Error("planning made a folder")
		}
		w.apply()
		if got := read(t, main+".before-flatnet"); got != before {
			t.Errorf("the backup is not what was there:\n%s", got)
		}
		if out := w.apply(); out.Reloaded || out.Generation != 1 {
			t.Errorf("a second time: %+v, want nothing done", out)
		}
		if s := w.look(); s.Generation != 1 || s.Served != 1 || len(s.Drift) != 0 || s.Pending || s.State != gateway.OK {
			t.Errorf("status: %+v", s)
		}
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The nginx.conf that is written where there is none is one that nginx takes.
func TestWholeNginxConf(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		main := filepath.Join(w.nginx.Dir, "nginx.conf")
		if err := os.Remove(main); err != nil {
			t.Fatal(err)
		}
		w.run("web", "10.87.1.2", "host=web.local")
		out := w.apply()
		if out.Confirmed || len(out.Notes) != 1 || !strings.Contains(out.Notes[0], "nginx is not running. Start it with: "+nginx.Program) {
			t.Errorf("with no nginx running: %+v", out)
		}
		// It was tested by nginx; tested again as it stands.
		if said, err := exec.CommandContext(t.Context(), nginx.Program, "-t", "-c", main).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		for _, dir := range []string{"config/conf.d", "logs", "temp"} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(w.nginx.Dir), dir)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestRollbackHoldsUntilApplied(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "old")
		serve(t, "10.87.1.3:80", "new")
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		w.containers[0].Networks["flatnet"] = attachment("10.87.1.3")
		w.apply()
		if a := get(t, "web.local", "/"); a.Body != "new" {
			t.Fatalf("generation 2: %q", a.Body)
		}
		out := w.rollback(0)
		if out.Generation != 1 || !out.Confirmed {
			t.Errorf("rollback: %+v", out)
		}
		if a := get(t, "web.local", "/"); a.Body != "old" {
			t.Errorf("rolled back: %q", a.Body)
		}
		s := w.look()
		if s.Generation != 1 || s.Held == "" || !s.Pending || s.State != gateway.Warn {
			t.Errorf("status: %+v, want held and pending", s)
		}
		if out := w.apply(); out.Generation != 3 {
			t.Errorf("applied again: %+v, want generation 3", out)
		}
		if s := w.look(); s.Held != "" || s.Pending {
			t.Errorf("status: %+v, want nothing held", s)
		}
		_, err := w.gateway().PrepareRollback(t.Context(), 77)
		if !errors.Is(err, gateway.ErrNoGeneration) {
			t.Errorf("rollback to 77: %v", err)
		}
	})
}

func (w *world) rollback(to int) gateway.Outcome {
	w.t.Helper()
	g := w.gateway()
	c, err := g.PrepareRollback(w.t.Context(), to)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := g.Deploy(w.t.Context(), c)
	if err != nil {
		w.t.Fatalf("rollback: %v\n%s", err, w.nginx.Log())
	}
	return out
}

func TestEditedFileIsDriftAndKept(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		live := filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf")
		edited := read(t, live) + "\n# by hand\n"
		if err := os.WriteFile(live, []byte(edited), 0o644); err != nil {
			t.Fatal(err)
		}
		s := w.look()
		if s.State != gateway.Warn || len(s.Drift) == 0 || !strings.Contains(s.Drift[0].String(), "edited by hand") || s.Held == "" {
			t.Errorf("status: %+v, want drift and held", s)
		}
		out := w.apply()
		kept, err := filepath.Glob(filepath.Join(w.nginx.Dir, "flatnet", "kept", "flatnet.conf*"))
		if err != nil || len(kept) == 0 || read(t, kept[0]) != edited {
			t.Errorf("kept: %v, %v", kept, err)
		}
		if len(out.Notes) == 0 {
			t.Errorf("outcome %+v says nothing of it", out)
		}
		if s := w.look(); len(s.Drift) != 0 {
			t.Errorf("after it: %v", s.Drift)
		}
	})
}

// Nothing that was edited is lost, however quickly one edit follows another.
func TestEditedTwiceInOneSecond(t *testing.T) {
	w := newWorld(t, "static")
	w.nginx.Start(t)
	w.apply()
	live := filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf")
	for _, text := range []string{"# first\n", "# second\n", "# third\n"} {
		if err := os.WriteFile(live, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		w.apply()
	}
	kept, err := filepath.Glob(filepath.Join(w.nginx.Dir, "flatnet", "kept", "*"))
	if err != nil || len(kept) != 3 {
		t.Fatalf("kept %v, %v, want three", kept, err)
	}
	if got := read(t, kept[0]) + read(t, kept[1]) + read(t, kept[2]); got != "# first\n# second\n# third\n" {
		t.Errorf("kept %q", got)
	}
}

// What is tested of conf.d is what nginx.conf includes of it.
func TestTestedIsWhatIsIncluded(t *testing.T) {
	for _, c := range []struct {
		include, broken string
		refused         bool
	}{
		{"conf.d/*.conf", "off.conf", true},
		{"conf.d/*.conf", "flatnet.conf.bak", false},
		{"conf.d/flatnet.conf", "off.conf", false},
		{"conf.d/*", "flatnet.conf.bak", true},
	} {
		w := newWorld(t, "static")
		main := strings.Replace(nginx.Main(w.nginx.Logs, 1), "http {", "http {\n    include "+c.include+";", 1)
		err := errors.Join(
			os.WriteFile(filepath.Join(w.nginx.Dir, "nginx.conf"), []byte(main), 0o644),
			os.Mkdir(filepath.Join(w.nginx.Dir, "conf.d"), 0o755),
			os.WriteFile(filepath.Join(w.nginx.Dir, "conf.d", c.broken), []byte("nonsense on;\n"), 0o644),
		)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.tryApply(); errors.Is(err, gateway.ErrTest) != c.refused {
			t.Errorf("include %s beside %s: %v", c.include, c.broken, err)
		}
	}
}

// What nginx refuses never goes live. The refusal is made by another file in
// conf.d: exactly what would run is tested.
func TestRefusedByNginx(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		live := read(t, filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf"))
		if err := os.WriteFile(filepath.Join(w.nginx.Dir, "conf.d", "other.conf"), []byte("nonsense on;\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		w.run("big", "10.87.1.2", "host=big.local", "max_body=5m") // a change of lua mode's file too
		_, err := w.tryApply()
		if !errors.Is(err, gateway.ErrTest) || !strings.Contains(err.Error(), `unknown directive "nonsense"`) {
			t.Errorf("got %v", err)
		}
		if hint := core.Hint(err).String(); !strings.Contains(hint, "correct "+filepath.Join(w.nginx.Dir, "conf.d", "other.conf")) {
			t.Errorf("hint %q", hint)
		}
		if now := read(t, filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf")); now != live {
			t.Error("the live file was changed")
		}
		if all, deployed, err := w.gateway().List(); len(all) != 1 || deployed != 1 || err != nil {
			t.Errorf("generations: %v, deployed %d, %v", all, deployed, err)
		}
		if a := get(t, "web.local", "/"); a.Body != "web" {
			t.Errorf("the old one got %d", a.Status)
		}
		if left, _ := filepath.Glob(filepath.Join(w.nginx.Dir, "*test*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// deaf is an nginx whose reload does nothing, as one of another account.
type deaf struct{ gateway.Runner }

func (d deaf) Run(ctx context.Context, args ...string) ([]byte, error) {
	if args[len(args)-1] == "reload" {
		return []byte("nginx: [error] OpenEvent(\"Global\\ngx_reload_4242\") failed (5: Access is denied)\n"), errors.New("exit status 1")
	}
	return d.Runner.Run(ctx, args...)
}

func TestNotServedIsPutBack(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		w.nginx.Start(t)
		w.apply()
		live := read(t, filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf"))
		w.run("big", "10.87.1.2", "host=big.local", "max_body=5m")
		o := w.options()
		o.Runner = deaf{o.Runner}
		g := gateway.New(o)
		c, err := g.Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Deploy(t.Context(), c)
		if !errors.Is(err, gateway.ErrNotServed) || !strings.Contains(err.Error(), "Access is denied") {
			t.Errorf("got %v", err)
		}
		if now := read(t, filepath.Join(w.nginx.Dir, "conf.d", "flatnet.conf")); now != live {
			t.Error("the last good one was not put back")
		}
		if s := w.look(); s.Generation != 1 || s.Served != 1 || len(s.Drift) != 0 {
			t.Errorf("status: %+v", s)
		}
	})
}

// A deployment that was cut off before its reload is ended by the next one.
func TestNotYetReloaded(t *testing.T) {
	w := newWorld(t, "static")
	w.run("web", "10.87.1.2", "host=web.local")
	w.nginx.Start(t)
	w.apply()
	w.run("more", "10.87.1.2", "host=more.local")
	o := w.options()
	o.HealthURL = nil
	o.Runner = noReload{o.Runner}
	g := gateway.New(o)
	c, err := g.Prepare(t.Context())
	if err == nil {
		_, err = g.Deploy(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := w.look()
	if s.Generation != 2 || s.Served != 1 || len(s.Drift) != 1 || s.Pending {
		t.Errorf("cut off: %+v", s)
	}
	if out := w.apply(); out.Generation != 2 || !out.Reloaded || !out.Confirmed {
		t.Errorf("the next: %+v, want the same generation, reloaded", out)
	}
	if s := w.look(); s.Served != 2 || len(s.Drift) != 0 {
		t.Errorf("after it: %+v", s)
	}
}

// noReload is an nginx that is never told.
type noReload struct{ gateway.Runner }

func (n noReload) Run(ctx context.Context, args ...string) ([]byte, error) {
	if args[len(args)-1] == "reload" {
		return nil, nil
	}
	return n.Runner.Run(ctx, args...)
}

// Podman that does not answer takes no site away.
func TestUnknownContainersChangeNothing(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "web")
		w.run("web", "10.87.1.2", "host=web.local")
		w.run("named", "10.87.1.2")
		w.sites(config.Site{Host: "named.local", Container: "named"})
		w.nginx.Start(t)
		w.apply()
		w.podmanErr = podman.ErrTimeout
		c, err := w.gateway().Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var labelled bool
		for _, s := range c.Generation.Sites {
			_, down := s.Down()
			labelled = labelled || s.Host == "web.local" && !down
		}
		if !labelled || len(c.Unknown) != 1 {
			t.Errorf("sites %+v, unknown %q", c.Generation.Sites, c.Unknown)
		}
		if s := w.look(); s.Unknown == "" {
			t.Errorf("status %+v does not say so", s)
		}
	})
}
