// Package podmantest runs the plugin under real Podman, 4.3.1 with its CNI
// backend and 5.4.2 with netavark, on containers that serve HTTP.
package podmantest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"flatnet/core/ipam"
	"flatnet/testdata/nettest"
	"flatnet/testdata/podman"
)

func TestMain(m *testing.M) { nettest.Main(m) }

const gateway = "10.87.1.1"

// onBoth runs one scenario with either Podman.
func onBoth(t *testing.T, o podman.Options, scenario func(t *testing.T, p *podman.Podman)) {
	t.Helper()
	t.Run("cni", func(t *testing.T) { scenario(t, podman.New(t, o)) })
	t.Run("netavark", func(t *testing.T) { scenario(t, podman.NewNetavark(t, o)) })
}

// web starts an nginx container.
func web(p *podman.Podman, name string, options ...string) {
	args := append([]string{"run", "--detach", "--name", name, "--network", "flatnet"}, options...)
	p.Run(append(args, podman.Nginx)...)
}

// fetch gets url, and tries again for a while: a web server that has just been
// started does not listen yet.
func fetch(t *testing.T, url string) string {
	t.Helper()
	var last error
	for range 50 {
		body, err := get(url)
		if err == nil {
			return body
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("get %s: %v", url, last)
	return ""
}

func get(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// held gives the addresses in the state file, with the containers' names.
func held(t *testing.T, dir string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, ipam.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Allocations map[string]struct{ Name string }
	}
	if err := json.Unmarshal(data, &state); err != nil {
		t.Fatalf("the state is no JSON: %v\n%s", err, data)
	}
	names := map[string]string{}
	for ip, a := range state.Allocations {
		names[ip] = a.Name
	}
	return names
}

// veths lists the host's ends.
func veths(t *testing.T) []string {
	t.Helper()
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, "fn-") {
			names = append(names, l.Attrs().Name)
		}
	}
	return names
}

// nothingLeft waits until no lease and no veth is there: Podman cleans up
// after a container that ended by itself in a process of its own.
func nothingLeft(t *testing.T, p *podman.Podman) {
	t.Helper()
	var leases map[string]string
	var links []string
	for range 100 {
		leases, links = held(t, p.State), veths(t)
		if len(leases) == 0 && len(links) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("left behind: leases %v, links %v", leases, links)
}

// TestThreeContainers is the seed's section 4.3.
func TestThreeContainers(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		web(p, "web1")
		web(p, "web2")
		p.Run("run", "--detach", "--name", "db1", "--network", "flatnet", podman.Postgres)
		for i, name := range []string{"web1", "web2", "db1"} {
			if got, want := p.IP(name, "flatnet"), fmt.Sprintf("10.87.1.%d", i+2); got != want {
				t.Errorf("%s has %s, want %s", name, got, want)
			}
		}
		for _, name := range []string{"web1", "web2"} {
			if body := fetch(t, "http://"+p.IP(name, "flatnet")+"/"); !strings.Contains(body, "Welcome to nginx") {
				t.Errorf("%s served %q", name, body)
			}
		}
		web2 := p.IP("web2", "flatnet")
		p.Run("exec", "web1", "ping", "-c", "1", web2)
		p.Run("exec", "web1", "ping", "-c", "1", gateway)
		if body := p.Run("exec", "db1", "wget", "-q", "-O", "-", "http://"+web2+"/"); !strings.Contains(body, "nginx") {
			t.Errorf("db1 got %q from web2", body)
		}
		if got := held(t, p.State); got["10.87.1.3"] != "web2" {
			t.Errorf("the lease of 10.87.1.3 is %q's, want web2's; all: %v", got["10.87.1.3"], got)
		}
		p.Run("rm", "--force", "--time", "0", "web1", "web2", "db1")
		nothingLeft(t, p)
	})
}

// TestLifecycle is the seed's section 4.4.
func TestLifecycle(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		web(p, "first")
		web(p, "lifecycle")
		before := p.IP("lifecycle", "flatnet")
		p.Run("stop", "--time", "1", "lifecycle")
		p.Run("rm", "--force", "--time", "0", "first") // a lower address is free now
		p.Run("start", "lifecycle")
		if after := p.IP("lifecycle", "flatnet"); after != before {
			t.Errorf("the address was %s, and is %s after stop and start", before, after)
		}
		p.Run("restart", "--time", "1", "lifecycle")
		if after := p.IP("lifecycle", "flatnet"); after != before {
			t.Errorf("the address was %s, and is %s after restart", before, after)
		}
		p.Run("exec", "lifecycle", "ping", "-c", "1", gateway)
		fetch(t, "http://"+before+"/")

		p.Run("rm", "--force", "--time", "0", "lifecycle")
		nothingLeft(t, p)
		web(p, "other")
		web(p, "lifecycle")
		if after := p.IP("lifecycle", "flatnet"); after != before {
			t.Errorf("the address was %s, and is %s after rm and a new run", before, after)
		}
		p.Run("rm", "--force", "--time", "0", "other")

		p.Run("kill", "lifecycle")
		nothingLeft(t, p)
		p.Run("rm", "lifecycle")
		nothingLeft(t, p)
	})
}

