package podman_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"flatnet/core/podman"
	realpodman "flatnet/testdata/podman"
)

// Real Podman, by its socket and by its command, says the same.
func TestRealPodman(t *testing.T) {
	p := realpodman.New(t, realpodman.Options{})
	socket := filepath.Join(p.Dir, "podman.sock")
	service := startService(t, p, socket)
	c := podman.New(podman.Options{Socket: socket, Timeout: 20 * time.Second})

	info, err := c.Info(t.Context())
	if err != nil || info.NetworkBackend != "cni" {
		t.Fatalf("info %+v, %v", info, err)
	}
	if all, err := c.Containers(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("no containers: %v, %v", all, err)
	}
	events, err := c.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	run(t, p, "run", "-d", "--name", "web", "--network", "flatnet", "--label", "flatnet.host=web.local", realpodman.Postgres)
	run(t, p, "create", "--name", "later", "--network", "flatnet", realpodman.Postgres)
	waitFor(t, events, "start", "web")
	bySocket, err := c.Containers(t.Context())
	if err != nil || len(bySocket) != 2 {
		t.Fatalf("by socket %+v, %v", bySocket, err)
	}
	web := bySocket[slices.IndexFunc(bySocket, func(c podman.Container) bool { return c.Name == "web" })]
	if !web.Running() || web.Networks["flatnet"].IP.String() != "10.87.1.2" || web.Labels["flatnet.host"] != "web.local" {
		t.Errorf("web is %+v", web)
	}

	run(t, p, "kill", "web")
	waitFor(t, events, "died", "web")
	run(t, p, "start", "web")
	waitFor(t, events, "start", "web")
	if _, err := c.Containers(t.Context()); err != nil {
		t.Fatal(err)
	}
	service()
	byCommand, err := podman.New(podman.Options{Socket: socket, Program: filepath.Join(p.Dir, "bin", "podman"), Timeout: 20 * time.Second}).Containers(t.Context())
	if err != nil || len(byCommand) != 2 {
		t.Fatalf("by command %+v, %v", byCommand, err)
	}
	for _, c := range byCommand {
		if c.Name == "web" && (c.Networks["flatnet"].IP != web.Networks["flatnet"].IP || c.CreatedAt.Unix() != web.CreatedAt.Unix()) {
			t.Errorf("the command says %+v, the socket %+v", c, web)
		}
	}
}

func run(t *testing.T, p *realpodman.Podman, args ...string) {
	t.Helper()
	if out, err := p.Command(args...).CombinedOutput(); err != nil {
		t.Fatalf("podman %v: %v\n%s", args, err, out)
	}
}

// startService runs Podman's API on socket; what it gives ends it.
func startService(t *testing.T, p *realpodman.Podman, socket string) (stop func()) {
	t.Helper()
	cmd := p.Command("system", "service", "--time", "0", "unix://"+socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			end(cmd)
		}
	}
	t.Cleanup(stop)
	for range 200 {
		if _, err := os.Stat(socket); err == nil {
			return stop
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("Podman's API does not start")
	return nil
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// waitFor reads events until the one that is waited for.
func waitFor(t *testing.T, events <-chan podman.Event, status, name string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the events ended before %s of %s", status, name)
			}
			if e.Status == status && e.Name == name {
				return
			}
		case <-limit:
			t.Fatalf("no event %s of %s", status, name)
		}
	}
}
