package command_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/tui/command"
)

// ask asks the rig's gateway for a site.
func (r *rig) ask(host string) (status int, body string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://127.0.0.1/", nil)
	r.must(err)
	req.Host = host
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	r.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	r.must(err)
	return resp.StatusCode, string(text)
}

func TestGatewayRender(t *testing.T) {
	r := newRig(t)
	r.db.labels = map[string]string{"flatnet.host": "web.local; return 200 pwned"}
	r.want(command.ExitGood, "gateway render", "upstream flatnet_web.local {\n    server 10.87.1.2:3000;", "Set aside: web.local; return 200 pwned (container db)")
	r.edit(r.nginx.Dir+`"
windows_path`, "/mnt/q/flatnet/config\"\nwindows_path")
	r.want(command.ExitGood, "gateway render", "server_name web.local;")
	r.want(command.ExitFailing, "gateway apply --yes", "drive is not there", "mount -t drvfs Q: /mnt/q")
}

func TestGatewayApplyRollBackAndList(t *testing.T) {
	r := newRig(t)
	r.want(command.ExitGood, "gateway apply --yes", "Generation 1 is deployed and is what it ought to be.")
	r.db.labels = map[string]string{"flatnet.host": "db.local", "flatnet.port": "3000"}
	r.want(command.ExitGood, "gateway diff", "+upstream flatnet_db.local {", "+    server 10.87.1.3:3000;")
	r.want(command.ExitGood, "gateway apply --dry-run", "Test generation 2 with nginx", "+    server_name db.local;")
	r.want(command.ExitUsage, "gateway apply", "--yes")
	if status, _ := r.ask("db.local"); status != http.StatusNotFound {
		t.Errorf("a dry run and a question deployed it: %d", status)
	}
	r.want(command.ExitGood, "gateway apply --yes", "Done.")
	if _, body := r.ask("db.local"); body != "hello from db\n" {
		t.Errorf("db.local says %q", body)
	}
	r.want(command.ExitGood, "gateway hosts 192.168.1.10", "192.168.1.10  db.local\n192.168.1.10  web.local\n")
	r.want(command.ExitUsage, "gateway hosts somewhere", "name one address")
	r.want(command.ExitUsage, "gateway hosts fe80::1%eth0", "name one address")
	r.want(command.ExitGood, "gateway rollback 1 --yes", "Done.")
	if status, _ := r.ask("db.local"); status != http.StatusNotFound {
		t.Errorf("rolled back, db.local answers %d", status)
	}
	r.want(command.ExitFailing, "gateway rollback 9 --yes", "generation 9: no such generation")
	r.want(command.ExitUsage, "gateway rollback first", "gateway list")
	r.want(command.ExitGood, "gateway list", "   2 ", "*  1 ")
	status, out := r.run("gateway", "list", "--json")
	var l struct {
		Schema, Deployed int
		Generations      []struct {
			Number int
			Sites  []struct {
				Host, Source string
				Servers      []struct{ Address string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &l); err != nil || status != 0 || l.Schema != 1 || l.Deployed != 1 || len(l.Generations) != 2 {
		t.Fatalf("%d, %v: %s", status, err, out)
	}
	if s := l.Generations[0].Sites[0]; s.Host != "db.local" || s.Source != "container db" || len(s.Servers) != 1 || s.Servers[0].Address != "10.87.1.3:3000" {
		t.Errorf("the newest generation's first site: %+v", s)
	}
	r.write(filepath.Join(r.nginx.Dir, "flatnet", "generations", "000002", "generation.json"), "{")
	if status, out = r.run("gateway", "list", "--json"); status != command.ExitFailing || !strings.Contains(out, `"deployed": 1`) || !strings.Contains(out, "generation 2") {
		t.Errorf("with one that cannot be read: %d %s", status, out)
	}
}

func TestGatewayMaintenance(t *testing.T) {
	r := newRig(t)
	r.want(command.ExitGood, "gateway maintenance web.local on --yes", "Done.")
	if status, body := r.ask("web.local"); status != 503 || !strings.Contains(body, "is being worked on") {
		t.Errorf("got %d %q", status, body)
	}
	r.want(command.ExitGood, "gateway maintenance web.local on --yes", "is in maintenance already")
	r.want(command.ExitGood, "gateway maintenance WEB.local off --yes --json", `"applied": true`)
	if status, _ := r.ask("web.local"); status != 200 {
		t.Errorf("got %d", status)
	}
	r.want(command.ExitFailing, "gateway maintenance other.local on --yes", "no such site")
	r.want(command.ExitUsage, "gateway maintenance web.local", "say on or off")
}

// A site that is down stays so, and since when, whoever looks: a command knows
// as much as watch does, and nothing is to be deployed.
func TestCommandsKnowWhatIsDown(t *testing.T) {
	r := newRig(t)
	r.web.listener.Close()
	r.want(command.ExitGood, "gateway apply --yes", "Done.")
	first := since(r)
	r.want(command.ExitGood, "gateway apply --yes", "is what it ought to be")
	r.want(command.ExitGood, "gateway diff", "")
	status, out := r.run("doctor", "--json")
	if status != command.ExitFailing || !strings.Contains(out, `"upstream-down"`) || strings.Contains(out, `"gateway-drift"`) {
		t.Errorf("doctor: %d\n%s", status, out)
	}
	r.ahead = time.Hour
	r.want(command.ExitGood, "gateway apply --yes", "is what it ought to be")
	if again := since(r); again != first || first == "" {
		t.Errorf("down since %q, and later %q", first, again)
	}
	r.listen(r.web)
	r.want(command.ExitGood, "gateway apply --yes", "Done.")
	if _, body := r.ask("web.local"); body != "hello from web\n" {
		t.Errorf("back again it says %q", body)
	}
}

// since is what the page of web.local says of its failure.
func since(r *rig) string {
	r.t.Helper()
	_, body := r.ask("web.local")
	_, rest, _ := strings.Cut(body, "Since <time datetime='")
	at, _, _ := strings.Cut(rest, "'")
	return at
}

// watch follows the configuration and the probes of a real machine.
func TestWatch(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		status, _ := r.runIn(ctx, "watch")
		done <- status
	}()
	defer func() {
		cancel()
		if status := <-done; status != 0 {
			t.Errorf("watch ended with %d", status)
		}
	}()
	wait := func(what string, holds func() bool) {
		t.Helper()
		for range 400 {
			if holds() {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("it never came to: %s", what)
	}
	text, err := os.ReadFile(r.conf)
	r.must(err)
	time.Sleep(300 * time.Millisecond) // it listens by then; a write that it misses is written again below
	wait("a new site is served", func() bool {
		r.write(r.conf, string(text)+"\n[[gateway.site]]\nhost = \"db.local\"\ncontainer = \"db\"\nport = 3000\n")
		time.Sleep(time.Second)
		_, body := r.ask("db.local")
		return body == "hello from db\n"
	})
	r.db.listener.Close()
	wait("a server that does not answer is down, and since when", func() bool {
		status, body := r.ask("db.local")
		return status == 503 && strings.Contains(body, "Since <time")
	})
	r.listen(r.db)
	wait("it comes back by itself", func() bool { _, body := r.ask("db.local"); return body == "hello from db\n" })
}