// TestPublishedPort: with CNI portmap stands after the plugin, with netavark the
// rules are the plugin's.
func TestPublishedPort(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		web(p, "published", "--publish", "8088:80")
		web(p, "neighbour")
		for _, url := range []string{"http://127.0.0.1:8088/", "http://" + gateway + ":8088/"} {
			if body := fetch(t, url); !strings.Contains(body, "Welcome to nginx") {
				t.Errorf("%s served %q", url, body)
			}
		}
		p.Run("exec", "neighbour", "wget", "-q", "-O", "-", "http://"+gateway+":8088/")
		p.Run("restart", "--time", "1", "published")
		fetch(t, "http://127.0.0.1:8088/")
		p.Run("rm", "--force", "--time", "0", "published", "neighbour")
		if _, err := get("http://" + gateway + ":8088/"); err == nil {
			t.Error("the port is still published after rm")
		}
		nothingLeft(t, p)
	})
}

func TestAskedFor(t *testing.T) {
	onBoth(t, podman.Options{TOML: "[[ipam.reservation]]\nname = \"printer\"\nip = \"10.87.1.50\"\n"}, func(t *testing.T, p *podman.Podman) {
		web(p, "asked", "--ip", "10.87.1.77", "--mac-address", "02:00:00:00:00:77")
		if got := p.IP("asked", "flatnet"); got != "10.87.1.77" {
			t.Errorf("the address is %s", got)
		}
		if got := p.Run("exec", "asked", "cat", "/sys/class/net/eth0/address"); got != "02:00:00:00:00:77" {
			t.Errorf("the MAC address is %s", got)
		}
		web(p, "printer")
		if got := p.IP("printer", "flatnet"); got != "10.87.1.50" {
			t.Errorf("the reserved address is not given: %s", got)
		}
		for ip, want := range map[string]string{
			"10.87.1.77": "taken", "10.87.1.1": "gateway", "10.9.9.9": "outside", "10.87.1.50": "10.87.1.50",
		} {
			_, err := p.Try("run", "--rm", "--network", "flatnet", "--ip", ip, podman.Nginx)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("--ip %s: %v, want something about %q", ip, err, want)
			}
		}
		if got := len(held(t, p.State)); got != 2 {
			t.Errorf("%d leases after the failures, want 2", got)
		}
	})
}

// TestTwoNetworks puts one container on two networks of ours.
func TestTwoNetworks(t *testing.T) {
	onBoth(t, podman.Options{Networks: map[string]string{
		"second": `{"bridge": "flatnet-br1", "subnet": "10.88.0.0/24"}`,
	}}, func(t *testing.T, p *podman.Podman) {
		p.Run("run", "--detach", "--name", "both", "--network", "flatnet", "--network", "second", podman.Nginx)
		fetch(t, "http://"+p.IP("both", "flatnet")+"/")
		fetch(t, "http://"+p.IP("both", "second")+"/")
		if got := held(t, filepath.Join(p.State, "networks", "second")); got["10.88.0.2"] != "both" {
			t.Errorf("the second network's state: %v", got)
		}
		if got := veths(t); len(got) != 2 {
			t.Errorf("host ends: %v, want two", got)
		}
		p.Run("rm", "--force", "--time", "0", "both")
		nothingLeft(t, p)
		if got := held(t, filepath.Join(p.State, "networks", "second")); len(got) != 0 {
			t.Errorf("the second network still holds %v", got)
		}
	})
}

// TestTornState loses the state under three live containers: all keep their
// addresses, from the kernel alone.
func TestTornState(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		for _, name := range []string{"a", "b", "c"} {
			web(p, name)
		}
		file := filepath.Join(p.State, ipam.FileName)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, whole[:len(whole)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		web(p, "d")
		want := map[string]string{"10.87.1.2": "a", "10.87.1.3": "b", "10.87.1.4": "c", "10.87.1.5": "d"}
		got := held(t, p.State)
		for ip, name := range want {
			if got[ip] != name {
				t.Errorf("%s is %q's, want %q's", ip, got[ip], name)
			}
		}
		if kept, _ := filepath.Glob(file + ".*"); len(kept) == 0 {
			t.Error("the torn file was not set aside")
		}
		if text, _ := os.ReadFile(p.Log); !strings.Contains(string(text), "WARN") {
			t.Errorf("the log does not tell of it:\n%s", text)
		}
		p.Run("rm", "--all", "--force", "--time", "0")
		nothingLeft(t, p)
	})
}

// TestWrongConfiguration starts nothing and leaves nothing.
func TestWrongConfiguration(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		if err := os.WriteFile(p.Config, []byte("[network]\nsubnet = \"10.87.1.0\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := p.Try("run", "--detach", "--name", "wrong", "--network", "flatnet", podman.Nginx)
		for _, want := range []string{"flatnet.toml:2", "subnet"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("podman says %v, want something about %q", err, want)
			}
		}
		nothingLeft(t, p)
	})
}
