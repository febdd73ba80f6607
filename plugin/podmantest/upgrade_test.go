package podmantest

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/testdata/podman"
	"flatnet/testdata/podman5"
	"flatnet/testdata/program"
)

// TestUpgrade goes from Podman 4.3.1 with CNI to 5.4.2 with netavark on one
// store: the networks are taken over, and containers keep their addresses.
func TestUpgrade(t *testing.T) {
	const socket = "/run/podman/podman.sock" // Podman's own: its command is asked where nobody listens there
	p := podman.New(t, podman.Options{TOML: "[windows]\nenabled = false\n", Networks: map[string]string{
		"second": `{"bridge": "flatnet-br1", "subnet": "10.88.0.0/24"}`,
	}})
	web(p, "first")
	web(p, "stopped")
	web(p, "ran")
	p.Run("run", "--detach", "--name", "beside", "--network", "second", podman.Nginx)
	p.Run("rm", "--force", "--time", "0", "first") // a lower address is free now
	p.Run("stop", "--time", "0", "stopped")
	tui := p.Upgrade()

	if _, err := p.Try("ps"); err == nil || !strings.Contains(err.Error(), "cni support is not enabled") {
		t.Errorf("Podman 5 with settings of Podman 4: %v", err)
	}
	if out := seen(tui); !strings.Contains(out, "podman-without-cni") {
		t.Errorf("doctor:\n%s", out)
	}
	settings := filepath.Join(podman5.Root, "etc/containers/containers.conf.d/flatnet.conf")
	before := read(t, settings)
	untouched := func(after string) {
		t.Helper()
		networks, _ := filepath.Glob(filepath.Join(podman5.Root, "etc/containers/networks/*.json"))
		if read(t, settings) != before || len(networks) > 0 {
			t.Errorf("after %s: settings\n%s\nnetworks %v", after, read(t, settings), networks)
		}
	}
	for want, args := range map[int][]string{0: {"migrate", "--dry-run"}, 2: {"migrate"}} {
		if status, out := tui(args...); status != want || !strings.Contains(out, "--ip-range") && !strings.Contains(out, "second (10.88.0.0/24 on flatnet-br1)") {
			t.Errorf("%v: %d\n%s", args, status, out)
		}
		untouched(strings.Join(args, " "))
	}
	takesBack(t, tui)
	untouched("a failure")

	if status, out := tui("migrate", "--yes"); status != 0 {
		t.Fatalf("migrate: %d\n%s", status, out)
	}
	serve(t, p, socket)
	if status, out := tui("migrate", "--yes"); status != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("once more: %d\n%s", status, out)
	}
	if out := seen(tui); strings.Contains(out, "[network-list") || strings.Contains(out, "[plugin") || strings.Contains(out, "[podman") {
		t.Errorf("doctor:\n%s", out)
	}
	p.Run("start", "stopped", "beside")
	p.Run("rm", "ran")
	web(p, "ran")
	for name, want := range map[string]string{"stopped": "10.87.1.3", "ran": "10.87.1.4"} {
		if got := p.IP(name, "flatnet"); got != want {
			t.Errorf("%s has %s, and had %s before the upgrade", name, got, want)
		}
		fetch(t, "http://"+want+"/")
	}
	if got := p.IP("beside", "second"); got != "10.88.0.2" {
		t.Errorf("beside has %s", got)
	}
	if journal := read(t, filepath.Join(p.State, "journal.jsonl")); strings.Count(journal, `"action":"migrate"`) < 4 || !strings.Contains(journal, "taken back: ") {
		t.Errorf("journal:\n%s", journal)
	}
	p.Run("rm", "--all", "--force", "--time", "0")
	nothingLeft(t, p)
}

// takesBack has the plugin refuse the second network.
func takesBack(t *testing.T, tui func(args ...string) (int, string)) {
	t.Helper()
	plugin := filepath.Join(podman5.Root, "opt/cni/bin/flatnet")
	if err := os.Rename(plugin, plugin+".real"); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n[ \"$1\" = create ] || exec /opt/cni/bin/flatnet.real \"$@\"\nread -r n\ncase $n in *flatnet-br1*) echo '{\"error\":\"a fault\"}'; exit 1;; esac\necho \"$n\" | /opt/cni/bin/flatnet.real create\n"
	if err := os.WriteFile(plugin, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if status, out := tui("migrate", "--yes"); status != 1 || !strings.Contains(out, "a fault") || !strings.Contains(out, "was taken back") {
		t.Errorf("migrate with a fault: %d\n%s", status, out)
	}
	if err := os.Rename(plugin+".real", plugin); err != nil {
		t.Fatal(err)
	}
}

// serve has Podman answer at its socket until the test ends.
func serve(t *testing.T, p *podman.Podman, socket string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := p.Command("system", "service", "--time", "0", "unix://"+socket)
	if err := program.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 600 {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("Podman does not answer at its socket")
}

// seen is what doctor says once Podman has answered: its command takes seconds
// on a busy machine, and doctor waits for nothing that long.
func seen(tui func(args ...string) (int, string)) (out string) {
	for range 20 {
		if _, out = tui("doctor"); !strings.Contains(out, "podman-unreachable") {
			break
		}
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
